"""The sessions on which a split took effect."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sta410kit.market import columns

if TYPE_CHECKING:
    import pandas as pd

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
