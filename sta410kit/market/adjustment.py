"""The sessions on which a split took effect, and the close adjusted for splits and dividends."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sta410kit.market import columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

# New shares for one old share, as splits are announced; a reverse split is the inverse.
_WHOLE = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100)
_FORWARD = (*map(Fraction, _WHOLE), Fraction(3, 2), Fraction(4, 3), Fraction(5, 4), Fraction(5, 2))
SPLIT_RATIOS = tuple(sorted({float(r) for r in _FORWARD} | {float(1 / r) for r in _FORWARD}))

# The step of a split is exact but for the rounding of published prices, some 1e-4; a special dividend is a
# step of any size, so the tolerance is kept near the rounding.
_TOLERANCE = 0.002


def find_splits(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the splits that `adj_close` shows.

    A split is a step of ``adj_close / close`` from one session to the next: the price halves, the adjusted
    price does not. A fall of the price alone leaves the quotient as it was.

    Returns
    -------
    DataFrame
        One row per split, with columns ``symbol, date, ratio``: the first session at the new price, and new
        shares for one old share (2.0 for 2-for-1, 0.1 for a reverse split of 1-for-10).

    Raises
    ------
    DataValidationError
        `prices` lacks ``symbol``, ``date``, ``close`` or ``adj_close``.
    """
    import numpy as np
    import pandas as pd

    columns.require(prices, "symbol", "date", "close", "adj_close")
    factor = prices["adj_close"] / prices["close"]
    # Missing and impossible values are skipped, so that the step spans them: refusing them is the gate's job.
    known = prices.loc[np.isfinite(factor) & (factor > 0), ["symbol", "date"]]
    known = known.assign(factor=factor).sort_values(["symbol", "date"], kind="stable")
    step = known["factor"] / known.groupby("symbol", sort=False)["factor"].shift()
    ratios = np.array(SPLIT_RATIOS)
    values = step.to_numpy(dtype=float, na_value=1.0)
    nearest = ratios[np.abs(values[:, None] / ratios - 1).argmin(axis=1)]
    found = np.abs(values / nearest - 1) <= _TOLERANCE
    splits = known[["symbol", "date"]].assign(ratio=nearest)[found]
    return pd.DataFrame(splits).reset_index(drop=True)


def adjusted_close(bars: pd.DataFrame, actions: pd.DataFrame) -> pd.Series[float]:
    """Return the close adjusted backwards for splits and dividends, as CRSP and Yahoo do.

    On its ex-date a split of `n` new shares for one old share multiplies every earlier close by ``1 / n``,
    and a dividend `d` by ``1 - d / c`` with `c` the last close before, in shares of the ex-date. An action
    whose ex-date has no bar yet changes nothing. The newest close is never adjusted.

    Parameters
    ----------
    bars : DataFrame
        ``date, close`` of one symbol, by date; unadjusted.
    actions : DataFrame
        ``date, kind, value`` of the same symbol: ex-date, ``"split"`` with new shares per old share or
        ``"dividend"`` with cash per share.

    Returns
    -------
    Series
        In quote currency, on the index of `bars`.

    References
    ----------
    CRSP, "Data Definitions and Coding Schemes": factor to adjust price.
    """
    import numpy as np

    known = bars["close"].ffill().to_numpy()
    step = np.ones(len(bars) + 1)  # the last for actions that are still to come
    at = np.searchsorted(bars["date"].to_numpy(), actions["date"].to_numpy())
    splits = (actions["kind"] == "split").to_numpy()
    values = actions["value"].to_numpy(dtype=float)
    np.multiply.at(step, at[splits], 1 / values[splits])
    before = np.maximum(at - 1, 0)
    paid = ~splits & (at > 0) & (at < len(bars))
    share = np.zeros(len(step))
    np.add.at(share, at[paid], values[paid] / (known[before[paid]] * step[at[paid]]))
    later = (step * (1 - share))[1:-1][::-1].cumprod()[::-1]
    factor: NDArray[np.float64] = np.append(later, 1.0)[: len(bars)]
    return bars["close"] * factor
