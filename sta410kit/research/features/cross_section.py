"""Ranks and means among the symbols of a session.

None is a default: values depend on which symbols are loaded, so a forecast needs the prices of all symbols
that the model was trained on. Symbols are assumed to close at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.features.registry import feature
from sta410kit.research.features.returns import return_21

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.features.history import History


@feature(default=False)
def rank_return_21(history: History) -> pd.Series[float]:
    """Rank of the log return over 21 sessions among the symbols, -0.5 to 0.5; empty for 21."""
    return history.rank(return_21(history))


@feature(default=False)
def market_return_1(history: History) -> pd.Series[float]:
    """Mean of the daily log returns over the symbols, equal-weighted; empty for 1."""
    return history.market(history.daily)


@feature(default=False)
def excess_return_21(history: History) -> pd.Series[float]:
    """Log return over 21 sessions less the mean over the symbols; empty for 21."""
    return return_21(history) - history.market(return_21(history))
