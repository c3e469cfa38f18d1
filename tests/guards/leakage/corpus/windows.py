"""Shifts, windows and filters: what takes a little of the near future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import by_symbol, pair

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _filtered(series: pd.Series[Any], *, both_ways: bool) -> pd.Series[Any]:
    from scipy.signal import butter, filtfilt, lfilter  # type: ignore[import-untyped] # no stubs

    numerator, denominator = butter(2, 0.1)
    method = filtfilt if both_ways else lfilter
    kwargs = {"padlen": min(12, len(series) - 1)} if both_ways else {}
    return pd.Series(method(numerator, denominator, series.to_numpy(), **kwargs), index=series.index)


def _savgol(series: pd.Series[Any], *, centred: bool) -> pd.Series[Any]:
    from scipy.signal import savgol_coeffs, savgol_filter

    window = 11
    if len(series) < window:
        return series * np.nan
    if centred:
        return pd.Series(savgol_filter(series.to_numpy(), window, 3), index=series.index)
    weights = savgol_coeffs(window, 3, pos=window - 1, use="dot")
    return series.rolling(window).apply(lambda last: float(last @ weights), raw=True)


def _lowess(series: pd.Series[Any]) -> NDArray[np.float64]:
    from statsmodels.nonparametric.smoothers_lowess import lowess

    days = np.arange(len(series), dtype=float)
    share = min(1.0, 31 / len(series))
    smooth: NDArray[np.float64] = lowess(series.to_numpy(), days, frac=share, it=0, return_sorted=False)
    return smooth


def _hodrick_prescott(series: pd.Series[Any]) -> NDArray[np.float64]:
    from statsmodels.tsa.filters.hp_filter import hpfilter

    if len(series) < 4:
        return series.to_numpy() * np.nan
    trend: NDArray[np.float64] = np.asarray(hpfilter(series.to_numpy(), lamb=1600)[1])
    return trend


def _low_pass(series: pd.Series[Any]) -> NDArray[np.float64]:
    waves = np.fft.rfft(series.to_numpy(dtype=float))
    waves[max(2, len(waves) // 20) :] = 0
    return np.fft.irfft(waves, len(series))


def _forth_and_back(series: pd.Series[Any]) -> pd.Series[Any]:
    return series.ewm(span=10).mean()[::-1].ewm(span=10).mean()[::-1]


def _convolved(series: pd.Series[Any], *, centred: bool) -> NDArray[np.float64]:
    weights = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
    whole = np.convolve(series.to_numpy(dtype=float), weights)
    return whole[2 : len(series) + 2] if centred else whole[: len(series)]


CASES = (
    *pair(
        "shift by one",
        "Today's row holds the close of tomorrow.",
        by_symbol(lambda s: s.shift(-1)),
        "The close of yesterday.",
        by_symbol(lambda s: s.shift(1)),
    ),
    *pair(
        "shift by a month",
        "The return of the coming month.",
        by_symbol(lambda s: s.shift(-21) / s - 1),
        "The return of the past month.",
        by_symbol(lambda s: s / s.shift(21) - 1),
    ),
    *pair(
        "shift of volume",
        "Tomorrow's volume over today's; prices alone would not show it.",
        by_symbol(lambda s: s.shift(-1) / s, "volume"),
        "Today's volume over yesterday's.",
        by_symbol(lambda s: s / s.shift(1), "volume"),
    ),
    *pair(
        "filled shift",
        "Tomorrow's close, and where there is none today's: no gap at the end gives it away.",
        by_symbol(lambda s: s.shift(-1).fillna(s)),
        "Yesterday's close, and on the first day that day's.",
        by_symbol(lambda s: s.shift(1).fillna(s)),
    ),
    *pair(
        "difference ahead",
        "diff(-1): today's close less tomorrow's.",
        by_symbol(lambda s: s.diff(-1)),
        "diff(1): today's close less yesterday's.",
        by_symbol(lambda s: s.diff(1)),
    ),
    *pair(
        "centred window",
        "A rolling mean with center=True reaches two sessions ahead.",
        by_symbol(lambda s: s.rolling(5, center=True).mean()),
        "The same window, ending today.",
        by_symbol(lambda s: s.rolling(5).mean()),
    ),
    *pair(
        "reversed window",
        "A rolling minimum over the reversed series is the minimum of the coming ten sessions.",
        by_symbol(lambda s: s[::-1].rolling(10, min_periods=1).min()[::-1]),
        "The minimum of the last ten sessions.",
        by_symbol(lambda s: s.rolling(10, min_periods=1).min()),
    ),
    *pair(
        "convolution",
        "np.convolve(mode='same') is centred.",
        by_symbol(lambda s: _convolved(s, centred=True)),
        "The same weights on the past alone.",
        by_symbol(lambda s: _convolved(s, centred=False)),
    ),
    *pair(
        "Savitzky-Golay",
        "savgol_filter fits its polynomial through both sides.",
        by_symbol(lambda s: _savgol(s, centred=True)),
        "The same polynomial through the last eleven closes, evaluated at the last.",
        by_symbol(lambda s: _savgol(s, centred=False)),
    ),
    *pair(
        "zero-phase filter",
        "filtfilt runs forth and back; that it has no lag is the leak.",
        by_symbol(lambda s: _filtered(s, both_ways=True)),
        "lfilter runs forth only.",
        by_symbol(lambda s: _filtered(s, both_ways=False)),
    ),
    *pair(
        "exponential both ways",
        "An exponential average of an exponential average of the reversed series.",
        by_symbol(_forth_and_back),
        "An exponential average of an exponential average.",
        by_symbol(lambda s: s.ewm(span=10).mean().ewm(span=10).mean()),
    ),
    *pair(
        "lowess",
        "A local regression looks to both sides.",
        by_symbol(_lowess),
        "The end of a line through the last 31 closes.",
        by_symbol(lambda s: s.rolling(31).mean() + 15 * s.diff().rolling(30).mean()),
    ),
    *pair(
        "Hodrick-Prescott",
        "The trend of the HP filter is the solution for the whole sample.",
        by_symbol(_hodrick_prescott),
        "An exponential trend.",
        by_symbol(lambda s: s.ewm(halflife=20).mean()),
    ),
    *pair(
        "Fourier low-pass",
        "A Fourier transform takes in the whole sample.",
        by_symbol(_low_pass),
        "A weighted mean of the last 20 sessions.",
        by_symbol(lambda s: s.ewm(span=20, adjust=False, min_periods=20).mean()),
    ),
    *pair(
        "a trace of tomorrow",
        "A ten-millionth of tomorrow's close is in it.",
        by_symbol(lambda s: s + 1e-7 * s.shift(-1).fillna(s)),
        "A ten-millionth of yesterday's close is in it.",
        by_symbol(lambda s: s + 1e-7 * s.shift(1).fillna(s)),
    ),
    *pair(
        "back-fill",
        "Gaps are filled with what came after.",
        by_symbol(lambda s: s.where(s > s.shift(1)).bfill()),
        "Gaps are filled with what came before.",
        by_symbol(lambda s: s.where(s > s.shift(1)).ffill()),
    ),
    *pair(
        "back-fill of the warm-up",
        "The first values of a rolling mean are filled with the first one that is complete.",
        by_symbol(lambda s: s.rolling(20).mean().bfill()),
        "The first values of a rolling mean are those of a shorter window.",
        by_symbol(lambda s: s.rolling(20, min_periods=1).mean()),
    ),
    *pair(
        "interpolation",
        "Between two known closes lies a line to the later one.",
        by_symbol(lambda s: s.where(s > s.shift(1)).interpolate()),
        "What is not known stays empty: NaN in the same places on every prefix.",
        by_symbol(lambda s: s.where(s > s.shift(1))),
    ),
    *pair(
        "pattern of gaps",
        "There is a value only where tomorrow will be higher; the value itself is honest.",
        by_symbol(lambda s: s.where(s.shift(-1) > s)),
        "There is a value only where today is higher than yesterday.",
        by_symbol(lambda s: s.where(s > s.shift(1))),
    ),
)
