"""How callers and server talk: a JSON object a line over a Unix socket, the first with descriptors."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

LONGEST = 16 * 1024 * 1024  # an environment has at most a few megabytes
_CHUNK = 65536


class WireError(Exception):
    """The other side does not keep to the protocol, or is not who it should be."""


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as it goes over the wire."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def send_request(connection: socket.socket, message: dict[str, Any], descriptors: list[int]) -> None:
    """Send the first message of a connection, and with it the caller's three standard streams."""
    data = encode(message)
    sent = socket.send_fds(connection, [data], descriptors)
    connection.sendall(data[sent:])


def peer_user(connection: socket.socket) -> int:
    """Return the user who owns the process at the other end, as the system vouches for it."""
    if hasattr(socket, "SO_PEERCRED"):
        form = "3i"
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
        return int(struct.unpack(form, found)[1])
    # macOS and the BSDs: LOCAL_PEERCRED holds a version, then the user.
    found = connection.getsockopt(0, 0x001, struct.calcsize("2I"))
    return int(struct.unpack("2I", found)[1])


class Lines:
    """Messages as they come in over one connection, and the descriptors that came with the first.

    None may be longer than `longest`: whoever can connect to a server must not fill its memory.
    """

    def __init__(self, connection: socket.socket, longest: float = LONGEST) -> None:
        self.connection = connection
        self.descriptors: list[int] = []
        self._longest = longest
        self._pieces: list[bytes] = []  # of a message that is not complete, put together once it is
        self._size = 0

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the messages that are complete now; nothing when the other side has closed.

        Raises
        ------
        WireError
            What came is no JSON object a line, or too long for one.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self.connection, _CHUNK, 3)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            return None
        self.descriptors += descriptors
        if not data:
            return None
        first, *others = data.split(b"\n")
        self._pieces.append(first)
        if not others:
            self._size += len(first)
            if self._size > self._longest:
                message = "a message is too long"
                raise WireError(message)
            return []
        lines = [b"".join(self._pieces), *others[:-1]]
        self._pieces, self._size = [others[-1]], len(others[-1])
        return [_decode(line) for line in lines]


def _decode(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        text = "a message is not JSON"
        raise WireError(text) from error
    if not isinstance(message, dict):
        text = "a message is not a JSON object"
        raise WireError(text)
    return message
