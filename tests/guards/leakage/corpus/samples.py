"""Statistics over the whole sample: what is fitted once, on everything, and applied to the past."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import pairs_by_frame, pairs_by_symbol


def _returns(prices: pd.DataFrame, lags: int = 4) -> pd.DataFrame:
    """Return the last daily returns of each row, 0 where there are none yet."""
    daily = prices.groupby("symbol", sort=False)["close"].pct_change()
    columns = {lag: daily.groupby(prices["symbol"], sort=False).shift(lag) for lag in range(lags)}
    return pd.DataFrame(columns).fillna(0.0)


def _principal(prices: pd.DataFrame) -> Any:
    from sklearn.decomposition import PCA

    return PCA(1, svd_solver="full").fit_transform(_returns(prices).to_numpy())[:, 0]


def _clusters(prices: pd.DataFrame) -> Any:
    from sklearn.cluster import KMeans

    table = prices[["close"]].to_numpy()
    model = KMeans(3, n_init=1, random_state=0, algorithm="lloyd").fit(table)
    return model.cluster_centers_[model.labels_, 0]


def _scaled(prices: pd.DataFrame) -> Any:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit_transform(_returns(prices).to_numpy())[:, 0]


def _imputed(prices: pd.DataFrame) -> pd.Series[Any]:
    close = prices["close"].where(prices["date"].dt.day % 5 > 0)
    return close.fillna(close.groupby(prices["symbol"]).transform("mean"))


def _imputed_from_the_past(prices: pd.DataFrame) -> pd.Series[Any]:
    close = prices["close"].where(prices["date"].dt.day % 5 > 0)
    past = close.groupby(prices["symbol"], sort=False).expanding().mean().droplevel(0)
    return close.fillna(past)


def _winsorised(series: pd.Series[Any]) -> pd.Series[Any]:
    returns = series.pct_change()
    return returns.clip(float(returns.quantile(0.1)), float(returns.quantile(0.9)))


def _regime(series: pd.Series[Any], median: Any) -> pd.Series[Any]:
    high: pd.Series[Any] = series.pct_change().rolling(10).std() > median
    return high.map({True: "high", False: "low"})


def _detrended(series: pd.Series[Any]) -> Any:
    days = np.arange(len(series))
    return series - np.polyval(np.polyfit(days, series, 1), days) if len(series) > 1 else series * 0


def _autoregressive(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return the forecast of a regression of returns on the returns before, fitted on all of them."""
    today = series.pct_change().fillna(0.0)
    before = today.shift(1).fillna(0.0)
    return today * ((today * before).sum() / max(float((before**2).sum()), 1e-12))


def _autoregressive_then(series: pd.Series[Any]) -> pd.Series[Any]:
    today = series.pct_change().fillna(0.0)
    before = today.shift(1).fillna(0.0)
    return today * (today * before).cumsum() / (before**2).cumsum().clip(lower=1e-12)


CASES = (
    *pairs_by_symbol(
        z_score=(
            lambda s: (s - s.mean()) / s.std(),
            lambda s: (s - s.rolling(252, min_periods=20).mean()) / s.rolling(252, min_periods=20).std(),
        ),
        minimum_and_maximum=(
            lambda s: (s - s.min()) / (s.max() - s.min()),
            lambda s: (s - s.cummin()) / (s.cummax() - s.cummin()).replace(0, np.nan),
        ),
        distance_from_the_high=(lambda s: s / s.max() - 1, lambda s: s / s.cummax() - 1),
        rank=(lambda s: s.rank(pct=True), lambda s: s.expanding().rank(pct=True)),
        winsorised=(_winsorised, lambda s: s.pct_change().clip(-0.05, 0.05)),
        demeaned_returns=(
            lambda s: s.pct_change() - s.pct_change().mean(),
            lambda s: s.pct_change() - s.pct_change().expanding().mean(),
        ),
        # A line through the whole sample; the mean change so far.
        detrended=(_detrended, lambda s: s - s.iloc[0] - s.diff().expanding().mean()),
        volatility_regime=(
            lambda s: _regime(s, s.pct_change().rolling(10).std().median()),
            lambda s: _regime(s, s.pct_change().rolling(10).std().expanding().median()),
        ),
        a_models_coefficient=(_autoregressive, _autoregressive_then),
        # Prices do not matter, their number does.
        days_from_the_end=(
            lambda s: pd.Series(np.arange(len(s))[::-1], index=s.index),
            lambda s: pd.Series(np.arange(len(s)), index=s.index),
        ),
        # The twin is a column that is legitimately constant.
        share_of_the_sample=(
            lambda s: pd.Series(np.arange(len(s)) / len(s), index=s.index),
            lambda s: pd.Series(1.0, index=s.index),
        ),
        day_of_the_high=(lambda s: s == s.max(), lambda s: s == s.cummax()),
    ),
    *pairs_by_frame(
        # Edges from the whole sample; fixed edges, as a category.
        quantile_bins=(
            lambda p: pd.qcut(p["close"], 5, labels=False),
            lambda p: pd.cut(p["close"], [0, 20, 50, 100, 200, np.inf]),
        ),
        standard_scaler=(
            _scaled,
            lambda p: p.groupby("symbol", sort=False)["close"].transform(
                lambda s: s.pct_change() / s.pct_change().ewm(span=60, min_periods=10).std()
            ),
        ),
        # Fitted on all rows; a component with fixed loadings.
        principal_component=(_principal, lambda p: _returns(p).mean(axis=1)),
        # Centres of all rows; the nearest of three fixed levels.
        clusters=(_clusters, lambda p: np.array([20.0, 80.0, 200.0])[np.digitize(p["close"], [50, 140])]),
        imputation=(_imputed, _imputed_from_the_past),
    ),
)
