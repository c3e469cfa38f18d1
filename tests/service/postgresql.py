"""A PostgreSQL server that tests start and kill."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.conftest import has_ended


class PostgreSQLServer:
    """A PostgreSQL of its own, run by an unprivileged user as the server demands."""

    def __init__(self, wait_until):
        self._wait_until = wait_until
        self._programs = max(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
        )
        self._as_user = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._as_user:
            shutil.chown(self._folder, "postgres")
        data = str(self._folder / "data")
        made = [self._programs / "initdb", "-D", data, "-A", "trust", "-U", "sta410", "-N"]
        subprocess.run(made, check=True, capture_output=True, cwd="/", **self._as_user)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def url(self, name="postgres"):
        return f"postgresql://sta410:secret-of-tests@127.0.0.1:{self.port}/{name}"  # pragma: allowlist secret

    def start(self):
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder), "-c", "fsync=off"]
        command = [self._programs / "postgres", "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as_user)
        assert self._wait_until(self._answers), (self._folder / "log").read_text()

    def _answers(self):
        asked = [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, capture_output=True, check=False, cwd="/").returncode == 0

    def kill(self):
        """Kill server and backends at once."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        assert all(self._wait_until(lambda pid=pid: has_ended(int(pid))) for pid in children)

    def remove(self):
        self.kill()
        shutil.rmtree(self._folder)

    def make_database(self, name):
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return self.url(name)
