"""A served project with one run of the chain and a user of each role; registries on both databases."""

import os
import shutil
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import nbformat
import pytest
import uvicorn
from fastapi import FastAPI
from nbformat.v4 import new_code_cell, new_notebook

from sta410kit import config
from sta410kit.config import Config, ServiceConfig
from sta410kit.service.app import ServiceOptions, create_app
from sta410kit.service.database import open_database
from sta410kit.service.limits import Limits
from tests.conftest import ROOT, wait_for
from tests.service.postgresql import PostgreSQLServer

ROLES = ("viewer", "runner", "admin")
_DEFAULTS = {"requests": 1_000_000, "schedules": False, "concurrency": 0}  # jobs stay in the queue


@contextmanager
def listening(app):
    """Serve an application in a thread, on a free port; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_keep_alive=120
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.site.stopping.set()
            server.should_exit = True
            thread.join()


@dataclass
class Service:
    """A served project."""

    app: FastAPI
    url: str
    project: Path
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, role="", **headers):
        """Return a client with the token of the user who has this role, or with none."""
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


@contextmanager
def serving(project, **options):
    """Serve a project; the current folder has to be in it."""
    app = create_app(project, ServiceOptions(**{**_DEFAULTS, **options}))
    if "requests" not in options:
        object.__setattr__(app.state.site, "limits", Limits(1_000_000, failures=1_000_000))
    with listening(app) as url:
        users = app.state.site.users
        for one in users.all():
            users.revoke(one.name)
        roles = () if options.get("local") else ROLES  # hashing takes its time
        yield Service(app, url, project, {role: users.add(role, role) for role in roles})


@pytest.fixture
def serve_project():
    """Give the function that serves a project with options of `ServiceOptions`."""
    return serving


@pytest.fixture(scope="session")
def served_project(first_run, tmp_path_factory):
    """Copy the project with the one run of the chain that all tests share."""
    folder = tmp_path_factory.mktemp("served") / "project"
    shutil.copytree(first_run.cwd, folder)
    return folder


@pytest.fixture
def bare_project(tmp_path, monkeypatch):
    """Copy the project without a run, and change into it."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def _service(served_project):
    with pytest.MonkeyPatch.context() as process:
        process.chdir(served_project)
        with serving(served_project) as found:
            yield found


@pytest.fixture
def service(_service, monkeypatch):
    """Give the one service that tests share."""
    monkeypatch.chdir(_service.project)
    return _service


@pytest.fixture
def run(service):
    """Give the id of the project's first run of the chain."""
    return min(path.name for path in (service.project / "runs").glob("2*"))


@pytest.fixture(scope="session")
def _postgresql():
    """Start a PostgreSQL for the tests of this process."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        assert "CI" not in os.environ, "PostgreSQL is missing: .ci/run installs it"
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = PostgreSQLServer(wait_for)
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request, tmp_path):
    """Give the address of an empty registry, on SQLite; in slow forms of the tests on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'registry' / 'service.sqlite'}"
    server = request.getfixturevalue("_postgresql")
    return server.make_database(f"test_{os.urandom(6).hex()}")


@pytest.fixture
def use_database():
    """Give the function that sets ``DATABASE_URL`` for this process."""
    return lambda url: config.set_config(Config(service=ServiceConfig(database_url=url)))


@pytest.fixture
def opened(tmp_path, use_database):
    """Give the function that opens a registry, and close them all in the end."""
    found = []

    def open_it(url):
        use_database(url)
        found.append(open_database(tmp_path))
        return found[-1]

    yield open_it
    for database in found:
        database.close()


@pytest.fixture
def database(database_url, opened):
    """Open an empty registry."""
    return opened(database_url)


def save(path, *sources):
    """Write a notebook whose first cell declares parameters."""
    cells = [new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), path)


@pytest.fixture
def cheap_project(tmp_path):
    """Make a project: a chain of one step that writes a number, and a notebook that waits for a file."""
    project = tmp_path / "project"
    save(
        project / "notebooks" / "one.ipynb",
        "start: int = 2\nrun_dir: str | None = None",
        "from pathlib import Path\nPath(run_dir, 'number.txt').write_text(str(start))",
    )
    save(
        project / "notebooks" / "wait.ipynb",
        "number: int = 0\nseconds: float = 60.0",
        "import time\nwith open('executions.txt', 'a') as file:\n    print(number, file=file)",
        "time.sleep(seconds)",
    )
    (project / "notebooks" / "pipeline.toml").write_text(
        '[[step]]\nnotebook = "one.ipynb"\nproduces = { number = "number.txt" }\n'
    )
    return project
