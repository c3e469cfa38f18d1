"""Which stretches of a symbol's prices are in another unit, from the steps into and out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sta410kit.guards.decisions import BAR, days_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_TOLERANCE = 0.25  # log distance of a step from a power of ten
_MOST = 6  # largest power of ten between two units


class Stretch(NamedTuple):
    """Bars in another unit: first and last day since 1970-01-01, what to multiply by, and which columns."""

    first: int
    last: int
    factor: float
    columns: tuple[str, ...]


def stretches_in_another_unit(bars: pd.DataFrame, found: NDArray[np.int32]) -> list[Stretch]:
    """Return the stretches of one symbol that are in another unit than most of its bars.

    A bar is compared with the one before it: over a long stretch a price may move by as much as a unit does.

    Parameters
    ----------
    bars : DataFrame
        Prices of one symbol.
    found : ndarray of int32
        The days that the expectation found; steps elsewhere, such as splits, change no unit.
    """
    names = [name for name in (*BAR, "adj_close") if name in bars and bars[name].dtype.kind in "iuf"]
    bars = bars[bars["close"] > 0].sort_values("date")
    days = days_of(bars["date"])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(bars[names].to_numpy(float))
    steps = np.diff(logs, axis=0, prepend=logs[:1])
    close = steps[:, names.index("close")]
    powers = np.rint(close)
    powers[np.abs(close - powers) > _TOLERANCE / np.log(10)] = 0
    at_finding = np.isin(days, found)
    powers[~(at_finding | np.r_[False, at_finding[:-1]]) | (np.abs(powers) > _MOST)] = 0
    level = np.cumsum(powers).astype(int)
    usual = np.unique(level, return_counts=True)
    level -= usual[0][usual[1].argmax()] if len(level) else 0
    stretches = []
    for part in np.split(np.arange(len(level)), np.flatnonzero(powers)):
        if not len(part) or not level[part[0]]:
            continue
        # The columns that step as the close does, at the edges that the stretch has.
        edges = [at for at in (part[0], part[-1] + 1) if 0 < at < len(level)]
        with_it = [
            name
            for number, name in enumerate(names)
            if all(abs(steps[at, number] - powers[at]) < abs(powers[at]) / 2 for at in edges)
        ]
        factor = float(f"1e{-level[part[0]]}")
        columns = () if len(with_it) == len(names) else tuple(with_it)
        stretches.append(Stretch(int(days[part[0]]), int(days[part[-1]]), factor, columns))
    return stretches
