"""Find the data docs of a run, and serve them to this machine's user."""

import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.manifest import manifests
from sta410kit.runner.runs import DATA_DOCS, run_folders

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def find_docs(runs: Path, run: Path | None) -> Path:
    """Return the index page of a run's data docs."""
    if run is not None:
        page = run / DATA_DOCS / "index.html"
        if not page.is_file():
            message = f"run {run.name} has no data docs: it validated nothing"
            raise ConfigurationError(message)
        return page
    for folder, _ in manifests(runs, "chain"):
        if (folder / DATA_DOCS / "index.html").is_file():
            return folder / DATA_DOCS / "index.html"
    pages = [page for folder in run_folders(runs) if (page := folder / DATA_DOCS / "index.html").is_file()]
    for place in ("alone", "explore"):  # of notebooks that ran by themselves, and in JupyterLab
        pages += runs.glob(f"{place}/*/{DATA_DOCS}/index.html")
    if not pages:
        message = f"no data docs in {runs} yet; `sta410 run` or `sta410 validate` writes them"
        raise ConfigurationError(message)
    return max(pages, key=lambda page: page.stat().st_mtime)


def serve_run(folder: Path, port: int, announce: Callable[[str], None]) -> None:
    """Serve a run folder on the loopback address until interrupted.

    Every address begins with a random token, so that other users of this machine cannot read the pages.
    """
    token = secrets.token_urlsafe(24)
    handler = partial(_RunPages, folder=folder.resolve(), token=token)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        message = f"port {port} cannot be used ({error.strerror}); try --port 0"
        raise ConfigurationError(message) from error
    with server:
        announce(f"http://127.0.0.1:{server.server_address[1]}/{token}/{DATA_DOCS}/index.html")
        server.serve_forever()


class _RunPages(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, folder: Path, token: str) -> None:  # noqa: ANN401 - as http.server passes them
        self._folder, self._token = folder, token
        super().__init__(*args, directory=str(folder))

    def send_head(self) -> BytesIO | BinaryIO | None:
        # The Host header guards against DNS rebinding: a page elsewhere whose name resolves to this address.
        if _host_name(self.headers.get("Host", "")) not in _LOCAL_NAMES:
            self.send_error(HTTPStatus.FORBIDDEN, explain="Open it as localhost or 127.0.0.1.")
            return None
        token, _, rest = self.path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            self.send_error(HTTPStatus.FORBIDDEN, explain="Open the address that sta410 docs has printed.")
            return None
        self.path = f"/{rest}"
        try:
            inside = Path(self.translate_path(self.path)).resolve().is_relative_to(self._folder)
            if inside:
                return super().send_head()
        except (ValueError, OSError):  # a null byte, a name that is too long, a loop of links
            pass
        self.send_error(HTTPStatus.NOT_FOUND)
        return None

    def list_directory(self, path: object) -> None:
        """Refuse to list folders."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Keep addresses, which hold the token, out of the terminal's log."""


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = host.strip().lower().rpartition(":")
    return name if colon and port.isdecimal() else host.strip().lower()
