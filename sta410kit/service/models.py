"""What the API answers with."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from sta410kit.service import queue

JobNumber = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[17])]


class Job(BaseModel):
    """A run or sweep that was asked for."""

    id: int = Field(examples=[17])
    kind: str = Field(examples=["run"], description="run or sweep")
    request: dict[str, Any] = Field(
        examples=[{"notebook": "", "parameters": {"model": "naive"}, "fresh": False}]
    )
    state: str = Field(examples=["queued"], description="queued, running or finished")
    outcome: str = Field(examples=[""], description="Name of an exit code, CANCELLED or KILLED; empty before")
    exit_code: int | None = Field(examples=[None])
    message: str = Field(examples=[""], description="Why it did not pass")
    run: str = Field(examples=[""], description="Id of its run, as soon as there is one")
    by: str = Field(examples=["anna"])
    schedule: str = Field(examples=[""])
    created: datetime
    started: datetime | None
    finished: datetime | None

    @classmethod
    def of(cls, job: queue.Job) -> Self:
        """Return a job of the queue as the API shows it."""
        return cls.model_validate(job, from_attributes=True)


class Run(BaseModel):
    """A run in a list; numbers are null where a run has none."""

    run: str = Field(examples=["20261127-213000-123ab"])
    kind: str = Field(examples=["chain"], description="chain, notebook, sweep, validate or unknown")
    title: str = Field(examples=[""], description="The notebook, unless it is a chain")
    started: datetime
    outcome: str = Field(
        examples=["PASSED"],
        description="Name of an exit code, RUNNING, KILLED or UNREADABLE; empty if it has none",
    )
    seconds: float | None = Field(examples=[12.4])
    steps: int = Field(examples=[6])
    reused: int = Field(examples=[0], description="Steps whose results were taken from earlier runs")
    model: str = Field(examples=["ridge"])
    verdict: str = Field(examples=["no skill"])
    r2: float | None = Field(examples=[0.0012], description="R² against the forecast of no change")
    rank_ic: float | None = Field(examples=[0.013])
    sharpe: float | None = Field(examples=[0.41], description="Annualised, after costs")
    trials: float | None = Field(examples=[3], description="Forecasts tried on the same data")
    scores: dict[str, Any]
    data: dict[str, Any] = Field(
        examples=[{"symbols": ["AAPL"], "first": "2005-01-03", "last": "2026-11-27", "rows": 5513}]
    )
    parameters: dict[str, Any] = Field(examples=[{"model": "ridge"}])


class Runs(BaseModel):
    """One page of a list of runs."""

    items: list[Run]
    total: int = Field(examples=[1], description="How many there are on all pages")
    limit: int
    offset: int


class RunDetails(Run):
    """Everything that is known of a run; further fields are those of its manifest."""

    model_config = ConfigDict(extra="allow")

    step_records: list[dict[str, Any]] = Field(description="How each step ended, with what it recorded")
    not_run: list[str] = []
    warnings: list[str] = []
    gates: list[dict[str, Any]] = Field(default=[], description="What each gate found, see /validations")


class File(BaseModel):
    """A file of a run."""

    name: str = Field(examples=["forecasts.parquet"])
    size: int = Field(examples=[4096], description="Bytes")
    modified: datetime


class Stored(BaseModel):
    """What is stored of one symbol of one source."""

    source: str = Field(examples=["alpaca"])
    symbol: str = Field(examples=["AAPL"])
    first: str = Field(examples=["2016-01-04"], description="First session")
    last: str = Field(examples=["2026-11-27"], description="Last session")
    bars: int = Field(examples=[2742])
    behind: int = Field(examples=[0], description="Sessions that have closed since the last one")
    held: int = Field(examples=[0], description="Revised rows that the gate has not accepted")


class User(BaseModel):
    """A user of the service."""

    name: str = Field(examples=["anna"])
    role: str = Field(examples=["viewer"], description="viewer, runner or admin")
    created: datetime
    last_used: datetime | None = Field(description="When the token was last used, to the minute")
