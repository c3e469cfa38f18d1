"""The ways in which the future is changed.

What a column takes from the future shows when the future is another one. No single way is enough: scaled
prices keep their returns, shuffled rows their mean, and a sign may stay by luck. The workhorse is `mirrored`:
what rose falls, and much further, so that signs flip, extremes move, and every cell changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Panel

    Change = Callable[["Future"], None]

TAIL = 32
"""Sessions of each symbol that a changed future keeps; what came later is cut off, which changes it too."""
_FURTHEST = 3.0  # in log: a factor of 20
_FEW = 10  # whole numbers with at most this many values are codes, not amounts
_LARGEST = 2.0**53

EXECUTIONS = {"next_open": None, "close": ("open",), "open": ()}
"""When a value of *t* is acted upon, and the columns of the bar of *t* known by then; None for all."""


@dataclass(eq=False)
class Future:
    """The rows after a cutoff, to be changed in place, and what they are changed with.

    Attributes
    ----------
    cells : dict of array
        The new values of each column that can be changed, by position; all rows of the panel.
    rows : array of int
        The rows that may change.
    before : array of int
        For each of them the last row of its symbol that may not; its own first row where there is none.
    keep, later : array of bool
        Rows of the panel that the changed prices still have, and those after the cutoff.
    """

    panel: Panel
    cells: dict[int, NDArray[Any]]
    rows: NDArray[np.int64]
    before: NDArray[np.int64]
    keep: NDArray[np.bool_]
    later: NDArray[np.bool_]
    rng: np.random.Generator


def changed(
    panel: Panel, cutoff: np.datetime64, mode: str, rng: np.random.Generator, execution: str = "next_open"
) -> Panel:
    """Return the prices with another future after `cutoff`; those given stay as they are.

    Parameters
    ----------
    mode : str
        One of `MODES`.
    execution : str
        One of `EXECUTIONS`: with ``"close"`` and ``"open"`` the bar of the cutoff itself changes too.
    """
    known = EXECUTIONS[execution]
    later = panel.dates > cutoff
    if mode == "cut off":
        return panel.only(~later)
    loose = later if known is None else panel.dates >= cutoff
    ahead = panel.places - panel.last_places(cutoff)[panel.codes]
    keep = ~later | ((ahead <= TAIL) if mode != "scaled" else True)
    rows = np.flatnonzero(loose & keep)
    values = {place: cells.copy() for place, cells in panel.cells.items()}
    future = Future(panel, values, rows, _row_before(panel, loose, rows), keep, later, rng)
    MODES[mode](future)
    if known is not None:
        _restore(future, np.flatnonzero(panel.dates == cutoff), known)
    _order_bars(future)
    return _panel(future)


def _mirror(future: Future) -> None:
    _mirror_rows(future, np.ones(len(future.rows), dtype=bool))


def _mirror_others(future: Future) -> None:
    """Leave one symbol its own future: what it knows of the others' shows alone."""
    codes = future.panel.codes[future.rows]
    spared = future.rng.choice(np.unique(codes)) if len(future.panel.names) > 1 else -1
    _mirror_rows(future, codes != spared)


def _mirror_rows(future: Future, chosen: NDArray[np.bool_]) -> None:
    rows, before = future.rows[chosen], future.before[chosen]
    for values in future.cells.values():
        if _labels(values):
            values[rows] = _next_label(values, rows)
            continue
        forth, back = _scale(values)
        then, now = forth(values[rows]), forth(values[before])
        way = np.where(then == now, future.rng.choice([-1.0, 1.0], len(rows)), np.sign(then - now))
        steep = future.rng.uniform(2.0, 6.0)
        step = _FURTHEST * np.tanh(steep * (then - now) / _FURTHEST) + way * future.rng.uniform(
            0.05, 0.5, len(rows)
        )
        _put(values, rows, back(now - step))


def _scale_up_or_down(future: Future) -> None:
    """Multiply each symbol's future: levels move, returns within it stay."""
    codes = future.panel.codes[future.rows]
    exponents = future.rng.choice([-1.0, 1.0], len(future.panel.names)) * future.rng.uniform(
        1.5, 2.5, len(future.panel.names)
    )
    for values in future.cells.values():
        if not _labels(values):
            forth, back = _scale(values)
            _put(values, future.rows, back(forth(values[future.rows]) + exponents[codes]))


def _add_noise(future: Future) -> None:
    for values in future.cells.values():
        if not _labels(values):
            forth, back = _scale(values)
            noise = future.rng.normal(0, 0.5, len(future.rows))
            _put(values, future.rows, back(forth(values[future.rows]) + noise))


