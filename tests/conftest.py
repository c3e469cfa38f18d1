"""Fixtures of all tests: a clean environment, commands in-process, and one shared run of the chain."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import hypothesis
import nbformat
import pytest
from filelock import FileLock

from sta410kit import config
from sta410kit._internal import redaction
from sta410kit.config import all_settings

ROOT = Path(__file__).parents[1]
PATIENCE = 120  # seconds; long enough for the slowest and busiest machine

# `make test-nightly` sets it, for ten times the examples and the full form of soak, kill and load tests.
PROFILE = os.environ.get("TEST_PROFILE", "default")

# No deadline: how long an example takes says how busy the machine is.
for name, examples in {"default": 20, "nightly": 200}.items():
    hypothesis.settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[
            hypothesis.HealthCheck.too_slow,
            hypothesis.HealthCheck.function_scoped_fixture,
        ],
    )
hypothesis.settings.load_profile(PROFILE)


@pytest.fixture(scope="session")
def nightly():
    """Tell whether soak, kill and load tests run in their full form."""
    return PROFILE == "nightly"


def wait_for(condition):
    """Wait until a condition holds; return whether it does in the end."""
    deadline = time.monotonic() + PATIENCE
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(holds)


def has_ended(pid):
    """Tell whether a process has ended, also as a zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except FileNotFoundError:  # it has just ended, or this system has no /proc
        return False


@pytest.fixture
def wait_until():
    """Give the function that waits until a condition holds and returns whether it does."""
    return wait_for


@pytest.fixture
def gone():
    """Give the function that waits until a process has ended and returns whether it has."""
    return lambda pid: wait_for(lambda: has_ended(pid))


def need_program(name):
    """Skip a test where a program is absent; fail it where CI installs it."""
    if shutil.which(name) is None:
        assert "CI" not in os.environ, f"{name} is missing: .ci/run installs it"
        pytest.skip(f"{name} is not installed")


@pytest.fixture
def redis(tmp_path, wait_until, need):
    """Start a Redis."""
    need("redis-server")
    from tests.redis_server import RedisServer

    server = RedisServer(tmp_path, wait_until)
    yield server
    server.kill()


@pytest.fixture
def need():
    """Give the function that skips a test where a program is absent, and fails it in CI."""
    return need_program


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer():
    """Remove the kit's settings from the environment: an exported one must not change a result."""
    with pytest.MonkeyPatch.context() as environment:
        for one in all_settings():
            environment.delenv(one.variable, raising=False)
            environment.delenv(f"{one.variable}_FILE", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _fork_servers_of_these_tests_only():
    """Give each worker its own fork servers and IPython history, and stop the servers at the end."""
    folder = Path(tempfile.mkdtemp(prefix="st-"))  # short: it holds sockets
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(folder))
        environment.setenv("IPYTHONDIR", str(folder / "ipython"))
        yield
    for path in folder.rglob("*.sock"):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b'{"ask":"status"}\n{"ask":"stop"}\n')
            with connection.makefile() as answers:
                server = json.loads(answers.readline() or "{}").get("pid", 0)
            wait_for(lambda server=server: has_ended(server))  # coverage data is written at exit
    shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """Restore Ctrl-C, which a shell disables in background jobs and child processes inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def short_folder():
    """Give a folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="st-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)  # a server that is ending may delete files too


@pytest.fixture(autouse=True)
def _no_secret_of_another_test(monkeypatch):
    """Forget secrets that other tests registered: they would be redacted here too."""
    monkeypatch.setattr(redaction, "_forms", {})
    monkeypatch.setattr(redaction, "_clean", set())


@pytest.fixture(autouse=True)
def _no_configuration_of_another_test(monkeypatch):
    """Forget the configuration that another test has loaded."""
    monkeypatch.setattr(config, "_current", None)


@pytest.fixture
def typed(monkeypatch, capsys):
    """Give the function that runs a command in a folder and returns what `subprocess.run` would.

    It calls the command line's main function in this process, where everything is imported already; `env` is
    set for the rest of the test.
    """
    from sta410kit.cli import entry

    # What changes the whole process.
    monkeypatch.setattr(entry, "signal", Mock())
    monkeypatch.setattr(entry, "keep_writing", lambda: str)  # nothing is refused
    monkeypatch.setattr(entry, "_skip_slow_grammars", lambda: None)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words, cwd, env=None):
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(cwd)
        monkeypatch.setattr("sys.argv", ["sta410", *map(str, words)])
        with pytest.raises(SystemExit) as ending:
            entry.main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, int(ending.value.code), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def _ledgers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledgers")
    return (folder / f"{number}.sqlite" for number in itertools.count())


@pytest.fixture(autouse=True)
def _a_ledger_of_its_own(_ledgers, monkeypatch):
    """Give each test its own trials ledger, never that of the developer's project."""
    monkeypatch.setenv("STA410_LEDGER", str(next(_ledgers)))


# Appended to each notebook of `first_run`: what the step leaves, as it sees it when its last cell has run.
DIGESTS = """import hashlib
from pathlib import Path

for file in Path(run_dir).iterdir():
    if file.suffix in {".parquet", ".skops", ".json"} and file.name != "manifest.json":
        record = Path(PROJECT, "digests", file.name)
        if not record.exists():
            record.write_text(hashlib.sha256(file.read_bytes()).hexdigest())
"""


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """Run the chain once in a copy of this project, as a newcomer does; all workers read the one run.

    A `subprocess.CompletedProcess` whose `cwd` is the project and whose `run` is the run's folder.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, output = shared / "first-run", shared / "first-run.json"
    with FileLock(shared / "first-run.lock"):
        if not output.exists():
            for name in ("notebooks", "expectations"):
                shutil.copytree(
                    ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
                )
            (folder / "digests").mkdir()
            for path in (folder / "notebooks").glob("*.ipynb"):
                notebook = nbformat.read(path, as_version=4)
                source = DIGESTS.replace("PROJECT", repr(str(folder)))
                notebook.cells.append(nbformat.v4.new_code_cell(source))
                nbformat.write(notebook, path)
            done = subprocess.run(
                [sys.executable, "-m", "sta410kit", "run"],
                cwd=folder, env={**os.environ, "COLUMNS": "100"}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            output.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    done = subprocess.CompletedProcess("sta410 run", *json.loads(output.read_text()))
    done.cwd = folder
    done.run = next((folder / "runs").glob("2*"), None)
    return done


@pytest.fixture
def registered():
    """Remove the features and expectations that a test registers."""
    from sta410kit.guards.expectations import EXPECTATIONS
    from sta410kit.research.features import registry

    before, expectations = set(registry.FEATURES), set(EXPECTATIONS)
    yield
    for name in set(EXPECTATIONS) - expectations:
        del EXPECTATIONS[name]
    for name in set(registry.FEATURES) - before:
        del registry.FEATURES[name]
        registry._ON_DEMAND.discard(name)
