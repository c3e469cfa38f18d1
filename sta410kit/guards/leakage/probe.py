"""Run, change the future, run again, and demand the same past.

A function of prices that looks ahead gives itself away: with another future after a cutoff, its values before
the cutoff differ.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.project_modules import import_declared_modules
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.report import LeakReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pandas as pd

    from sta410kit.guards.leakage.panel import Dates
    from sta410kit.guards.leakage.runs import Runs
    from sta410kit.guards.leakage.sightings import Sightings

CUTOFFS = 40
TOLERANCE = 1e-10
_FEW = 4  # with so few cutoffs, each gets every change
_TARGET_NAMES = ("y", "label")
_TARGET_PREFIXES = ("target_", "label_", "fwd_", "forward_", "future_")


def probe_leaks(  # noqa: PLR0913 - each is a choice of the user, by keyword
    build: Callable[[pd.DataFrame], Any],
    prices: pd.DataFrame,
    cutoffs: int | Sequence[object] = CUTOFFS,
    seed: int = 0,
    *,
    horizon: int | Mapping[str, int] = 0,
    execution: str = "next_open",
    tolerance: float = TOLERANCE,
    warmup: bool = False,
    revisions: bool = False,
) -> LeakReport:
    """Recompute `build` on other futures and demand the same past.

    Parameters
    ----------
    build : callable
        From prices to features, targets or signals: a frame with ``symbol`` and ``date``, anything on the
        index of the prices, a frame by date with one column per symbol, an array with an entry per row, or a
        dict or tuple of these. A column may hold numbers, truth values, dates or labels.
    prices : pandas.DataFrame
        Tidy prices, as of `sta410kit.market.load_prices`; any frame with dates will do.
    cutoffs : int or sequence of dates
        Sessions after which the future is changed. A number spreads that many over the history; as many as
        there are sessions tries every one.
    seed : int
        Seed of the choice of cutoffs and of the invented futures; the same seed gives the same report.
    horizon : int or mapping of str to int
        Sessions a target may look ahead, by column or for all. A number is for the column ``target`` alone
        if there is one among others, else for those named like one (``y``, ``label``, ``fwd_...``), else for
        all, which a note says. A column that looks further is a finding.
    execution : str
        When a value of *t* is acted upon: ``"next_open"``, it may use the whole bar of *t*; ``"close"``, the
        close of *t* itself, it may use the open of *t* and what was before; ``"open"``, nothing of the bar of
        *t*.
    tolerance : float
        Differences up to this share of a value, or of its symbol's mean, are rounding.
    warmup : bool
        Also measure how long values depend on where the history starts: `LeakReport.warmup`.
    revisions : bool
        Also find values that change when a later split or dividend rescales ``adj_close``:
        `LeakReport.revisions`.

    Returns
    -------
    LeakReport
        One finding per column: its first bad row over all cutoffs, and how far ahead it looks.

    Raises
    ------
    ConfigurationError
        An argument is wrong, `build` raises on the unchanged prices, the session of its values cannot be
        determined, or none lies before a cutoff.
    DataValidationError
        There are fewer than ten sessions.

    Notes
    -----
    Only the prices change, so a function that reads a file or a frame from outside is judged by what it takes
    from the prices alone. A leak on a single day in years is found when a cutoff falls on that day: raise
    `cutoffs`.
    """
    import numpy as np

    from sta410kit.guards.leakage.cutoffs import choose_cutoffs, read_cutoffs
    from sta410kit.guards.leakage.panel import Panel
    from sta410kit.guards.leakage.runs import Runs, moved_by_revisions, sessions_to_warm_up
    from sta410kit.guards.leakage.sightings import Sightings

    _require_arguments(build, seed, execution, tolerance)
    import_declared_modules()  # before the state of modules is noted, which each run begins with
    panel = Panel.of(prices)
    rng = np.random.default_rng(seed)
    asked = read_cutoffs(panel, cutoffs)
    runs = Runs(build, panel, tolerance)
    horizons = _horizons(horizon, list(runs.base))
    if isinstance(asked, int):
        chosen, begun = choose_cutoffs(panel, asked, runs.base, rng)
    else:
        chosen, begun = asked, asked[:0]
    seen = Sightings(panel, runs.codes, runs.base, bar_known=execution == "next_open")
    _look(runs, seen, [*_plan(chosen), *((day, "cut off") for day in begun)], horizons, execution, rng)
    # What differs on the same prices as well says nothing about the future.
    random = runs.not_deterministic() if seen or runs.state_changed else {}
    if not seen:
        _require_past(runs, chosen[-1], horizons)
    settled = sessions_to_warm_up(runs) if warmup else {}
    revised = moved_by_revisions(runs, rng) if revisions else ()
    runs.end()
    return LeakReport(
        findings=seen.findings(random, horizons),
        columns=tuple(runs.base),
        cutoffs=tuple(str(cutoff)[:10] for cutoff in np.union1d(begun, chosen)),
        runs=runs.count,
        notes=(*runs.notes(), *_not_judged(runs, chosen[-1], horizon)),
        warmup=settled,
        revisions=revised,
    )


def _require_arguments(build: Any, seed: object, execution: Any, tolerance: object) -> None:  # noqa: ANN401 - anything
    from sta410kit.guards.leakage.perturbations import EXECUTIONS

    message = ""
    name = getattr(build, "__qualname__", type(build).__name__)
    if not callable(build):
        message = f"the leak probe needs a function of prices, not {type(build).__name__}"
    elif inspect.iscoroutinefunction(build):
        message = f"{name} is async; the leak probe needs a plain function of prices"
    elif execution not in list(EXECUTIONS):
        message = f"execution is {execution!r}; it takes {', '.join(EXECUTIONS)}."
        message += did_you_mean(execution, EXECUTIONS)
    elif not isinstance(tolerance, int | float) or not 0 <= tolerance < 1:
        message = f"tolerance is {tolerance!r}; give a share between 0 and 1"
    if message:
        raise ConfigurationError(message)
    require_whole("seed", seed, 0)
    try:
        signature = inspect.signature(build)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    try:
        signature.bind(None)
    except TypeError as error:
        message = (
            f"{name} cannot be called with the prices alone: {error}; bind its other arguments with "
            "functools.partial"
        )
        raise ConfigurationError(message) from error


def _horizons(horizon: int | Mapping[str, int], columns: list[str]) -> dict[str, int]:
    """Return how far ahead each column may look."""
    declared = dict(horizon) if isinstance(horizon, Mapping) else {}
    unknown = [name for name in declared if name not in columns]
    if unknown:
        message = f"horizon names the column {unknown[0]!r}, which the function does not return."
        raise ConfigurationError(message + did_you_mean(unknown[0], columns))
    if not isinstance(horizon, Mapping):
        ahead = require_whole("horizon", horizon, 0, of="sessions")
        declared = dict.fromkeys(_targets(columns) or columns, ahead)
    return {name: require_whole("horizon", declared.get(name, 0), 0, of="sessions") for name in columns}


def _targets(columns: list[str]) -> list[str]:
    """Return the columns that are named like targets; of a dict, its keys count as well."""
    parts = {name: name.casefold().split(".") for name in columns}
    return [name for name in columns if "target" in parts[name]] or [
        name
        for name in columns
        if any(p in _TARGET_NAMES or p.startswith(_TARGET_PREFIXES) for p in parts[name])
    ]


def _look(  # noqa: PLR0913, PLR0917 - the pieces of one probe
    runs: Runs,
    seen: Sightings,
    plan: list[tuple[np.datetime64, str]],
    horizons: dict[str, int],
    execution: str,
    rng: np.random.Generator,
) -> None:
    """Run once for each cutoff and change of the plan, and note what differs."""
    from sta410kit.guards.leakage.perturbations import change_future

    furthest, compared = max(horizons.values(), default=0), 0
    for cutoff, mode in plan:
        panel = change_future(runs.panel, cutoff, mode, rng, execution)
        other = runs.again(panel, f"the future after {str(cutoff)[:10]} {mode}")
        if other is None:
            continue
        compared += 1
        comparison = runs.compare(other)
        known = execution == "next_open"
        pasts = {h: runs.past(cutoff, h, furthest, bar_known=known) for h in {*horizons.values()}}
        for name in runs.base:
            difference = comparison.difference(name, pasts[horizons[name]])
            if difference is not None:
                seen.add(name, difference, cutoff, mode)
    if not compared:
        message = f"the leak probe could compare nothing: {runs.notes()[-1]}; give later cutoffs"
        raise ConfigurationError(message)


def _plan(chosen: Dates) -> list[tuple[np.datetime64, str]]:
    """Return which change is tried after which cutoff: the first twice, then one of the others in turn."""
    from sta410kit.guards.leakage.perturbations import MODES

    always, *others = MODES
    if len(chosen) <= _FEW:
        return [(cutoff, mode) for cutoff in chosen for mode in MODES]
    turns = len(chosen) // 3
    if len(chosen) > 2 * len(others):
        turns = max(turns, len(others))
    taken = {len(chosen) * (2 * turn + 1) // (2 * turns): others[turn % len(others)] for turn in range(turns)}
    plan = [(cutoff, taken.get(place, always)) for place, cutoff in enumerate(chosen)]
    return [*plan, *((chosen[len(chosen) // 4], mode) for mode in others[turns:])]


def _not_judged(runs: Runs, last: np.datetime64, horizon: int | Mapping[str, int]) -> list[str]:
    """Return, in sentences, what passed because it cannot be told from what is right."""
    import numpy as np

    notes = []
    empty = [n for n, c in runs.base.items() if np.isnan(c.data[c.rows.dates <= last]).all()]
    if empty:
        notes.append(f"nothing to judge in {', '.join(empty)}: no value up to {str(last)[:10]}")
    if not isinstance(horizon, Mapping) and horizon and len(runs.base) > 1 and not _targets([*runs.base]):
        notes.append(
            f"all {len(runs.base)} columns may look {horizon} ahead, for none is named target; if one is a "
            f"feature, name the target: horizon={{{[*runs.base][-1]!r}: {horizon}}}"
        )
    return notes


def _require_past(runs: Runs, last: np.datetime64, horizons: dict[str, int]) -> None:
    """Raise when no value lies before a cutoff: a probe that compared nothing must not pass."""
    if not any((column.rows.dates <= last).any() for column in runs.base.values()):
        message = (
            f"the function returned no value up to the last cutoff {str(last)[:10]}, so there is nothing to "
            "compare; let it return the whole history"
        )
        raise ConfigurationError(message)
    for name, horizon in horizons.items():
        if horizon and not (runs.base[name].rows.dates <= runs.past(last, horizon).until.max()).any():
            message = (
                f"{name} may look {horizon} sessions ahead, but has no value that long before the last "
                f"cutoff {str(last)[:10]}; give a shorter horizon or load a longer period"
            )
            raise ConfigurationError(message)
