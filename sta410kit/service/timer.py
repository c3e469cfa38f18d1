"""The timer: puts runs of ``schedules.toml`` into the queue once their session has closed.

It asks the question of ``sta410 due`` twice a minute. So a restart, a suspended machine or a clock that was
set loses no night: what has been missed is made up for within `max_age`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from loguru import logger

from sta410kit.exceptions import ConfigurationError, DatabaseError
from sta410kit.runner.alerts import report_missed
from sta410kit.runner.schedules import FILE, Schedule, due, read_schedules
from sta410kit.service.database import Database
from sta410kit.service.leases import schedule_record
from sta410kit.service.queue import enqueue, failed_lately

_ASK = 30.0  # seconds between two questions
RETRY = 900.0  # seconds from the end of a run that did not pass until the session is tried again


class Timer:
    """Asks in a thread of its own whether a schedule is due."""

    def __init__(self, database: Database, project: Path) -> None:
        self._database, self._project = database, project
        self._record = schedule_record(database, project)
        self._schedules: dict[str, Schedule] = {}
        self._stamp: tuple[int, int] | None = None  # of the file that they were read from
        self._missed: dict[str, str] = {}  # the session that an alert was sent for
        self._said: dict[str, str] = {}  # what was wrong at the last question
        # One question that comes late stands for all that were missed.
        late = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=late)

    def start(self) -> None:
        """Begin to ask; the first time at once."""
        self._scheduler.add_job(self.ask, "interval", seconds=_ASK, next_run_time=datetime.now(UTC))
        self._scheduler.start()

    def stop(self) -> None:
        """End, after a question that is being asked."""
        self._scheduler.shutdown()

    def ask(self, moment: datetime | None = None) -> None:
        """Put each schedule into the queue that is due; one that cannot be asked for holds up no other."""
        with self._warning(FILE):
            self._read()
        for name, schedule in self._schedules.items():
            with self._warning(name):
                answer = due(self._record, name, schedule, moment)
                if answer.due and not failed_lately(self._database, name, answer.session, RETRY):
                    enqueue(self._database, "run", {}, schedule=name, session=answer.session)
                if answer.missed and self._missed.get(name) != answer.session:
                    self._missed[name] = answer.session
                    report_missed(self._project, name, answer)

    @contextmanager
    def _warning(self, about: str) -> Iterator[None]:
        """Log what is wrong, once until it changes."""
        try:
            yield
            self._said.pop(about, None)
        except (ConfigurationError, DatabaseError, OSError) as error:
            if self._said.get(about) != str(error):
                logger.warning("schedules: {}: {}", about, error)
            self._said[about] = str(error)

    def _read(self) -> None:
        """Read the declarations when their file has changed; a broken file leaves them as they were."""
        try:
            found = (self._project / FILE).stat()
        except FileNotFoundError:
            self._schedules, self._stamp = {}, None
            return
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._schedules = read_schedules(self._project)
            self._stamp = stamp
