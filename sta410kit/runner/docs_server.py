"""Serves a run's pages to this machine only."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO
    from pathlib import Path
    from typing import BinaryIO

_NAMES_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})


def serve_folder(folder: Path, port: int, announce: Callable[[str], None]) -> None:
    """Serve `folder` on the loopback address until interrupted; port 0 takes any free one.

    Raises
    ------
    ConfigurationError
        The port is taken.
    """
    handler = partial(_Pages, directory=str(folder))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        message = f"port {port} cannot be used ({error.strerror}); try --port 0"
        raise ConfigurationError(message) from error
    with server:
        announce(f"http://127.0.0.1:{server.server_address[1]}/data_docs/index.html")
        server.serve_forever()


class _Pages(SimpleHTTPRequestHandler):
    def send_head(self) -> BytesIO | BinaryIO | None:
        # A page elsewhere may point a name of its own at this address and read the answer (DNS rebinding);
        # its browser then says that name.
        host = self.headers.get("Host", "")
        if _name(host) not in _NAMES_OF_THIS_MACHINE:
            self.send_error(
                HTTPStatus.FORBIDDEN, "Not a name of this machine", "Open it as localhost or 127.0.0.1."
            )
            return None
        try:
            return super().send_head()
        except ValueError:  # a null byte: no file can be called that, and http.server does not expect it
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None


def _name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = host.strip().lower().rpartition(":")
    return name if colon and port.isdecimal() else host.strip().lower()
