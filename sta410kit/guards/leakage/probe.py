"""Run, change the future, run again, and demand the same past.

Any function of prices that looks ahead gives itself away: recomputed on the history up to a cutoff, or with
another future after it, its past values differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.arguments import horizons_of, require, targets
from sta410kit.guards.leakage.report import LeakReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pandas as pd

    from sta410kit.guards.leakage.compare import Different
    from sta410kit.guards.leakage.runs import Runs

CUTOFFS = 40
TOLERANCE = 1e-10
_FEW = 4  # with so few cutoffs, every one gets every change


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
        index of the prices, a frame by date with a column a symbol, an array with an entry a row, or a dict
        or tuple of these. A column may hold numbers, truth values, dates or labels.
    prices : pandas.DataFrame
        Tidy prices, as of `sta410kit.market.load_prices`; any frame with dates will do.
    cutoffs : int or sequence of dates
        Sessions after which the future is changed. A number spreads that many over the history, on month
        ends, all weekdays, great moves, in the life of every symbol, and where columns begin; as many as
        there are sessions tries every one.
    seed : int
        Of the choice of cutoffs and of the made-up futures; the same seed gives the same report.
    horizon : int or mapping of str to int
        Sessions a target may look ahead, by column or for all. A number is for the column ``target`` alone
        where there is one among others, else for those named like one (``y``, ``label``, ``fwd_...``); a note
        says so when it was for several columns. A column that looks further is a finding.
    execution : str
        When a value of *t* is acted upon: ``"next_open"``, it may use the whole bar of *t*; ``"close"``, the
        close of *t* itself, it may use the open of *t* and what was before; ``"open"``, nothing of the bar of
        *t*.
    tolerance : float
        Differences up to this share of a value, or of its symbol's mean value, are rounding.
    warmup : bool
        Also ask whether values depend on where the history starts: `LeakReport.warmup`.
    revisions : bool
        Also ask whether values change when a later split or dividend rescales ``adj_close``:
        `LeakReport.revisions`.

    Returns
    -------
    LeakReport
        One finding a column: its first bad row over all cutoffs, and how far ahead it looks.

    Raises
    ------
    ConfigurationError
        An argument makes no sense, there are fewer than ten sessions, `build` raises on the prices as they
        are, its values cannot be told by date, or none lies before a cutoff.

    Notes
    -----
    What changes nothing in the prices cannot be seen: a function that reads a file of its own, or a frame
    from outside, is judged only by what it takes from the prices it is given. A leak that shows on a single
    day in years is found when a cutoff falls on that day: raise `cutoffs`.
    """
    import numpy as np

    from sta410kit.guards.leakage import cutoffs as when
    from sta410kit.guards.leakage import sensitivity
    from sta410kit.guards.leakage.gather import Sightings
    from sta410kit.guards.leakage.panel import Panel
    from sta410kit.guards.leakage.runs import Runs

    require(build, seed, execution, tolerance)
    panel = Panel.of(prices)
    rng = np.random.default_rng(seed)
    asked = when.read(panel, cutoffs)  # a wrong choice is refused before any work
    runs = Runs(build, panel, tolerance)
    columns = runs.base
    horizons = horizons_of(horizon, list(columns))
    if isinstance(asked, int):
        chosen, begun = when.choose(panel, asked, columns, rng)
    else:
        chosen, begun = asked, asked[:0]
    seen = Sightings(panel, runs.codes, columns, bar_known=execution == "next_open")
    random = _look(runs, seen, chosen, begun, horizons, execution, rng)
    if not seen:
        _require_past(runs, chosen[-1], horizons)
    beside = {
        "warmup": sensitivity.warmup(runs) if warmup else (),
        "revisions": sensitivity.revisions(runs, rng) if revisions else (),
    }
    runs.end()
    return LeakReport(
        findings=seen.findings(random, horizons),
        columns=tuple(columns),
        cutoffs=tuple(str(cutoff)[:10] for cutoff in np.union1d(begun, chosen)),
        runs=runs.count,
        notes=(*runs.notes(), *_unjudged(runs, chosen[-1], horizon, horizons)),
        **beside,
    )


