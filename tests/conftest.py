"""What holds for every test: the kit's defaults."""

import itertools
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sta410kit import redaction
from sta410kit.config import all_settings


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer():
    """Take the kit's settings out of the environment: what somebody exported must not change a result."""
    with pytest.MonkeyPatch.context() as environment:
        for one in all_settings():
            environment.delenv(one.variable, raising=False)
            environment.delenv(f"{one.variable}_FILE", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _fork_servers_of_these_tests_only():
    """Keep fork servers in a folder of their own, and leave none behind."""
    folder = Path(tempfile.mkdtemp(prefix="st-"))  # short: it holds sockets
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(folder))
        yield
    for path in folder.rglob("*.sock"):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b'{"ask":"stop"}\n')
        _wait_until_gone(path)  # a server writes what it has measured when it ends
    shutil.rmtree(folder)


def _wait_until_gone(path):
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _no_secret_of_another_test(monkeypatch):
    """Forget what other tests have registered: it would be scrubbed here, and found by a scan."""
    monkeypatch.setattr(redaction, "_values", frozenset())
    monkeypatch.setattr(redaction, "_pattern", None)


@pytest.fixture(scope="session")
def _ledgers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledgers")
    return (folder / f"{number}.sqlite" for number in itertools.count())


@pytest.fixture(autouse=True)
def _a_ledger_of_its_own(_ledgers, monkeypatch):
    """Count the trials of each test in a file of its own, never in the ledger of the developer's project."""
    monkeypatch.setenv("STA410_LEDGER", str(next(_ledgers)))
