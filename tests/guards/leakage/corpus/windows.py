"""Shifts, windows and filters: what takes a little of the near future."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import by_symbol, pair, pairs_by_symbol

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
        "shift of volume",
        by_symbol(lambda s: s.shift(-1) / s, "volume"),
        by_symbol(lambda s: s / s.shift(1), "volume"),
    ),
    *pairs_by_symbol(
        shift_by_one=(lambda s: s.shift(-1), lambda s: s.shift(1)),
        shift_by_a_month=(lambda s: s.shift(-21) / s - 1, lambda s: s / s.shift(21) - 1),
        # No gap at the end gives it away.
        filled_shift=(lambda s: s.shift(-1).fillna(s), lambda s: s.shift(1).fillna(s)),
        difference_ahead=(lambda s: s.diff(-1), lambda s: s.diff(1)),
        centred_window=(lambda s: s.rolling(5, center=True).mean(), lambda s: s.rolling(5).mean()),
        # The minimum of the coming ten sessions.
        reversed_window=(
            lambda s: s[::-1].rolling(10, min_periods=1).min()[::-1],
            lambda s: s.rolling(10, min_periods=1).min(),
        ),
        convolution=(lambda s: _convolved(s, centred=True), lambda s: _convolved(s, centred=False)),
        # A polynomial through both sides; through the last eleven closes, evaluated at the last.
        savitzky_golay=(lambda s: _savgol(s, centred=True), lambda s: _savgol(s, centred=False)),
        # filtfilt runs forth and back; that it has no lag is the leak.
        zero_phase_filter=(lambda s: _filtered(s, both_ways=True), lambda s: _filtered(s, both_ways=False)),
        exponential_both_ways=(_forth_and_back, lambda s: s.ewm(span=10).mean().ewm(span=10).mean()),
        # A local regression looks to both sides; the end of a line through the last 31 closes does not.
        lowess=(_lowess, lambda s: s.rolling(31).mean() + 15 * s.diff().rolling(30).mean()),
        hodrick_prescott=(_hodrick_prescott, lambda s: s.ewm(halflife=20).mean()),
        fourier_low_pass=(_low_pass, lambda s: s.ewm(span=20, adjust=False, min_periods=20).mean()),
        a_trace_of_tomorrow=(
            lambda s: s + 1e-7 * s.shift(-1).fillna(s),
            lambda s: s + 1e-7 * s.shift(1).fillna(s),
        ),
        back_fill=(lambda s: s.where(s > s.shift(1)).bfill(), lambda s: s.where(s > s.shift(1)).ffill()),
        back_fill_of_the_warm_up=(
            lambda s: s.rolling(20).mean().bfill(),
            lambda s: s.rolling(20, min_periods=1).mean(),
        ),
        # Between two known closes lies a line to the later one; the twin is NaN in the same places.
        interpolation=(lambda s: s.where(s > s.shift(1)).interpolate(), lambda s: s.where(s > s.shift(1))),
        # The values are honest, and where there are some is not.
        pattern_of_gaps=(lambda s: s.where(s.shift(-1) > s), lambda s: s.where(s > s.shift(1))),
    ),
)
