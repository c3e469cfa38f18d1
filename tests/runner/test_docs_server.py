"""Tests of the server of a run's pages: who is answered, and with what."""

import http.client
import threading
from collections.abc import Iterator

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.docs_server import serve_folder

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve a folder with one page in a thread; the file beside the folder is none of its business."""
    folder = tmp_path_factory.mktemp("outside") / "run"
    (folder / "data_docs").mkdir(parents=True)
    (folder / "data_docs" / "index.html").write_text("the pages", encoding="utf-8")
    (folder.parent / "private.txt").write_text("private", encoding="utf-8")
    said: list[str] = []
    begun = threading.Event()

    def announce(url: str) -> None:
        said.append(url)
        begun.set()

    threading.Thread(target=serve_folder, args=(folder, 0, announce), daemon=True).start()
    assert begun.wait(30)
    return int(said[0].split(":")[2].partition("/")[0])


def ask(port: int, path: str, host: str, method: str = "GET") -> tuple[int, str]:
    """Ask for a path under a name; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}"])
def test_names_of_this_machine_are_answered(port: int, host: str) -> None:
    """A browser here, or at the near end of a tunnel, gets the page."""
    assert ask(port, "/data_docs/index.html", host.format(port=port)) == (200, "the pages")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", ""]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_name_from_elsewhere_gets_nothing(port: int, host: str, method: str) -> None:
    """A page that points its own name at this machine cannot read what is served (DNS rebinding)."""
    status, body = ask(port, "/data_docs/index.html", host, method)
    assert status == 403
    assert "the pages" not in body


@pytest.mark.parametrize("path", ["/../private.txt", "/%2e%2e/private.txt", "/nothing.html", "/%00"])
def test_what_is_not_in_the_folder_is_not_found(port: int, path: str) -> None:
    """Neither a way out of the folder nor a null byte gets anything but 404."""
    status, body = ask(port, path, "localhost")
    assert status == 404
    assert "private" not in body


def test_a_port_in_use_is_refused_with_the_way_out(port: int, tmp_path: object) -> None:
    """The message names the port and the option that takes a free one."""
    with pytest.raises(ConfigurationError, match=f"port {port} cannot be used .*try --port 0"):
        serve_folder(tmp_path, port, lambda _url: None)  # type: ignore[arg-type]
