"""Progress as server-sent events, from what runs write into their folders."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi.sse import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.listing import look_at
from sta410kit.runner.manifest import RUNNING, StepRecord, read_manifest
from sta410kit.runner.run_log import NAME as LOG
from sta410kit.service import queue
from sta410kit.service.models import Job
from sta410kit.service.site import Site

_EVERY = 0.5  # seconds between two looks
_TOLD = ("outcome", "seconds", "message")  # of a step
_BEGINS = re.compile(r"^\S+ (\S+): begins$", re.MULTILINE)


async def progress(site: Site, folder: Path) -> AsyncIterator[ServerSentEvent]:
    """Yield an event ``step`` each time a step begins or ends, and ``end`` with the run's row."""
    known: dict[str, dict[str, Any]] = {}
    while not site.stopping.is_set():
        row, steps = await run_in_threadpool(_look, site, folder)
        for name, step in steps.items():
            if known.get(name) != step:
                known[name] = step
                yield ServerSentEvent(event="step", data=step)
        if row["outcome"] != RUNNING:
            yield ServerSentEvent(event="end", data=row)
            return
        await asyncio.sleep(_EVERY)


async def job_progress(site: Site, number: int) -> AsyncIterator[ServerSentEvent]:
    """Yield an event ``job`` whenever a job's state or run changes, its run's steps, and ``end``."""
    before, followed = None, ""
    while not site.stopping.is_set():
        job = await run_in_threadpool(queue.find_job, site.database, number)
        if (job.state, job.run) != before:
            before = job.state, job.run
            yield ServerSentEvent(event="job", data=Job.of(job).model_dump(mode="json"))
        if job.state == queue.FINISHED:
            yield ServerSentEvent(event="end", data=Job.of(job).model_dump(mode="json"))
            return
        if job.run != followed and (site.runs / job.run).is_dir():
            followed = job.run
            async for event in progress(site, site.runs / job.run):
                if event.event == "step":
                    yield event
        await asyncio.sleep(_EVERY)


def _look(site: Site, folder: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the row of a run, and its steps so far: those that have ended, and those that have begun."""
    row = look_at(folder, site.index).to_dict()
    steps: dict[str, dict[str, Any]] = {}
    try:
        begun = _BEGINS.findall((folder / LOG).read_text(encoding="utf-8", errors="replace"))
        records = read_manifest(folder).steps
    except (OSError, ConfigurationError):  # it has just begun, or is of another kind
        return row, steps
    if row["outcome"] == RUNNING:
        records = [*(StepRecord(name, RUNNING) for name in begun), *records]
    for one in records:
        steps[one.name] = {"step": one.name, **{name: getattr(one, name) for name in _TOLD}}
    return row, steps