def _permute(future: Future) -> None:
    """Shuffle each symbol's sessions: the same bars on other days."""
    codes = future.panel.codes[future.rows]
    for code in np.unique(codes):
        mine = future.rows[codes == code]
        shuffled = future.rng.permutation(mine)
        for values in future.cells.values():
            values[mine] = values[shuffled]


def _hold(future: Future) -> None:
    """Let nothing happen any more: every bar is the last known one."""
    for values in future.cells.values():
        values[future.rows] = values[future.before]


def _drop(future: Future) -> None:
    """Let some symbols end at the cutoff, and others miss half of their sessions."""
    later = future.rows[future.later[future.rows]]
    codes = future.panel.codes[later]
    ended = future.rng.random(len(future.panel.names)) < 0.5  # noqa: PLR2004 - even odds
    lost = ended[codes] | (future.rng.random(len(later)) < 0.5)  # noqa: PLR2004 - even odds
    future.keep[later[lost]] = False


MODES: dict[str, Change] = {
    "mirrored": _mirror,
    "cut off": _drop,  # cut off by `changed` itself
    "mirrored in the other symbols": _mirror_others,
    "thinned out": _drop,
    "held constant": _hold,
    "scaled": _scale_up_or_down,
    "shuffled": _permute,
    "disturbed": _add_noise,
}


def _row_before(panel: Panel, loose: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each row, the last row of its symbol that is not loose, else the symbol's first."""
    fixed = panel.in_time[~loose[panel.in_time]]
    last = np.full(len(panel.names), -1, dtype=np.int64)
    last[panel.codes[fixed]] = fixed
    first = np.full(len(panel.names), -1, dtype=np.int64)
    first[panel.codes[panel.in_time[::-1]]] = panel.in_time[::-1]
    return np.where(last >= 0, last, first)[panel.codes[rows]]


def _labels(values: NDArray[Any]) -> bool:
    """Whether a column holds names, flags or codes: it changes by exchange, not by arithmetic."""
    if values.dtype.kind in "fc":
        return False
    return values.dtype.kind not in "iu" or len(np.unique(values[:1000])) <= _FEW


def _next_label(values: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    codes, labels = pd.factorize(pd.Series(values))
    if len(labels) <= 1:
        return values[rows]
    found: NDArray[Any] = np.asarray(labels)[(codes[rows] + 1) % len(labels)]
    return found


def _scale(
    values: NDArray[Any],
) -> tuple[
    Callable[[NDArray[Any]], NDArray[np.float64]], Callable[[NDArray[np.float64]], NDArray[np.float64]]
]:
    """Return the way to a scale on which steps are alike, and the way back."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if len(finite) and finite.min() > 0:
        return (lambda v: np.log(v.astype(np.float64))), np.exp
    if len(finite) and finite.min() == 0:
        return (lambda v: np.log1p(v.astype(np.float64))), (lambda v: np.maximum(np.expm1(v), 0.0))
    unit = float(finite.std()) if len(finite) else 0.0
    unit = unit or 1.0
    return (lambda v: v.astype(np.float64) / unit), (lambda v: v * unit)


def _put(values: NDArray[Any], rows: NDArray[np.int64], new: NDArray[np.float64]) -> None:
    """Write numbers in the type of the column; what was missing stays missing."""
    if values.dtype.kind in "iu":
        limit = min(_LARGEST, float(np.iinfo(values.dtype).max))
        values[rows] = np.clip(np.rint(new), -limit, limit).astype(values.dtype)
    else:
        values[rows] = np.where(np.isnan(values[rows]), values[rows], new)


def _restore(future: Future, rows: NDArray[np.int64], known: tuple[str, ...]) -> None:
    """Give the bar of the cutoff back the columns that are known by the time of execution."""
    for place, values in future.cells.items():
        name = str(future.panel.frame.columns[place]).casefold()
        if name in known or _labels(values):
            values[rows] = future.panel.cells[place][rows]


def _order_bars(future: Future) -> None:
    """Keep the changed bars possible: no price above the high or below the low."""
    names = [str(name).casefold() for name in future.panel.frame.columns]
    if not {"open", "high", "low", "close"} <= set(names):
        return
    bars = [future.cells[names.index(name)] for name in ("open", "high", "low", "close")]
    _, high, low, _ = bars
    rows = future.rows
    together = np.stack([np.asarray(values[rows], dtype=np.float64) for values in bars])
    with np.errstate(invalid="ignore"):
        high[rows] = np.fmax.reduce(together)
        low[rows] = np.fmin.reduce(together)


def _panel(future: Future) -> Panel:
    part = future.panel.only(future.keep)
    dtypes = list(part.frame.dtypes)
    for place, values in future.cells.items():
        kept, dtype = values[future.keep], dtypes[place]
        part.frame.isetitem(place, kept if kept.dtype == dtype else pd.array(kept, dtype=dtype))
    return part
