"""Statistics over the whole sample: what is fitted once, on everything, and applied to the past."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import by_frame, by_symbol, pair


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
    *pair(
        "z-score",
        "Mean and standard deviation are those of the whole sample.",
        by_symbol(lambda s: (s - s.mean()) / s.std()),
        "Mean and standard deviation are those of the past year.",
        by_symbol(
            lambda s: (s - s.rolling(252, min_periods=20).mean()) / s.rolling(252, min_periods=20).std()
        ),
    ),
    *pair(
        "minimum and maximum",
        "Scaled to the range of the whole sample.",
        by_symbol(lambda s: (s - s.min()) / (s.max() - s.min())),
        "Scaled to the range so far; empty on the first day.",
        by_symbol(lambda s: (s - s.cummin()) / (s.cummax() - s.cummin()).replace(0, np.nan)),
    ),
    *pair(
        "distance from the high",
        "The all-time high includes the highs to come.",
        by_symbol(lambda s: s / s.max() - 1),
        "The high so far.",
        by_symbol(lambda s: s / s.cummax() - 1),
    ),
    *pair(
        "rank",
        "Ranked among all days, also the later ones.",
        by_symbol(lambda s: s.rank(pct=True)),
        "Ranked among the days so far.",
        by_symbol(lambda s: s.expanding().rank(pct=True)),
    ),
    *pair(
        "quantile bins",
        "qcut takes its edges from the whole sample.",
        by_frame(lambda p: pd.qcut(p["close"], 5, labels=False)),
        "Bins with fixed edges, as a category.",
        by_frame(lambda p: pd.cut(p["close"], [0, 20, 50, 100, 200, np.inf])),
    ),
    *pair(
        "winsorised",
        "Clipped at the quantiles of all returns.",
        by_symbol(_winsorised),
        "Clipped at five percent.",
        by_symbol(lambda s: s.pct_change().clip(-0.05, 0.05)),
    ),
    *pair(
        "demeaned returns",
        "The mean return of the whole sample is taken off.",
        by_symbol(lambda s: s.pct_change() - s.pct_change().mean()),
        "The mean return so far is taken off.",
        by_symbol(lambda s: s.pct_change() - s.pct_change().expanding().mean()),
    ),
    *pair(
        "detrended",
        "The trend is a line through the whole sample.",
        by_symbol(_detrended),
        "The trend is the mean change so far.",
        by_symbol(lambda s: s - s.iloc[0] - s.diff().expanding().mean()),
    ),
    *pair(
        "volatility regime",
        "High or low against the median of the whole sample, as a label.",
        by_symbol(lambda s: _regime(s, s.pct_change().rolling(10).std().median())),
        "High or low against the median so far, as a label.",
        by_symbol(lambda s: _regime(s, s.pct_change().rolling(10).std().expanding().median())),
    ),
    *pair(
        "standard scaler",
        "StandardScaler is fitted on all rows.",
        by_frame(_scaled),
        "Returns over their exponential volatility.",
        by_symbol(lambda s: s.pct_change() / s.pct_change().ewm(span=60, min_periods=10).std()),
    ),
    *pair(
        "principal component",
        "PCA is fitted on all rows.",
        by_frame(_principal),
        "The mean of the last four returns: a component with fixed loadings.",
        by_frame(lambda p: _returns(p).mean(axis=1)),
    ),
    *pair(
        "clusters",
        "KMeans finds its centres on all rows.",
        by_frame(_clusters),
        "The nearest of three fixed levels.",
        by_frame(lambda p: np.array([20.0, 80.0, 200.0])[np.digitize(p["close"], [50, 140])]),
    ),
    *pair(
        "imputation",
        "Gaps are filled with the mean of the whole sample.",
        by_frame(_imputed),
        "Gaps are filled with the mean so far.",
        by_frame(_imputed_from_the_past),
    ),
    *pair(
        "a model's coefficient",
        "The coefficient of the forecast is fitted on the whole sample.",
        by_symbol(_autoregressive),
        "The coefficient is fitted on the past, anew each day.",
        by_symbol(_autoregressive_then),
    ),
    *pair(
        "days from the end",
        "How many sessions are left: prices do not matter, their number does.",
        by_symbol(lambda s: pd.Series(np.arange(len(s))[::-1], index=s.index)),
        "How many sessions there have been, as a whole number.",
        by_symbol(lambda s: pd.Series(np.arange(len(s)), index=s.index)),
    ),
    *pair(
        "share of the sample",
        "Time as a share of the length of the sample.",
        by_symbol(lambda s: pd.Series(np.arange(len(s)) / len(s), index=s.index)),
        "A column that is legitimately constant.",
        by_symbol(lambda s: pd.Series(1.0, index=s.index)),
    ),
    *pair(
        "day of the high",
        "True on the day of the highest close of the sample, else false.",
        by_symbol(lambda s: s == s.max()),
        "True on each day of a new high.",
        by_symbol(lambda s: s == s.cummax()),
    ),
)
