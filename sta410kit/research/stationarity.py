"""Stationarity of prices, returns and features: two tests with opposite null hypotheses."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import DataValidationError
from sta410kit.research.features import feature_names, require_features_frame
from sta410kit.research.frames import require_prices

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATIONARY, UNIT_ROOT, UNCLEAR, TOO_SHORT = "stationary", "unit root", "unclear", "too short"
LEVEL, RETURN = "log price", "log return"
_SHORTEST = 100  # sessions; below, both tests say little
_SIGNIFICANCE = 0.05


def stationarity(prices: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return two stationarity tests of the log price, the log return and each feature, for every symbol.

    The null hypothesis of the augmented Dickey-Fuller test (Said and Dickey 1984) is a unit root, that of
    KPSS (Kwiatkowski, Phillips, Schmidt and Shin 1992) stationarity around a constant. A series reads
    stationary if only the first rejects, unit root if only the second does, and unclear otherwise. A model
    fitted to a series with a unit root finds spurious relations (Granger and Newbold 1974). Gaps are skipped.

    Parameters
    ----------
    prices : DataFrame
        A prices frame.
    features : DataFrame
        A features frame of the same symbols.

    Returns
    -------
    DataFrame
        Columns ``symbol, series, sessions, adf_p, kpss_p, reading``; KPSS p values are bounded to 0.01 and
        0.1, where its table ends. Lags of both are 12 (n / 100)^(1/4), Schwert's rule.

    Raises
    ------
    DataValidationError
        If the frames have no symbol in common, or one is not sorted, holds duplicates or text.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    require_prices(prices, DataValidationError, ("adj_close",))
    require_features_frame(features, DataValidationError)
    symbols = [name for name in pd.unique(prices["symbol"]) if name in set(features["symbol"])]
    if not symbols:
        message = "prices and features have no symbol in common; build the features from these prices."
        raise DataValidationError(message)
    rows = []
    for symbol in symbols:
        level = np.log(prices.loc[prices["symbol"] == symbol, "adj_close"].to_numpy(dtype=float))
        own = features.loc[features["symbol"] == symbol]
        series = {LEVEL: level, RETURN: np.diff(level)}
        series |= {name: own[name].to_numpy(dtype=float) for name in feature_names(features)}
        # On several threads, regressions this small take four to twenty-five times as long.
        with threadpool_limits(limits=1):
            rows += [{"symbol": symbol, "series": name, **_judge(values)} for name, values in series.items()]
    return pd.DataFrame(rows)


def _judge(values: NDArray) -> dict[str, object]:  # type: ignore[type-arg]
    known = values[np.isfinite(values)]
    if len(known) < _SHORTEST or np.ptp(known) == 0:
        return {"sessions": len(known), "adf_p": np.nan, "kpss_p": np.nan, "reading": TOO_SHORT}
    from statsmodels.tsa.stattools import adfuller, kpss

    lags = int(12 * (len(known) / 100) ** 0.25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # p values at the end of the table; a future return type
        adf = float(adfuller(known, maxlag=lags, autolag=None)[1])
        kpss_p = float(kpss(known, regression="c", nlags=lags)[1])
    root, moving = adf > _SIGNIFICANCE, kpss_p < _SIGNIFICANCE
    reading = UNCLEAR if root == (not moving) else UNIT_ROOT if root else STATIONARY
    return {"sessions": len(known), "adf_p": adf, "kpss_p": kpss_p, "reading": reading}
