"""The ways in which the future is changed.

What a column takes from the future shows when the future is another one. No single way is enough: scaled
prices keep their returns, constant ones their level, and a sign may stay by chance. The workhorse is
``mirrored``: what rose falls, and much further, so that signs flip, extremes move, and every value changes.
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

    Positions = NDArray[np.int64]

_TAIL = 32  # sessions of each symbol that a changed future keeps; the rest is cut off, which changes it too
_FURTHEST = 3.0  # in log: a factor of 20
_FEW = 10  # whole numbers with at most this many different values are codes, not amounts
_LARGEST = 2.0**53

EXECUTIONS = {"next_open": None, "close": ("open",), "open": ()}
"""When a value of *t* is acted upon, and the columns of the bar of *t* known by then; None for all."""


@dataclass(eq=False)
class _Future:
    """The rows after a cutoff, to be changed in place."""

    panel: Panel
    cells: dict[int, NDArray[Any]]  # new values of each column, by position
    rows: Positions  # that may change
    before: Positions  # for each of them the symbol's last row that may not
    keep: NDArray[np.bool_]  # rows that the changed prices still have
    later: NDArray[np.bool_]  # rows after the cutoff
    rng: np.random.Generator


def change_future(
    panel: Panel, cutoff: np.datetime64, mode: str, rng: np.random.Generator, execution: str = "next_open"
) -> Panel:
    """Return a copy of the prices with another future after `cutoff`, changed in one of `MODES`."""
    known = EXECUTIONS[execution]
    later = panel.dates > cutoff
    if mode == "cut off":
        return panel.only(~later)
    loose = later if known is None else panel.dates >= cutoff
    keep = ~later | (panel.sessions_after(cutoff) <= _TAIL)
    rows = np.flatnonzero(loose & keep)
    values = {place: column.copy() for place, column in panel.cells.items()}
    future = _Future(panel, values, rows, _row_before(panel, loose, rows), keep, later, rng)
    MODES[mode](future)
    if known is not None:
        _restore_known(future, np.flatnonzero(panel.dates == cutoff), known)
    _order_bars(future)
    return _to_panel(future)


def _mirror(future: _Future) -> None:
    _mirror_rows(future, np.ones(len(future.rows), dtype=bool))


def _mirror_other_symbols(future: _Future) -> None:
    """Leave one symbol its own future, so that what it knows of the others' shows alone."""
    codes = future.panel.codes[future.rows]
    spared = future.rng.choice(np.unique(codes)) if len(future.panel.names) > 1 else -1
    _mirror_rows(future, codes != spared)


def _mirror_rows(future: _Future, chosen: NDArray[np.bool_]) -> None:
    rows, before = future.rows[chosen], future.before[chosen]
    for values in future.cells.values():
        if _holds_labels(values):
            values[rows] = _next_label(values, rows)
            continue
        forth, back = _scale(values)
        then, now = forth(values[rows]), forth(values[before])
        way = np.where(then == now, future.rng.choice([-1.0, 1.0], len(rows)), np.sign(then - now))
        steep = future.rng.uniform(2.0, 6.0)
        step = _FURTHEST * np.tanh(steep * (then - now) / _FURTHEST)
        step += way * future.rng.uniform(0.05, 0.5, len(rows))
        _write(values, rows, back(now - step))


def _scale_levels(future: _Future) -> None:
    """Multiply each symbol's future by one factor: levels move, returns within it stay."""
    symbols = len(future.panel.names)
    exponents = future.rng.choice([-1.0, 1.0], symbols) * future.rng.uniform(1.5, 2.5, symbols)
    for values in future.cells.values():
        if not _holds_labels(values):
            forth, back = _scale(values)
            moved = forth(values[future.rows]) + exponents[future.panel.codes[future.rows]]
            _write(values, future.rows, back(moved))


def _hold(future: _Future) -> None:
    """Repeat the last known bar."""
    for values in future.cells.values():
        values[future.rows] = values[future.before]


