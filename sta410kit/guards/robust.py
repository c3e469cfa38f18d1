"""Medians and scales that a few wrong values do not change, and runs and stretches of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

_TAIL, _BEGIN, _EXPONENT = 0.95, 2.3, 4.0  # where the tail of daily moves begins, usually, and how it falls
_CAP = 3.0  # times the beginning of the tail, as which anything larger counts
_PRIOR = 250  # rows that the usual tail is worth
_SCORED = 2000  # rows of a symbol that show its tail
_HALF_YEAR = 126
_OTHERS = 3  # other symbols that are no coincidence
TO_SIGMA = 1.4826  # the standard deviation of a normal variable over its median absolute value


def quantile_of_lines(values: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return a quantile of each line without its NaNs, and NaN for a line that holds nothing else.

    ``numpy.nanquantile`` does the same a line at a time, and warns of the empty ones.
    """
    ordered = np.sort(values, axis=1)  # NaNs come last
    count = np.isfinite(ordered).sum(axis=1)
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    lines = np.arange(len(values))
    below, above = ordered[lines, low], ordered[lines, high]
    found: NDArray[np.float64] = below + (place - low) * (above - below)
    return found


def median_of_lines(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each line without its NaNs."""
    return quantile_of_lines(values, 0.5)


def local_sigma(
    block: Block, values: NDArray[np.float64], rows: NDArray[np.int64], skip: tuple[int, int], reach: int = 12
) -> NDArray[np.float64]:
    """Return the usual size of `values` around each of `rows`, as a standard deviation."""
    near = np.abs(block.around(values, rows, (-reach, reach), skip))
    return TO_SIGMA * median_of_lines(near)


def near_ratio(steps: NDArray[np.float64], ratios: list[float]) -> NDArray[np.float64]:
    """Return how far each log step is from the nearest of the log ratios, regardless of sign."""
    distance: NDArray[np.float64] = np.abs(np.abs(steps)[:, None] - np.log(ratios)).min(axis=1)
    return distance


def stretches(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all rows from each of `begins` up to, and without, its end."""
    lengths = np.maximum(ends - begins, 0)
    total = int(lengths.sum())
    before = np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows: NDArray[np.int64] = np.repeat(begins, lengths) + np.arange(total) - before
    return rows


def run_lengths(flags: NDArray[np.bool_], begins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the length of the run of true flags it lies in, 0 where the flag is false.

    A run never reaches over one of `begins`, where a symbol begins.
    """
    edge = np.ones(len(flags), bool)
    edge[1:] = flags[1:] != flags[:-1]
    edge[begins] = True
    starts = np.flatnonzero(edge)
    lengths = np.diff(np.append(starts, len(flags)))
    return np.where(flags, np.repeat(lengths, lengths), 0)


def other_runs(block: Block, flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each true flag how many other runs begin within half a year on both sides, 0 elsewhere."""
    rows, others = np.flatnonzero(flags), np.zeros(block.rows, np.int64)
    number = block.symbol_of(rows)
    begins = rows[(rows == block.bounds[number]) | ~flags[rows - 1]]
    first = np.maximum(rows - _HALF_YEAR, block.bounds[number])
    stop = np.minimum(rows + _HALF_YEAR + 1, block.bounds[number + 1])
    others[rows] = np.searchsorted(begins, stop) - np.searchsorted(begins, first) - 1
    return others


def level_change(
    block: Block, values: NDArray[np.float64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much the usual value changes at each row, over ten rows on both sides, and the scale."""
    sides = [block.around(values, rows, reach, (1, 0)) for reach in ((-10, -1), (0, 9))]
    before, after = (median_of_lines(side) for side in sides)
    spread = [median_of_lines(np.abs(side - median_of_lines(side)[:, None])) for side in sides]
    return after - before, TO_SIGMA * np.maximum(*spread)


def per_symbol(
    block: Block, rows: NDArray[np.int64], measure: Callable[[slice], float]
) -> NDArray[np.float64]:
    """Return for each row what `measure` says of all rows of its symbol."""
    symbol = block.symbol_of(rows)
    values = np.zeros(len(block.symbols))
    for number in np.unique(symbol):
        values[number] = measure(slice(block.bounds[number], block.bounds[number + 1]))
    return values[symbol]


def tail_chance(
    block: Block, rows: NDArray[np.int64], score: Callable[[NDArray[np.int64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return how often the symbol of each row has a score as large, by a Pareto tail fitted to its scores.

    The tail begins at the 95 % quantile; its exponent is Hill's estimator with scores above three times
    that counted as no larger, so that what is to be judged does not excuse itself. A short series leans on
    an exponent of four, as daily returns have it.
    """
    scores, symbol, found = score(rows), block.symbol_of(rows), np.ones(len(rows))
    for number in np.unique(symbol):
        first, stop = block.bounds[number], block.bounds[number + 1]
        sample = score(np.arange(first, stop, max(1, (stop - first) // _SCORED)))
        sample = sample[np.isfinite(sample)]
        weight = _PRIOR / (len(sample) + _PRIOR)
        begin = np.quantile(sample, _TAIL) if len(sample) else _BEGIN
        begin = np.exp((1 - weight) * np.log(max(begin, 1.0)) + weight * np.log(_BEGIN))
        beyond = sample[sample > begin]
        excess = np.log(np.minimum(beyond / begin, _CAP)).sum()
        exponent = ((beyond < _CAP * begin).sum() + _PRIOR * (1 - _TAIL)) / (
            excess + _PRIOR * (1 - _TAIL) / _EXPONENT
        )
        here = symbol == number
        found[here] = (1 - _TAIL) * np.maximum(scores[here] / begin, 1.0) ** -exponent
    return np.where(np.isfinite(scores), found, 1.0)


def shared_by_others(
    panel: Panel,
    rows: NDArray[np.int64],
    measure: Callable[[Panel, NDArray[np.int64]], NDArray[np.float64]],
    least: float,
    share: float,
) -> NDArray[np.bool_]:
    """Return where at least a share of the other symbols, and three, do the same on that session.

    Parameters
    ----------
    panel : Panel
        All symbols.
    rows : ndarray of int
        Rows of the panel.
    measure : callable
        ``(panel, rows) -> sizes`` of what is compared; the sign is its direction.
    least : float
        Size from which on another symbol does the same.
    share : float
        Share of the other symbols of the session.
    """
    shared = np.zeros(len(rows), bool)
    if not len(rows) or len(panel.symbols) <= _OTHERS:
        return shared
    first, last = panel.span
    wanted = np.zeros(last - first + 1, bool)
    wanted[panel.days[rows] - first] = True
    every = np.flatnonzero(wanted[panel.days - first])
    sizes, days = measure(panel, every), panel.days[every] - first
    present = np.bincount(days, minlength=len(wanted))
    own, place = measure(panel, rows), panel.days[rows] - first
    for sign in (-1, 1):
        same = np.bincount(days[sign * sizes >= least], minlength=len(wanted))
        others = same[place] - (sign * own >= least)
        shared |= (sign * own > 0) & (others >= np.maximum(_OTHERS, share * (present[place] - 1)))
    return shared


def trailing_zeros(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many zeros each whole number ends in, NaN where it is not above zero."""
    count = np.where(volume > 0, 0.0, np.nan)
    for zeros in range(1, 10):
        count += volume % 10**zeros == 0
    return count


def is_lasting(
    steps: NDArray[np.float64], rows: NDArray[np.int64], tolerance: float, share: float = 0.0
) -> bool:
    """Return whether the step into any stretch of `rows` is taken back neither in it nor right after it.

    Parameters
    ----------
    steps : ndarray
        Changes since the row before.
    rows : ndarray of int
        Ascending.
    tolerance, share : float
        What may remain of a step, and which share of it.
    """
    for stretch in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
        into, later = steps[stretch[0]], steps[stretch[0] + 1 : stretch[-1] + 2]
        if not (np.abs(into + later) <= tolerance + share * np.abs(into)).any():
            return True
    return False
