"""Schedules: whether a session has closed since the last passed run, by the exchange's calendar.

They are declared in ``schedules.toml`` beside ``notebooks/``. Cron or a systemd timer calls
``sta410 run --schedule NAME`` as often as it likes; the run happens once a session. What is done, and who
runs what, is in a `Record`: files beside the runs, or a table that several hosts share.
"""

from __future__ import annotations

import json
import re
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.calendars import close_of, newest_closed
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.limits import parse_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

FILE = "schedules.toml"
_STATE = "schedules.json"
_NAME = re.compile(r"[^\W_][\w .-]{0,63}")  # it is part of a file's name
_EXAMPLE = """[nightly]
exchange = "XNYS"
after = "30m"
parameters = { source = "alpaca", symbols = "AAPL,KO" }"""


class Schedule(BaseModel):
    """One table of ``schedules.toml``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    exchange: str = "XNYS"  # calendar whose sessions count
    after: float = 1800.0  # seconds from the close until the run is due: vendors publish late
    max_age: float | None = None  # seconds after that in which a missed run is made up for; None: no limit
    parameters: dict[str, Any] = {}  # of the chain

    @field_validator("after", "max_age", mode="before")
    @classmethod
    def _seconds(cls, value: object, info: Any) -> float:  # noqa: ANN401 - pydantic's
        try:
            return parse_seconds(str(value), info.field_name)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error


class Due(NamedTuple):
    """The answer to whether a run is due; ``session`` is the newest one that has closed."""

    session: str
    reason: str
    due: bool = False
    missed: bool = False  # it was covered by no run, and is too old for one


class Covered(NamedTuple):
    """The newest session that a passed run of a schedule has covered; both are empty before the first."""

    session: str = ""
    run: str = ""


class Record(Protocol):
    """What schedules have done, and who runs one now."""

    def covered(self, name: str) -> Covered:
        """Return the newest session that a schedule has covered."""

    def lease(self, name: str, session: str) -> AbstractContextManager[bool]:
        """Hold a session of a schedule for the length of a run; yields False where another process does."""

    def note_passed(self, name: str, session: str, run: str) -> None:
        """Note that a passed run has covered a session."""


class FileRecord:
    """The record of one host: ``runs/schedules.json``, and a lock file for each schedule."""

    def __init__(self, project: Path) -> None:
        self._runs = project / "runs"

    def covered(self, name: str) -> Covered:
        """Return the newest session that a schedule has covered."""
        try:
            return Covered(**self._read()[name])
        except (KeyError, TypeError):
            return Covered()

    @contextmanager
    def lease(self, name: str, session: str) -> Iterator[bool]:
        """Hold a schedule for the length of a run; yields False where another process holds it."""
        del session
        self._runs.mkdir(exist_ok=True)
        lock = FileLock(self._runs / f".schedule-{name}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def note_passed(self, name: str, session: str, run: str) -> None:
        """Note that a passed run has covered a session."""
        self._runs.mkdir(exist_ok=True)
        state = self._read() | {name: {"session": session, "run": run}}
        write_text(self._runs / _STATE, json.dumps(state, indent=1) + "\n")

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            state: dict[str, dict[str, str]] = json.loads((self._runs / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # the next passed run writes it anew
        return state if isinstance(state, dict) else {}


def read_schedule(project: Path, name: str = "") -> tuple[str, Schedule]:
    """Return a schedule with its name; without a name the only one there is.

    Raises
    ------
    ConfigurationError
        There is no such schedule, or the file cannot be read.
    """
    tables = _read_tables(project)
    if not name and len(tables) == 1:
        (name,) = tables
    if name not in tables:
        asked = f"no schedule '{name}'.{did_you_mean(name, tables)}" if name else "Name one of its schedules."
        message = f"{project / FILE}: {asked} It declares: {', '.join(tables) or 'none'}"
        raise ConfigurationError(message)
    return name, _checked(project, name, tables[name])


def read_schedules(project: Path) -> dict[str, Schedule]:
    """Return all schedules by name; errors as `read_schedule`."""
    return {name: _checked(project, name, table) for name, table in _read_tables(project).items()}


def _read_tables(project: Path) -> dict[str, Any]:
    path = project / FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"there is no {path}; it declares schedules like this:\n{_EXAMPLE}"
        raise ConfigurationError(message) from None
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise ConfigurationError(message) from error


def _checked(project: Path, name: str, table: object) -> Schedule:
    if not _NAME.fullmatch(name):
        rule = "up to 64 letters, digits, spaces and . _ -, a letter or digit first"
        message = f"{project / FILE}: {name[:80]!r} is no name of a schedule: {rule}"
        raise ConfigurationError(message)
    try:
        return Schedule.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place, why = ".".join(map(str, (name, *first["loc"]))), first["msg"].removeprefix("Value error, ")
        message = f"{project / FILE}: {place}: {why}"
        raise ConfigurationError(message) from error


def due(record: Record, name: str, schedule: Schedule, moment: datetime | None = None) -> Due:
    """Return whether a session has closed since the last passed run of a schedule.

    Parameters
    ----------
    record : Record
        What has been done.
    name, schedule : str, Schedule
        From `read_schedule`.
    moment : datetime, optional
        The time to answer for, with a time zone; now by default.
    """
    now = moment or datetime.now(UTC)
    ready = now - timedelta(seconds=schedule.after)
    session = f"{newest_closed(schedule.exchange, ready)}"
    done = record.covered(name)
    if done.session >= session:
        return Due(session, f"{session} is done by run {done.run}")
    closed = close_of(schedule.exchange, session)
    if schedule.max_age is not None and ready - closed > timedelta(seconds=schedule.max_age):
        return Due(session, f"{session} was missed: it closed {_hours(now - closed)} h ago", missed=True)
    before = f", the last run was for {done.session}" if done.session else ""
    return Due(session, f"{session} closed {_hours(now - closed)} h ago{before}", due=True)


@contextmanager
def turn(record: Record, name: str, schedule: Schedule) -> Iterator[Due]:
    """Give the answer of `due`; while the block runs, no other process gets the same session."""
    moment = datetime.now(UTC)
    answer = due(record, name, schedule, moment)
    if not answer.due:
        yield answer
        return
    with record.lease(name, answer.session) as free:
        if free:
            yield due(record, name, schedule, moment)  # it may have passed in between
        else:
            yield Due(answer.session, "another process runs it")


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f}"