def _drop(future: _Future) -> None:
    """Let some symbols end at the cutoff, and others miss half of their sessions."""
    later = future.rows[future.later[future.rows]]
    codes = future.panel.codes[later]
    ended = future.rng.random(len(future.panel.names)) < 0.5  # noqa: PLR2004 - even odds
    lost = ended[codes] | (future.rng.random(len(later)) < 0.5)  # noqa: PLR2004 - even odds
    future.keep[later[lost]] = False


MODES: dict[str, Callable[[_Future], None]] = {
    "mirrored": _mirror,
    "cut off": _drop,  # `change_future` cuts by itself
    "mirrored in the other symbols": _mirror_other_symbols,
    "thinned out": _drop,
    "held constant": _hold,
    "scaled": _scale_levels,
}


def _row_before(panel: Panel, loose: NDArray[np.bool_], rows: Positions) -> Positions:
    """Return, for each row, the last row of its symbol that is not loose, else the symbol's first."""
    found = np.full(len(panel.names), -1, dtype=np.int64)
    found[panel.codes[panel.in_time[::-1]]] = panel.in_time[::-1]
    fixed = panel.in_time[~loose[panel.in_time]]
    found[panel.codes[fixed]] = fixed
    return found[panel.codes[rows]]


def _holds_labels(values: NDArray[Any]) -> bool:
    """Whether a column holds names, flags or codes, which are exchanged instead of calculated with."""
    if values.dtype.kind in "fc":
        return False
    return values.dtype.kind not in "iu" or len(np.unique(values[:1000])) <= _FEW


def _next_label(values: NDArray[Any], rows: Positions) -> NDArray[Any]:
    codes, labels = pd.factorize(pd.Series(values))
    if len(labels) <= 1:
        return values[rows]
    found: NDArray[Any] = np.asarray(labels)[(codes[rows] + 1) % len(labels)]
    return found


def _scale(
    values: NDArray[Any],
) -> tuple[Callable[[Any], NDArray[np.float64]], Callable[[Any], NDArray[np.float64]]]:
    """Return the functions to and from a scale on which steps are comparable: logs where they exist."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if len(finite) and finite.min() > 0:
        return (lambda v: np.log(v.astype(np.float64))), np.exp
    if len(finite) and finite.min() == 0:
        return (lambda v: np.log1p(v.astype(np.float64))), (lambda v: np.maximum(np.expm1(v), 0.0))
    unit = (float(finite.std()) if len(finite) else 0.0) or 1.0
    return (lambda v: v.astype(np.float64) / unit), (lambda v: v * unit)


def _write(values: NDArray[Any], rows: Positions, new: NDArray[np.float64]) -> None:
    """Write numbers in the type of the column; what was missing stays missing."""
    if values.dtype.kind in "iu":
        limit = min(_LARGEST, float(np.iinfo(values.dtype).max))
        values[rows] = np.clip(np.rint(new), -limit, limit).astype(values.dtype)
    else:
        values[rows] = np.where(np.isnan(values[rows]), values[rows], new)


def _restore_known(future: _Future, rows: Positions, known: tuple[str, ...]) -> None:
    """Restore the columns of the cutoff's bar that are known by the time of execution."""
    for place, values in future.cells.items():
        name = str(future.panel.frame.columns[place]).casefold()
        if name in known or _holds_labels(values):
            values[rows] = future.panel.cells[place][rows]


def _order_bars(future: _Future) -> None:
    """Keep the changed bars possible: no price above the high or below the low."""
    names = [str(name).casefold() for name in future.panel.frame.columns]
    if not {"open", "high", "low", "close"} <= set(names):
        return
    bars = [future.cells[names.index(name)] for name in ("open", "high", "low", "close")]
    together = np.stack([np.asarray(values[future.rows], dtype=np.float64) for values in bars])
    with np.errstate(invalid="ignore"):
        bars[1][future.rows] = np.fmax.reduce(together)
        bars[2][future.rows] = np.fmin.reduce(together)


def _to_panel(future: _Future) -> Panel:
    part = future.panel.only(future.keep)
    dtypes = list(part.frame.dtypes)
    for place, values in future.cells.items():
        kept, dtype = values[future.keep], dtypes[place]
        part.frame.isetitem(place, kept if kept.dtype == dtype else pd.array(kept, dtype=dtype))
    return part
