"""Quantile forecasts: where the price may be over the next sessions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import conformal
from sta410kit.research.frames import require_horizon
from sta410kit.research.targets import build_target, realised_on
from sta410kit.research.volatility import trailing_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LEARNING = 504  # sessions of misses to adapt to; older ones hardly count


def quantile_forecast(
    prices: pd.DataFrame,
    *,
    horizons: Iterable[int] = (1, 2, 5, 10, 21),
    levels: Iterable[float] = (0.5, conformal.LEVEL),
) -> pd.DataFrame:
    """Return intervals of the return over the next sessions, around the forecast of no change.

    For each horizon and level the interval of a naive prediction made at the last session, calibrated on the
    naive predictions before it. A model moves the middle by a fraction of the width.

    Parameters
    ----------
    prices : DataFrame
        A prices frame.
    horizons : iterable of int
        Sessions ahead.
    levels : iterable of float
        Shares of outcomes to hold.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, horizon, level, lower, upper``, sorted; `date` is the last session of the
        prices, bounds are log returns from its close, unit 1. A symbol that ends earlier or with a gap is
        left out.

    Raises
    ------
    ConfigurationError
        If a horizon or level is out of range, or none is given.
    DataValidationError
        If there are too few sessions for a horizon.
    FeatureEngineeringError
        As `targets.build_target`.
    """
    wanted = sorted(set(levels))
    parts = [
        part
        for horizon in sorted(set(horizons))
        for part in _latest_intervals(prices, require_horizon(horizon), wanted)
    ]
    if not parts:
        message = "A quantile forecast needs at least one horizon and one level."
        raise ConfigurationError(message)
    columns = ["symbol", "date", "horizon", "level", "lower", "upper"]
    return pd.concat(parts).sort_values(["symbol", "horizon", "level"], ignore_index=True)[columns]


def _latest_intervals(prices: pd.DataFrame, horizon: int, levels: list[float]) -> Iterator[pd.DataFrame]:
    """Yield the intervals of each symbol's last session around no change, one frame per level."""
    table = build_target(prices, horizon).assign(known=realised_on(prices, horizon))
    scales = trailing_scale(prices, horizon)
    table = table.merge(scales, on=["symbol", "date"]).dropna(subset=["target", "scale"])
    table["score"] = table["target"] / table["scale"]
    days = table["date"].sort_values().unique()
    last = scales[scales["date"].eq(prices["date"].max())].dropna(subset=["scale"])
    for level in levels:
        keep = conformal.window(horizon, level) + conformal.burn_in(horizon, level) + _LEARNING
        recent = table[table["date"].isin(days[-keep:])]
        widths = conformal.latest_quantiles(recent, horizon, level)
        if not math.isfinite(sum(widths)):
            message = (
                f"{len(days)} sessions with a known outcome over {horizon} are too few for an interval at "
                f"level {level}, which needs {conformal.burn_in(horizon, level)}; load a longer period or "
                "leave the horizon out."
            )
            raise DataValidationError(message)
        quantiles = conformal.rolling_quantiles(recent, horizon, level)
        _, factors = conformal.follow_misses(recent, quantiles, horizon, level)
        factor = np.array([factors.get(str(symbol), (1.0, 1.0)) for symbol in last["symbol"]]).reshape(-1, 2)
        below, above = (factor * widths * last["scale"].to_numpy()[:, None]).T
        yield last.assign(horizon=horizon, level=level, lower=-below, upper=above)
