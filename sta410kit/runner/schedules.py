"""Schedules: whether a session has closed since the last passed run, by the exchange's calendar.

They are declared in ``schedules.toml`` beside ``notebooks/``. Cron or a systemd timer calls
``sta410 run --schedule NAME`` as often as it likes; the run happens once a session.
"""

from __future__ import annotations

import json
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.calendars import close_of, newest_closed
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.limits import parse_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "schedules.toml"
_STATE = "schedules.json"
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


def read_schedule(project: Path, name: str = "") -> tuple[str, Schedule]:
    """Return a schedule with its name; without a name the only one there is.

    Raises
    ------
    ConfigurationError
        There is no such schedule, or the file cannot be read.
    """
    path = project / FILE
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"there is no {path}; it declares schedules like this:\n{_EXAMPLE}"
        raise ConfigurationError(message) from None
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise ConfigurationError(message) from error
    if not name and len(tables) == 1:
        (name,) = tables
    if name not in tables:
        asked = f"no schedule '{name}'.{did_you_mean(name, tables)}" if name else "Name one of its schedules."
        message = f"{path}: {asked} It declares: {', '.join(tables) or 'none'}"
        raise ConfigurationError(message)
    try:
        return name, Schedule.model_validate(tables[name])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place, why = ".".join(map(str, (name, *first["loc"]))), first["msg"].removeprefix("Value error, ")
        message = f"{path}: {place}: {why}"
        raise ConfigurationError(message) from error


def due(project: Path, name: str, schedule: Schedule, moment: datetime | None = None) -> Due:
    """Return whether a session has closed since the last passed run of a schedule.

    Parameters
    ----------
    project : Path
        The project's folder.
    name, schedule : str, Schedule
        From `read_schedule`.
    moment : datetime, optional
        The time to answer for, with a time zone; now by default.
    """
    now = moment or datetime.now(UTC)
    ready = now - timedelta(seconds=schedule.after)
    session = f"{newest_closed(schedule.exchange, ready)}"
    done = _read_state(project).get(name, {})
    if done.get("session", "") >= session:
        return Due(session, f"{session} is done by run {done.get('run')}")
    closed = close_of(schedule.exchange, session)
    if schedule.max_age is not None and ready - closed > timedelta(seconds=schedule.max_age):
        return Due(session, f"{session} was missed: it closed {_hours(now - closed)} h ago")
    before = f", the last run was for {done['session']}" if done else ""
    return Due(session, f"{session} closed {_hours(now - closed)} h ago{before}", due=True)


def note_passed(project: Path, name: str, session: str, run: str) -> None:
    """Note that a passed run has covered a session."""
    state = _read_state(project) | {name: {"session": session, "run": run}}
    (project / "runs").mkdir(exist_ok=True)
    write_text(project / "runs" / _STATE, json.dumps(state, indent=1) + "\n")


@contextmanager
def lease(project: Path, name: str) -> Iterator[bool]:
    """Hold a schedule for the length of a run; yields False where another process holds it."""
    (project / "runs").mkdir(exist_ok=True)
    lock = FileLock(project / "runs" / f".schedule-{name}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f}"


def _read_state(project: Path) -> dict[str, dict[str, str]]:
    try:
        state: dict[str, dict[str, str]] = json.loads((project / "runs" / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the next passed run writes it anew
    return state if isinstance(state, dict) else {}
