"""The queue of runs: jobs that people, the API and schedules ask for, and what came of them.

A job is ``queued``, ``running`` or ``finished``; a finished one has an outcome: the name of an exit code,
``CANCELLED`` if it never began, or ``KILLED`` if its process ended without a word.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from sta410kit.exceptions import ConfigurationError
from sta410kit.service.database import Database, jobs

QUEUED, RUNNING, FINISHED = "queued", "running", "finished"
CANCELLED, KILLED = "CANCELLED", "KILLED"


@dataclass(frozen=True)
class Job:
    """One run or sweep that was asked for. Times are seconds since 1970."""

    id: int
    kind: str  # ``run`` or ``sweep``
    # ``notebook`` (a path in the project; none: the chain), ``parameters``, ``grid`` of a sweep, ``fresh``,
    # and the limits ``deadline``, ``timeout`` (seconds) and ``memory`` (bytes)
    request: dict[str, Any]
    schedule: str  # that asked for it; empty for a person
    session: str  # of the schedule
    by: str  # the user who asked for it
    state: str
    created: float
    started: float | None
    finished: float | None
    worker: str  # that executes it, or did
    attempts: int
    cancelled_by: str  # the user who cancelled it
    run: str  # its run folder's name, as soon as there is one
    outcome: str
    exit_code: int | None
    message: str  # why it did not pass

    @property
    def key(self) -> str:
        """Its name in files and manifests; unlike the number, no other database gives the same."""
        return f"{self.id}-{self.created * 1000:.0f}"


@dataclass(frozen=True)
class Ending:
    """How a job ended."""

    outcome: str
    exit_code: int | None = None
    run: str = ""
    message: str = ""


def enqueue(  # noqa: PLR0913 - the fields of a job
    database: Database,
    kind: str,
    request: dict[str, Any],
    *,
    by: str = "",
    schedule: str = "",
    session: str = "",
) -> Job:
    """Put a job into the queue; while a schedule has an unfinished one, return that."""
    values = {"kind": kind, "request": request, "by": by, "schedule": schedule, "session": session}
    try:
        with database.write() as connection:
            statement = sa.insert(jobs).values(**values, state=QUEUED, created=database.now)
            return _job(connection.execute(statement.returning(*_COLUMNS)).one())
    except sa.exc.IntegrityError:
        for found in _jobs(database, _SELECT.where(jobs.c.schedule == schedule, jobs.c.state != FINISHED)):
            return found
    # It has finished in this moment: ask again.
    return enqueue(database, kind, request, by=by, schedule=schedule, session=session)


def find_job(database: Database, number: int) -> Job:
    """Return one job; a `ConfigurationError` says that there is none with this number."""
    for found in _jobs(database, _SELECT.where(jobs.c.id == number)):
        return found
    message = f"there is no job {number}"
    raise ConfigurationError(message)


def list_jobs(
    database: Database, states: Sequence[str] = (), *, limit: int = 100, before: int | None = None
) -> list[Job]:
    """Return jobs, the newest first; those in some `states` only, and only those older than job `before`."""
    statement = _NEWEST.limit(limit)
    if states:
        statement = statement.where(jobs.c.state.in_(states))
    if before is not None:
        statement = statement.where(jobs.c.id < before)
    return _jobs(database, statement)


def job_of_run(database: Database, run: str) -> Job | None:
    """Return the newest job that made a run, if one did."""
    return next(iter(_jobs(database, _NEWEST.where(jobs.c.run == run).limit(1))), None)


def count_jobs(database: Database) -> dict[str, int]:
    """Return how many jobs are queued, running and finished."""
    statement = sa.select(jobs.c.state, sa.func.count().label("number")).group_by(jobs.c.state)
    found = {row.state: row.number for row in database.rows(statement)}
    return {state: found.get(state, 0) for state in (QUEUED, RUNNING, FINISHED)}


def failed_lately(database: Database, schedule: str, session: str, seconds: float) -> bool:
    """Tell whether a job for a session of a schedule has ended within the last `seconds`."""
    same = jobs.c.schedule == schedule, jobs.c.session == session, jobs.c.state == FINISHED
    statement = sa.select(jobs.c.id).where(*same, jobs.c.finished > database.now - seconds).limit(1)
    return bool(database.rows(statement))


def cancel(database: Database, number: int, by: str) -> Job:
    """Cancel a job: a queued one at once, a running one within seconds; a finished one stays as it is."""
    with database.write() as connection:
        one = jobs.c.id == number
        queued = sa.update(jobs).where(one, jobs.c.state == QUEUED)
        why = {"message": f"cancelled by {by} before it began", "cancelled_by": by}
        connection.execute(queued.values(state=FINISHED, outcome=CANCELLED, finished=database.now, **why))
        running = sa.update(jobs).where(one, jobs.c.state == RUNNING, jobs.c.cancelled_by == "")
        connection.execute(running.values(cancelled_by=by))
    return find_job(database, number)


def claim(database: Database, worker: str, store: str) -> Job | None:
    """Take the oldest queued job for a worker, so that no other takes it; nothing when none is queued."""
    oldest = sa.select(jobs.c.id).where(jobs.c.state == QUEUED).order_by(jobs.c.id).limit(1)
    taken: dict[str, Any] = {"state": RUNNING, "worker": worker, "store": store, "run": "", "message": ""}
    with database.write() as connection:
        number = connection.scalar(oldest.with_for_update(skip_locked=True))
        if number is None:
            return None
        statement = sa.update(jobs).where(jobs.c.id == number).values(
            **taken, attempts=jobs.c.attempts + 1, started=database.now, heartbeat=database.now,
        )  # fmt: skip
        return _job(connection.execute(statement.returning(*_COLUMNS)).one())


def held_by(database: Database, worker: str) -> list[Job]:
    """Return the jobs that a worker executes."""
    return _jobs(database, _SELECT.where(jobs.c.worker == worker, jobs.c.state == RUNNING))


def beat(database: Database, worker: str) -> None:
    """Note that a worker is alive."""
    mine = sa.update(jobs).where(jobs.c.worker == worker, jobs.c.state == RUNNING)
    database.change(mine.values(heartbeat=database.now))


def running_elsewhere(
    database: Database, worker: str, store: str, silence: float
) -> tuple[list[Job], list[Job]]:
    """Return running jobs of other workers: over the same run store, and silent for `silence` seconds."""
    others = _SELECT.where(jobs.c.state == RUNNING, jobs.c.worker != worker)
    silent = jobs.c.heartbeat < database.now - silence
    near = others.where(jobs.c.store == store)
    return _jobs(database, near), _jobs(database, others.where(jobs.c.store != store, silent))


def change(database: Database, job: Job, **values: Any) -> bool:  # noqa: ANN401 - values of columns
    """Change a running job, unless another worker has it by now; tell whether it was changed.

    ``change(database, job, worker=me)`` takes it over.
    """
    same = jobs.c.id == job.id, jobs.c.state == RUNNING, jobs.c.worker == job.worker
    unchanged = sa.update(jobs).where(*same, jobs.c.attempts == job.attempts)
    return database.change(unchanged.values(values)) == 1


def requeue(database: Database, job: Job, *, counts: bool = True) -> bool:
    """Put a job whose run did not begin back into the queue; `counts` tells whether it was an attempt."""
    attempts = job.attempts if counts else job.attempts - 1
    return change(database, job, state=QUEUED, worker="", store="", run="", attempts=attempts)


def finish(database: Database, job: Job, ending: Ending) -> bool:
    """Put the end of a job on record."""
    return change(database, job, state=FINISHED, finished=database.now, **asdict(ending))


_COLUMNS = [jobs.c[name] for name in Job.__dataclass_fields__]
_SELECT = sa.select(*_COLUMNS)
_NEWEST = _SELECT.order_by(jobs.c.id.desc())


def _jobs(database: Database, question: sa.Select[Any]) -> list[Job]:
    return [_job(row) for row in database.rows(question)]


def _job(row: sa.Row[Any]) -> Job:
    return Job(**row._mapping)  # noqa: SLF001 - its public name
