"""Where the time and memory of a run went, by step and by cell."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sta410kit.runner.listing import format_seconds
from sta410kit.runner.manifest import Manifest, StepRecord, read_manifest
from sta410kit.runner.terminal import say, show_table

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 12  # cells in the terminal
_CODE = 60  # characters of a cell's code
_MIB = 1024**2


@dataclass(frozen=True)
class CellProfile:
    """One code cell that was executed."""

    step: str
    number: int  # its execution count
    code: str  # its first line
    seconds: float
    # Most memory of its process in bytes by the end of the cell, and by how much the cell raised it; None
    # where it is not known, as on systems without /proc and in ordinary kernels.
    peak_memory: int | None = None
    added_memory: int | None = None


@dataclass(frozen=True)
class StepProfile:
    """One step."""

    name: str
    seconds: float  # how long its execution took; of a reused step in the run that executed it
    cells_seconds: (
        float  # of which in its cells; the rest starts the process, and saves and judges the notebook
    )
    peak_memory: int  # bytes; 0 where unknown
    reused: str  # the run its result was taken from


@dataclass(frozen=True)
class Profile:
    """Where the time and memory of a run went."""

    run: str
    seconds: float | None  # None while it runs
    between: float | None  # seconds in which no step ran: planning, digests, report
    peak_memory: int  # bytes, of the largest step
    steps: tuple[StepProfile, ...]
    cells: tuple[CellProfile, ...]  # the slowest first; of steps that this run executed

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def profile_run(folder: Path) -> Profile:
    """Return the profile of the run in `folder`.

    Raises
    ------
    ConfigurationError
        Its manifest cannot be read.
    """
    manifest = read_manifest(folder)
    steps, cells = [], []
    for step in manifest.steps:
        found = [] if step.reused else _cells(folder / step.notebook, step.name)
        inside = sum(cell.seconds for cell in found)
        steps.append(StepProfile(step.name, step.seconds, round(inside, 3), step.peak_memory, step.reused))
        cells += found
    cells.sort(key=lambda cell: -cell.seconds)
    peak = max((step.peak_memory for step in steps if not step.reused), default=0)
    return Profile(manifest.run, manifest.seconds, _between(manifest), peak, tuple(steps), tuple(cells))


def _between(manifest: Manifest) -> float | None:
    """Return the seconds of a run in which no step ran; steps run in parallel."""
    if manifest.seconds is None:
        return None
    spans = sorted(map(_span, (step for step in manifest.steps if step.started and not step.reused)))
    covered, until = timedelta(), datetime.fromisoformat(manifest.started)
    for begin, end in spans:
        covered += max(timedelta(), end - max(begin, until))
        until = max(until, end)
    return round(max(0.0, manifest.seconds - covered.total_seconds()), 3)


def _span(step: StepRecord) -> tuple[datetime, datetime]:
    begin = datetime.fromisoformat(step.started)
    return begin, begin + timedelta(seconds=step.seconds)


def _cells(notebook: Path, step: str) -> list[CellProfile]:
    """Return the executed code cells of a notebook, in order; none if it was not saved."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return []
    found: list[CellProfile] = []
    for cell in cells:
        notes = cell.get("metadata", {}).get("papermill", {})
        if cell["cell_type"] != "code" or not cell.get("execution_count") or not notes.get("duration"):
            continue
        lines = (line.strip() for line in "".join(cell["source"]).splitlines())
        code = next((line for line in lines if line and not line.startswith(("#", "import ", "from "))), "")
        number = cell["execution_count"]
        found.append(CellProfile(step, number, code[:_CODE], notes["duration"], notes.get("peak_memory")))
        before = next((one.peak_memory for one in reversed(found[:-1]) if one.peak_memory), None)
        if found[-1].peak_memory and before:
            found[-1] = replace(found[-1], added_memory=found[-1].peak_memory - before)
    return found


def print_profile(profile: Profile) -> None:
    """Print steps, then the slowest cells."""
    whole = f"took {format_seconds(profile.seconds)}" if profile.seconds is not None else "has not ended"
    between = (
        f", {format_seconds(profile.between)} of it between steps" if profile.between is not None else ""
    )
    say(f"run {profile.run} {whole}{between}; largest step {_mib(profile.peak_memory) or '?'} MiB", "bold")
    steps = [
        (step.name, f"unchanged since {step.reused}", "", "")
        if step.reused
        else (step.name, f"{step.seconds:.2f}", f"{step.cells_seconds:.2f}", _mib(step.peak_memory))
        for step in profile.steps
    ]
    columns = ("step", "seconds", "in cells", "peak MiB")
    show_table(columns, steps, title="steps", right=columns[1:])
    if not profile.cells:
        return
    total = sum(cell.seconds for cell in profile.cells) or 1.0
    cells = [
        (
            *(cell.step, f"[{cell.number}]", f"{cell.seconds:.3f}", f"{100 * cell.seconds / total:.0f} %"),
            *(_mib(cell.peak_memory), _mib(cell.added_memory), cell.code),
        )
        for cell in profile.cells[:_SHOWN]
    ]
    names = ("step", "cell", "seconds", "share", "peak MiB", "added", "code")
    more = len(profile.cells) - len(cells)
    title = f"slowest cells{f', {more:,} more in --json' if more > 0 else ''}"
    show_table(names, cells, title=title, right=names[1:6])


def _mib(size: int | None) -> str:
    return "" if size is None else f"{size / _MIB:,.0f}"
