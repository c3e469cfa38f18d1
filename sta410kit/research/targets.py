"""The targets: what models predict.

All are built from a log return over `horizon` sessions *h*, unit 1:

``close_to_close``
    From the close of *t* to the close of *t + h*.
``open_to_open``
    From the open of *t + 1*, where a decision at the close of *t* is executed, to the open of *t + 1 + h*.
    What the close alone shows, as the bounce between bid and ask (Roll 1984, J. Finance 39), cannot be earned
    and is not in it.
``market_excess``
    From close to close, less the mean over all members of the universe on the date: the market of equal
    weights.
``volatility_scaled``
    From close to close, divided by the volatility expected at *t* (`volatility.trailing_scale`) and
    multiplied by 1 % times the root of *h*: what a position of constant risk earns (Moskowitz, Ooi and
    Pedersen 2012, J. Financial Economics 104).
``rank``
    The rank of the return from close to close among the same members, from -1 (lowest) to 1; equal
    returns share their mean rank.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError
from sta410kit.research.frames import (
    is_member,
    log,
    require_horizon,
    require_prices,
    require_series,
    unbroken_runs,
)
from sta410kit.research.target_names import DEFAULT, RELATIVE, TargetName, require_target, target_of
from sta410kit.research.volatility import latest_slopes, trailing_scale

__all__ = [
    "TargetName", "build_target", "in_returns", "interval_scale", "interval_slopes", "realised_on",
    "return_scale", "sessions_ahead",
]  # fmt: skip

_VOLATILITY = 0.01  # a session
_STILL = 1e-4  # volatility a session below which a price is halted, not calm


def build_target(
    prices: pd.DataFrame, horizon: int, target: TargetName = DEFAULT, *, at_open: bool = False
) -> pd.DataFrame:
    """Return the target of each session of each symbol.

    Parameters
    ----------
    prices : DataFrame
        A prices frame. Targets are computed from adjusted prices, opens with the factor of their session.
    horizon : int
        Sessions ahead, 1 or more, of the symbol's own.
    target : str
        One of the names above.
    at_open : bool
        Measure any target from the next open, as ``open_to_open``.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, target``, one row per price row, unit 1; NaN in the last `horizon` rows of
        each symbol (one more from opens), whose outcome is not known yet, where a gap lies between the two
        prices, where the symbol is no member of the universe, for a single symbol on a date if symbols are
        compared, and for a price too still to scale.

    Raises
    ------
    ConfigurationError
        If `horizon` is not a positive whole number, there is no such target, or it compares symbols and the
        prices have one only.
    FeatureEngineeringError
        If the prices are not sorted, hold duplicates, or a price that is not a positive number.
    """
    horizon, target = require_horizon(horizon), require_target(target)
    require_prices(prices, FeatureEngineeringError)
    if target in RELATIVE and prices["symbol"].nunique() < 2:  # noqa: PLR2004 - to be compared
        message = (
            f"target is {target}, which compares symbols; the prices hold {prices['symbol'].iloc[0]} only. "
            "Load more symbols, or use another target."
        )
        raise ConfigurationError(message)
    at_open = at_open or target == "open_to_open"
    quoted = prices["adj_close"] * (prices["open"] / prices["close"] if at_open else 1.0)
    first, last = int(at_open), int(at_open) + horizon
    level, run = log(quoted), pd.Series(unbroken_runs(prices), index=prices.index)
    outcome = (level.shift(-last) - level.shift(-first)).where((run == run.shift(-last)) & is_member(prices))
    by_date = outcome.groupby(prices["date"])
    others = by_date.transform("count") - 1
    if target == "market_excess":
        outcome = (outcome - by_date.transform("mean")).where(others > 0)
    elif target == "rank":
        outcome = (2 * (by_date.rank() - 1) / others - 1).where(others > 0)
    elif target == "volatility_scaled":
        outcome /= return_scale(prices, horizon)["scale"].to_numpy()
    return prices[["symbol", "date"]].assign(target=outcome).reset_index(drop=True)


def sessions_ahead(horizon: int, target: TargetName = DEFAULT) -> int:
    """Return the sessions from *t* to the one in which its outcome is known: one more than from opens."""
    return require_horizon(horizon) + int(require_target(target) == "open_to_open")


def realised_on(prices: pd.DataFrame, horizon: int, target: TargetName = DEFAULT) -> pd.Series[pd.Timestamp]:
    """Return, for each price row, the session at whose close its target is known; NaT while it is not.

    This is the symbol's own row *t* + `sessions_ahead`, gaps counted: where a symbol misses rows, it lies
    later than the calendar suggests, and purging by the calendar alone would leak. A target that compares
    symbols is known when the last of them is.
    """
    ahead = sessions_ahead(horizon, target)
    require_series(prices, "prices", FeatureEngineeringError)
    known = prices.groupby("symbol", sort=False)["date"].shift(-ahead)
    if target in RELATIVE:
        known = known.where(is_member(prices))
        known = known.groupby(prices["date"]).transform("max").where(known.notna())
    return known.reset_index(drop=True)


def return_scale(
    prices: pd.DataFrame, horizon: int, slopes: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Return what a log return is divided by to be ``volatility_scaled``, as ``symbol, date, scale``.

    The volatility expected at *t* over 1 % a session; NaN at a gap, until it is known, and where a price has
    stood still for so long that there is none.
    """
    scales = trailing_scale(prices, horizon, slopes)
    daily = scales["scale"] / horizon**0.5
    return scales.assign(scale=(daily / _VOLATILITY).where(daily > _STILL))


def in_returns(
    frame: pd.DataFrame, prices: pd.DataFrame, slopes: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Return predictions or forecasts of ``volatility_scaled`` as log returns, and others unchanged."""
    if target_of(frame) != "volatility_scaled":
        return frame
    scales = return_scale(prices, int(frame["horizon"].iloc[0]), slopes)
    scale = frame[["symbol", "date"]].merge(scales, on=["symbol", "date"], how="left")["scale"].to_numpy()
    numbers = [name for name in ("predicted", "lower", "upper") if name in frame]
    return frame.assign(**{name: frame[name] * scale for name in numbers})


def interval_scale(
    prices: pd.DataFrame,
    horizon: int,
    target: TargetName = DEFAULT,
    slopes: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Return the scale of the errors of a target known at each close, as ``symbol, date, scale``.

    The volatility of the symbol, of its difference from the market if that is the target or, of ranks and of
    what is divided by it already, 1.
    """
    scales = trailing_scale(_measured(prices, target), horizon, slopes)
    if target in {"rank", "volatility_scaled"}:
        scales["scale"] = scales["scale"].where(scales["scale"].isna(), 1.0)
    return scales


def interval_slopes(prices: pd.DataFrame, horizon: int, target: TargetName = DEFAULT) -> tuple[float, float]:
    """Return the slopes of `interval_scale` that are known at the last session."""
    return latest_slopes(_measured(prices, target), horizon)


def _measured(prices: pd.DataFrame, target: TargetName) -> pd.DataFrame:
    """Return prices that move as the outcomes do: those of ``market_excess`` without the market's moves."""
    if target != "market_excess":
        return prices
    level = log(prices["adj_close"])
    moves = level.groupby(prices["symbol"], sort=False).diff()
    by_date = moves.where(is_member(prices)).groupby(prices["date"])
    excess = (moves - by_date.transform("mean")).fillna(0.0).groupby(prices["symbol"], sort=False).cumsum()
    compared = level.notna() & (moves.isna() | (by_date.transform("count") > 1))
    return prices.assign(adj_close=np.exp(excess.where(compared)))
