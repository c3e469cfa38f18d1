"""The protocol of callers and servers: one JSON object per line over a Unix socket.

A caller's first message to the server comes with four descriptors: the standard streams of the process to
fork, and a socket over which that process, and not the server, receives the caller's environment.
"""

import json
import socket
import struct
from typing import Any

LONGEST = 64 * 1024  # bytes of a message to the server, so that no caller can fill its memory
DESCRIPTORS = 4
_CHUNK = 65536
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class WireError(Exception):
    """The other side does not follow the protocol."""


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as bytes."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def peer_user(connection: socket.socket) -> int:
    """Return the user id of the process at the other end, as the kernel knows it."""
    if hasattr(socket, "SO_PEERCRED"):
        form = "3i"
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
        return int(struct.unpack(form, found)[1])
    # macOS and the BSDs: LOCAL_PEERCRED holds a version, then the user.
    found = connection.getsockopt(0, 0x001, struct.calcsize("2I"))
    return int(struct.unpack("2I", found)[1])


class Lines:
    """Messages as they arrive over one connection, and the descriptors sent with them."""

    def __init__(self, connection: socket.socket, longest: float = float("inf")) -> None:
        self.connection = connection
        self.descriptors: list[int] = []
        self._longest = longest
        self._pieces: list[bytes] = []  # of an incomplete message, joined once it is complete
        self._size = 0

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the messages that are complete by now; ``None`` when the other side has closed."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.connection, _CHUNK, DESCRIPTORS, _CLOSE_ON_EXEC)
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
    # Half of a surrogate pair, as in a file name that is not UTF-8, cannot be written to a notebook.
    return _without_surrogates(message) if b"\\ud" in line else message


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
