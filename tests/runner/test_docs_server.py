"""The data docs of a run are found, and served to the user who started the server and no one else."""

import http.client
import threading
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.docs_server import find_docs, serve_run
from sta410kit.runner.manifest import Manifest


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Serve a run folder in a thread and return the announced address; beside it lies a private file."""
    folder = tmp_path_factory.mktemp("outside") / "run"
    (folder / "data_docs").mkdir(parents=True)
    (folder / "data_docs" / "index.html").write_text("the pages", encoding="utf-8")
    (folder.parent / "private.txt").write_text("private", encoding="utf-8")
    (folder / "link.txt").symlink_to(folder.parent / "private.txt")
    (folder / "linked").symlink_to(folder.parent)
    found, begun = [], threading.Event()

    def announce(url):
        found.append(urlsplit(url))
        begun.set()

    threading.Thread(target=serve_run, args=(folder, 0, announce), daemon=True).start()
    assert begun.wait(30)
    return found[0]


def ask(address, path, host="localhost", method="GET"):
    """Request a path under a host name and return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.mark.integration
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}"])
def test_the_announced_address_is_answered_under_local_names(address, host):
    """To a browser here, or at the near end of a tunnel."""
    assert ask(address, address.path, host.format(port=address.port)) == (HTTPStatus.OK, "the pages")


@pytest.mark.integration
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", ""]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_host_name_is_refused(address, host, method):
    """A page whose own name resolves to this machine cannot read what is served (DNS rebinding)."""
    status, body = ask(address, address.path, host, method)
    assert status == HTTPStatus.FORBIDDEN
    assert "the pages" not in body


@pytest.mark.integration
@pytest.mark.parametrize("path", ["/data_docs/index.html", "/", "/wrong/data_docs/index.html", "//", "/%00"])
def test_without_the_token_nothing_is_served(address, path):
    """Another user of this machine does not know it; 32 characters cannot be guessed."""
    status, body = ask(address, path)
    assert status == HTTPStatus.FORBIDDEN
    assert "the pages" not in body
    assert len(address.path.split("/")[1]) == 32


@pytest.mark.integration
@pytest.mark.parametrize(
    "path",
    [
        "../private.txt", "%2e%2e/private.txt", "link.txt", "linked/private.txt", "linked/", "", "none.html",
        "%00", "x" * 300,
    ],
)  # fmt: skip
def test_nothing_outside_the_run_is_served(address, path):
    """Neither up the tree nor through symbolic links; folders are not listed."""
    token = address.path.split("/")[1]
    status, body = ask(address, f"/{token}/{path}")
    assert status == HTTPStatus.NOT_FOUND
    assert "private" not in body


@pytest.mark.unit
def test_the_newest_run_of_the_chain_is_opened(tmp_path):
    """Not that of a notebook, of a verification or of JupyterLab, unless there is no other."""

    def docs(name, kind=""):
        folder = tmp_path / name
        (folder / "data_docs").mkdir(parents=True)
        (folder / "data_docs" / "index.html").touch()
        if kind:
            Manifest(folder.name, kind).write(folder)
        return folder / "data_docs" / "index.html"

    with pytest.raises(ConfigurationError, match="no data docs in"):
        find_docs(tmp_path, None)
    alone = docs("alone/02_validate")
    assert find_docs(tmp_path, None) == alone
    old, new = docs("20260101-000000-aaaa", "chain"), docs("20260102-000000-aaaa", "chain")
    notebook, _ = docs("20260103-000000-aaaa", "notebook"), docs("20260104-000000-aaaa")
    docs(".verify-x", "chain")
    assert find_docs(tmp_path, None) == new
    assert find_docs(tmp_path, old.parent.parent) == old
    assert find_docs(tmp_path, notebook.parent.parent) == notebook
    with pytest.raises(ConfigurationError, match="run nothing has no data docs"):
        find_docs(tmp_path, tmp_path / "nothing")
