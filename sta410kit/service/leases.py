"""The record of schedules in the database: one lease for each schedule and session, shared by all hosts.

The process that runs a night renews its lease while it lives. The lease of a crashed one expires by the clock
of the database, and the next process that asks makes up for the night.
"""

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError, DatabaseError
from sta410kit.runner.schedules import Covered, FileRecord, Record
from sta410kit.service.database import Database, leases, wait_for_database

SECONDS = 120.0  # how long a lease holds without renewal: a database may be restarted within it


def schedule_record(database: Database, project: Path) -> Record:
    """Return the record that `sta410 run --schedule` keeps too, so that cron and the service agree."""
    shared = get_config().service.database_url.get_secret_value()
    return DatabaseRecord(database) if shared else FileRecord(project)


class DatabaseRecord:
    """Which session each schedule has covered, and who runs it now; a `schedules.Record`."""

    def __init__(self, database: Database, seconds: float = SECONDS) -> None:
        self._database, self._seconds = database, seconds
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"

    def covered(self, name: str) -> Covered:
        """Return the newest session that a schedule has covered."""
        passed = leases.c.schedule == name, leases.c.run != ""
        newest = sa.select(leases.c.session, leases.c.run).where(*passed).order_by(leases.c.session.desc())
        found = self._database.rows(newest.limit(1))
        return Covered(*found[0]) if found else Covered()

    @contextmanager
    def lease(self, name: str, session: str) -> Iterator[bool]:
        """Hold a session of a schedule for the length of a run; yields False where another process does.

        When the lease is lost, because the database was away for too long, the run is interrupted: another
        host may begin it.
        """
        if not self._take(name, session):
            yield False
            return
        done = threading.Event()
        renewal = threading.Thread(target=self._keep, args=(name, session, done), daemon=True)
        renewal.start()
        try:
            yield True
        finally:
            done.set()
            renewal.join()
            with suppress(DatabaseError):  # else it expires by itself
                self._set_expiry(name, session, sa.literal(0.0))

    def note_passed(self, name: str, session: str, run: str) -> None:
        """Note that a passed run has covered a session; waits while the database is restarted."""
        if not wait_for_database(self._database, self._seconds):
            message = (
                f"run {run} has passed, but {self._database.shown} does not answer, so that {name} counts as "
                f"not done for {session}; start the database"
            )
            raise ConfigurationError(message)
        values = {"schedule": name, "session": session, "holder": self._holder, "expires": 0, "run": run}
        with self._database.write() as connection:
            insert = self._insert(connection).values(values)
            connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_={"run": run}))

    def _take(self, name: str, session: str) -> bool:
        values = {"schedule": name, "session": session, "holder": self._holder}
        until = self._database.now + self._seconds
        free = leases.c.run == "", leases.c.expires < self._database.now
        with self._database.write() as connection:
            taken = self._insert(connection).values(**values, expires=until).on_conflict_do_update(
                index_elements=_KEY, set_={"holder": self._holder, "expires": until}, where=sa.and_(*free)
            )  # fmt: skip
            return connection.execute(taken.returning(leases.c.holder)).one_or_none() is not None

    def _keep(self, name: str, session: str, done: threading.Event) -> None:
        """Renew the lease until the run is done; interrupt this process when it is lost."""
        renewed = time.monotonic()
        while not done.wait(self._seconds / 6):
            try:
                held = self._set_expiry(name, session, self._database.now + self._seconds)
                renewed = time.monotonic()
            except DatabaseError:
                held = time.monotonic() - renewed < self._seconds * 3 / 4
            if not held:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    def _set_expiry(self, name: str, session: str, moment: sa.ColumnElement[float]) -> bool:
        mine = leases.c.schedule == name, leases.c.session == session, leases.c.holder == self._holder
        return self._database.change(sa.update(leases).where(*mine).values(expires=moment)) == 1

    @staticmethod
    def _insert(connection: sa.Connection) -> postgresql.Insert | sqlite.Insert:
        on_sqlite = connection.dialect.name == "sqlite"
        return sqlite.insert(leases) if on_sqlite else postgresql.insert(leases)


_KEY = ["schedule", "session"]
