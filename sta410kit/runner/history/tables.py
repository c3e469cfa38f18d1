"""The list of runs, and what pruning removes, in the terminal and as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.runs import no_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sta410kit.runner.history.listing import Removal, RunFacts

_MINUTE, _HOUR = 60, 3600
_WIDE = 160
_COLOURS = {ExitCode.PASSED.name: "green", "RUNNING": "cyan", "": "dim"}


def print_runs(found: Sequence[RunFacts], folder: Path) -> None:
    """Print a line a run."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE  # a file or a pipe has no edge
    if not found:
        console.print(no_runs(folder), markup=False, soft_wrap=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("run", "kind", "started (UTC)", "duration", "outcome", "steps", "reused", "notebook"):
        side = "right" if name in {"duration", "steps", "reused"} else "left"
        table.add_column(name, justify=side, no_wrap=name in {"run", "kind", "started (UTC)"})  # type: ignore[arg-type]
    for one in found:
        table.add_row(
            one.run,
            one.kind,
            f"{one.started:%Y-%m-%d %H:%M}",
            spoken_seconds(one.seconds),
            Text(one.outcome.lower().replace("_", " "), _COLOURS.get(one.outcome, "red")),
            str(one.steps or ""),
            str(one.reused or ""),
            Text(Path(one.title).name),
        )
    console.print(table)


def print_removal(removal: Removal, *, dry_run: bool) -> None:
    """Print what went, or would go."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for one in removal.runs:
        console.print(f"{one.run}  {one.kind}  {one.outcome.lower()}", markup=False)
    for path in removal.logs:
        console.print(str(path), markup=False)
    verb = "would remove" if dry_run else "removed"
    files = f" and {pluralize(len(removal.logs), 'log file')}" if removal.logs else ""
    size = removal.freed / 1024**2
    console.print(f"{verb} {pluralize(len(removal.runs), 'run')}{files}, {size:,.1f} MiB", markup=False)


def as_json_values(one: RunFacts) -> dict[str, Any]:
    """Return a run's line as JSON values."""
    return {**asdict(one), "started": one.started.isoformat(), "folder": str(one.folder)}


def spoken_seconds(seconds: float | None) -> str:
    """Return a duration for a reader; nothing when it is not known."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if seconds < _HOUR:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"