def _look(  # noqa: PLR0913, PLR0917 - the pieces of one probe
    runs: Runs,
    seen: Any,  # noqa: ANN401 - Sightings, which is heavy to import
    chosen: np.ndarray[Any, np.dtype[np.datetime64]],
    begun: np.ndarray[Any, np.dtype[np.datetime64]],
    horizons: dict[str, int],
    execution: str,
    rng: np.random.Generator,
) -> dict[str, Different]:
    """Run over all cutoffs and changes; return the columns that are random instead of leaking."""
    from sta410kit.guards.leakage import perturbations

    furthest, compared = max(horizons.values(), default=0), 0
    modes = list(perturbations.MODES)
    for cutoff, mode in [*_plan(chosen, modes), *((cutoff, "cut off") for cutoff in begun)]:
        panel = perturbations.changed(runs.panel, cutoff, mode, rng, execution)
        other = runs.again(panel, f"the future after {str(cutoff)[:10]} {mode}")
        if other is None:
            continue
        compared += 1
        comparison = runs.against(other)
        known = execution == "next_open"
        pasts = {h: runs.past(cutoff, h, furthest, bar_known=known) for h in {*horizons.values()}}
        for name in runs.base:
            found = comparison.differing(name, pasts[horizons[name]])
            if found is not None:
                seen.add(name, found, cutoff, mode)
    if not compared:
        message = f"the leak probe could compare nothing: {runs.notes()[-1]}; give later cutoffs"
        raise ConfigurationError(message)
    # What differs on the same prices as well says nothing of the future.
    return runs.random() if seen or runs.state_moved else {}


def _plan(
    chosen: np.ndarray[Any, np.dtype[np.datetime64]], modes: list[str]
) -> list[tuple[np.datetime64, str]]:
    """Return which change is tried after which cutoff.

    One change a cutoff: the first mode after two of three, the others in turn after the third, or a little
    more often where that gives each a turn. What has had none by then is tried after an early one, where a
    run costs little. A few cutoffs get everything.
    """
    always, *others = modes
    if len(chosen) <= _FEW:
        return [(cutoff, mode) for cutoff in chosen for mode in modes]
    turns = len(chosen) // 3
    if len(chosen) > 2 * len(others):
        turns = max(turns, len(others))
    taken = {len(chosen) * (2 * turn + 1) // (2 * turns): others[turn % len(others)] for turn in range(turns)}
    plan = [(cutoff, taken.get(place, always)) for place, cutoff in enumerate(chosen)]
    return [*plan, *((chosen[len(chosen) // 4], mode) for mode in others[turns:])]


def _unjudged(
    runs: Runs, last: np.datetime64, horizon: int | Mapping[str, int], horizons: dict[str, int]
) -> list[str]:
    """Return, in sentences, what passes because it cannot be told from what is right."""
    import pandas as pd

    notes = []
    empty = [n for n, c in runs.base.items() if not pd.notna(c.data[c.rows.dates <= last]).any()]
    if empty:
        notes.append(f"nothing to judge in {', '.join(empty)}: no value up to {str(last)[:10]}")
    if not isinstance(horizon, Mapping) and horizon and len(horizons) > 1 and not targets([*horizons]):
        notes.append(
            f"all {len(horizons)} columns may look {horizon} ahead, for none is named target; if one is a "
            f"feature, name the target: horizon={{{[*horizons][-1]!r}: {horizon}}}"
        )
    return notes


def _require_past(runs: Runs, last: np.datetime64, horizons: dict[str, int]) -> None:
    """Raise when no value stands before a cutoff: a probe that compares nothing must not pass."""
    if not any((column.rows.dates <= last).any() for column in runs.base.values()):
        message = (
            f"the function returned no value up to the last cutoff {str(last)[:10]}, so there is nothing to "
            "compare; let it return the whole history"
        )
        raise ConfigurationError(message)
    for name, horizon in horizons.items():
        if horizon and not (runs.base[name].rows.dates <= runs.past(last, horizon).until.max()).any():
            message = (
                f"{name} may look {horizon} sessions ahead, and no value of it stands that long before the "
                f"last cutoff {str(last)[:10]}; give a shorter horizon or load a longer period"
            )
            raise ConfigurationError(message)
