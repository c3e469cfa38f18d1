"""A served project with one run of the chain and a user of each role."""

import shutil
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from sta410kit.service.app import ServiceOptions, create_app

ROLES = ("viewer", "runner", "admin")


@contextmanager
def listening(app):
    """Serve an application in a thread, on a free port; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
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
    app = create_app(project, ServiceOptions(**{"requests": 1_000_000, "schedules": False, **options}))
    with listening(app) as url:
        users = app.state.site.users
        for one in users.all():
            users.revoke(one.name)
        yield Service(app, url, project, {role: users.add(role, role) for role in ROLES})


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
