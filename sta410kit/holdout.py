"""The sealed holdout: data that may not be looked at until that is intended, and the record of who looked.

`HOLDOUT_START` is its first day. Each unsealing is a line in ``holdout.jsonl`` in the project folder, to be
committed like code, and holds for a limited time. Lines are only added. Each has the digest of the line
before, so that a changed or removed line is noticed, except the last, which only git can vouch for.

A holdout that has been looked at is worth less each time: the more often models are chosen after a look, the
more it is training data (Dwork et al., "The reusable holdout", Science 349, 2015).
"""

import hashlib
import json
import os
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from filelock import FileLock

from sta410kit._internal.checkout import git, user_name
from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import redact
from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError

RECORD = "holdout.jsonl"
MOST_HOURS = 7 * 24.0
# Names the commit, with a plus sign if something is not committed.
_COMMIT = ("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+")


@dataclass(frozen=True)
class Unsealing:
    """One line of the record."""

    at: str  # from here, ISO 8601 in UTC,
    until: str  # to here the holdout is open
    who: str
    host: str
    why: str
    commit: str  # git's, with a ``+`` if there were changes
    holdout_start: str  # the first day that was opened
    previous: str  # SHA-256 of the line before; empty in the first

    def open_at(self, moment: datetime) -> bool:
        """Whether this unsealing opens the holdout at `moment`."""
        return datetime.fromisoformat(self.at) <= moment < datetime.fromisoformat(self.until)


@dataclass(frozen=True)
class Seal:
    """The state of a project's holdout."""

    start: date | None  # its first day; None if nothing is sealed
    opened: Unsealing | None = None  # by which it is open now

    @property
    def closed(self) -> bool:
        """Whether days from `start` on may not be loaded now."""
        return self.start is not None and self.opened is None

    @property
    def state(self) -> str:
        """A short text that differs whenever other data can be loaded."""
        if self.start is None:
            return "none"
        return f"{'sealed' if self.closed else 'open'} from {self.start}"


def current_seal(folder: Path | None = None) -> Seal:
    """Return the present state of the holdout.

    Parameters
    ----------
    folder : Path, optional
        A folder in the project whose record counts; defaults to the current one.

    Raises
    ------
    ConfigurationError
        The record was altered.
    """
    start = get_config().model.holdout_start
    if start is None:
        return Seal(None)
    now = datetime.now(UTC)
    # An unsealing opens the holdout that it names; an earlier start is another holdout.
    opened = [
        one
        for one in unsealings(folder)
        if one.open_at(now) and date.fromisoformat(one.holdout_start) <= start
    ]
    return Seal(start, opened[-1] if opened else None)


def unsealings(folder: Path | None = None) -> list[Unsealing]:
    """Return every unsealing on record, oldest first.

    Raises
    ------
    ConfigurationError
        The record cannot be read, or a line was changed, added by hand or taken out.
    """
    return _read(project_folder(folder) / RECORD)[0]


def unseal(why: str, hours: float = 1.0, folder: Path | None = None) -> Unsealing:
    """Open the holdout for some hours, and record that.

    Parameters
    ----------
    why : str
        The question to be answered; it stays on record.
    hours : float
        For how long; above 0 and at most a week.
    folder : Path, optional
        A folder in the project; defaults to the current one.

    Raises
    ------
    ConfigurationError
        Nothing is sealed, the reason is empty, the hours are out of range, or the record cannot be written.
    """
    start, why = get_config().model.holdout_start, redact(" ".join(why.split()))
    if start is None:
        message = (
            "nothing is sealed: HOLDOUT_START is not set. In .env, for example: HOLDOUT_START=2012-01-01"
        )
        raise ConfigurationError(message)
    if not why:
        message = "--why is empty; give the question to be answered, it stays on record"
        raise ConfigurationError(message)
    if not 0 < hours <= MOST_HOURS:
        message = f"--hours is {hours}; takes a number above 0 and at most {MOST_HOURS:g}"
        raise ConfigurationError(message)
    project = project_folder(folder)
    path = project / RECORD
    try:
        with FileLock(path.with_name(f".{path.name}.lock")):
            path.touch()
            _, last = _read(path)
            now = datetime.now(UTC)
            one = Unsealing(
                at=now.isoformat(timespec="milliseconds"),
                until=(now + timedelta(hours=hours)).isoformat(timespec="milliseconds"),
                who=user_name(),
                host=socket.gethostname(),
                why=why,
                commit=(git(project, *_COMMIT) or "").strip(),
                holdout_start=start.isoformat(),
                previous=last,
            )
            _append(path, json.dumps(asdict(one)))
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}); nothing was unsealed."
        raise ConfigurationError(message) from error
    return one


def _append(path: Path, line: str) -> None:
    """Add a line, and return when it is on the disk."""
    before = path.read_bytes()
    missing_end = bool(before) and not before.endswith(b"\n")  # an editor may have removed it
    with path.open("ab") as file:
        file.write((b"\n" if missing_end else b"") + f"{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> tuple[list[Unsealing], str]:
    """Return the lines of a record, and the digest that the next one must hold."""
    try:
        lines = path.read_bytes().splitlines() if path.exists() else []
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); check its owner and permissions."
        raise ConfigurationError(message) from error
    found, before = [], ""
    for number, line in enumerate(lines, 1):
        try:
            one = Unsealing(**json.loads(line))
            lasted = datetime.fromisoformat(one.until) - datetime.fromisoformat(one.at)
            one.open_at(datetime.now(UTC))  # both of its times must be times in UTC
            date.fromisoformat(one.holdout_start)
            # No later line vouches for the last one, but no change of it opens for longer than allowed.
            altered = one.previous != before or not timedelta(0) < lasted <= timedelta(hours=MOST_HOURS)
        except (ValueError, TypeError):
            altered = True
        if altered:
            message = (
                f"{path}, line {number}: the record of unsealings was altered there. Only sta410 unseal adds "
                f"to it; bring it back with: git checkout -- {RECORD}"
            )
            raise ConfigurationError(message)
        found.append(one)
        before = hashlib.sha256(line).hexdigest()
    return found, before
