"""A circuit breaker that all processes of a user share."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from sta410kit.exceptions import APIError

THRESHOLD = 8  # failures in a row that open a breaker
_TABLE = "CREATE TABLE IF NOT EXISTS breaker (name TEXT PRIMARY KEY, failures INTEGER, next_attempt REAL)"
_COUNT = (
    "INSERT INTO breaker VALUES (:name, 1, :next) "
    "ON CONFLICT (name) DO UPDATE SET failures = failures + 1, next_attempt = :next"
)


def state_folder() -> Path:
    """Return the folder of what the processes of this user share, made if needed.

    It is ``sta410kit`` in the user's cache folder, the same for a terminal and a nightly job, or among the
    temporary files where there is no home to write to.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    for folder in (Path(cache) / "sta410kit", Path(tempfile.gettempdir()) / f"sta410kit-{os.getuid()}"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    message = f"No folder for rate limits can be written to: not {cache}, not {tempfile.gettempdir()}."
    raise APIError(message)


def failures_in_a_row(folder: Path | None = None) -> dict[str, int]:
    """Return the failures since its last success of each service that has some."""
    file = (folder or state_folder()) / "breaker.sqlite"
    if not file.is_file():
        return {}
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
        try:
            return dict(database.execute("SELECT name, failures FROM breaker ORDER BY name").fetchall())
        except sqlite3.OperationalError:  # its table is about to be made
            return {}


class CircuitBreaker:
    """Stop asking a service that fails time after time, and let one process at a time probe it.

    Closed, it lets everything pass. After `threshold` failures in a row, over all processes, it opens: each
    request is refused at once. When `cool_down` is over, one request passes as a probe; its success closes
    the breaker, its failure keeps it open for another `cool_down`. A probe whose process was killed counts
    as failed after `lease`.

    Parameters
    ----------
    name : str
        The service: processes that use the same name share one state.
    folder : Path, optional
        Where the state is kept; see `state_folder`.
    threshold : int
        Failures in a row that open it.
    cool_down, lease : float
        Seconds.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None = None,
        threshold: int = THRESHOLD,
        cool_down: float = 30.0,
        lease: float = 180.0,
    ) -> None:
        self.name, self.threshold, self.cool_down, self.lease = name, threshold, cool_down, lease
        self._file = (folder or state_folder()) / "breaker.sqlite"

    def check(self) -> None:
        """Return if a request may be sent; raise `APIError` while the breaker is open."""
        now = time.time()
        with closing(self._connect()) as database:
            database.execute("BEGIN IMMEDIATE")  # from reading to claiming the probe, one process at a time
            failures, next_attempt = self._state(database)
            wait = next_attempt - now
            # A wait longer than any that is ever set means that the clock was put back.
            due = wait <= 0 or wait > max(self.cool_down, self.lease)
            if failures >= self.threshold and due:
                claim = "UPDATE breaker SET next_attempt = ? WHERE name = ?"
                database.execute(claim, (now + self.lease, self.name))
            database.execute("COMMIT")
        if failures >= self.threshold and not due:
            message = (
                f"{self.name} has failed {failures} times in a row and is not asked again for {wait:.0f} s; "
                "see its status page, or wait."
            )
            raise APIError(message)

    def record(self, *, success: bool) -> None:
        """Record how a request that `check` let pass has ended."""
        with closing(self._connect()) as database:
            if not success:
                database.execute(_COUNT, {"name": self.name, "next": time.time() + self.cool_down})
            elif self._state(database)[0]:  # in fair weather nothing is written
                database.execute("DELETE FROM breaker WHERE name = ?", (self.name,))

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=30, isolation_level=None)
        database.execute(_TABLE)
        return database

    def _state(self, database: sqlite3.Connection) -> tuple[int, float]:
        found = "SELECT failures, next_attempt FROM breaker WHERE name = ?"
        return database.execute(found, (self.name,)).fetchone() or (0, 0.0)
