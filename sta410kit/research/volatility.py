"""How wide the next return may be: the scale of intervals, known at the close of *t*.

`ewma` costs nothing and has no parameter to fit; `garch` estimates how fast volatility fades and where it
returns to, which matters over longer horizons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError
from sta410kit.research.features import History
from sta410kit.research.frames import require_horizon, require_prices

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

VolatilityName = Literal["ewma", "garch"]
DECAY = 0.94  # J.P. Morgan, RiskMetrics Technical Document, 1996
_FIRST = 21  # returns before the exponential average is trusted
MIN_TRAIN, REFIT_EVERY = 252, 63
_LEAST = 1e-8  # a price that has not moved has a scale all the same, so that nothing is divided by zero
_PERCENT = 100.0  # arch's optimiser is at home with returns in percent
_PERSISTENT = 0.9999


def volatility(
    prices: pd.DataFrame,
    horizon: int = 1,
    model: VolatilityName = "ewma",
    *,
    min_train: int = MIN_TRAIN,
    refit_every: int = REFIT_EVERY,
) -> pd.DataFrame:
    """Return the standard deviation of the log return over the next `horizon` sessions, as known at *t*.

    Parameters
    ----------
    prices : DataFrame
        A prices frame.
    horizon : int
        Sessions ahead.
    model : {"ewma", "garch"}
        ``ewma``: exponentially weighted mean of squared daily log returns with decay 0.94, times the horizon.
        ``garch``: GARCH(1, 1) with a zero mean (Bollerslev 1986), fitted by `arch` to each symbol's returns
        so far; between refits the variance is filtered with the last parameters, and over the horizon the
        forecast returns to its long-run level.
    min_train, refit_every : int
        Returns before the first GARCH fit, and between fits.

    Returns
    -------
    DataFrame
        Columns ``symbol, date, scale``, one row a price row; unit 1. NaN in the first 21 rows of a symbol
        (``ewma``) or the first `min_train` (``garch``). A symbol whose price has not moved gets 1e-8. Where
        GARCH cannot be fitted, `ewma` stands in.

    Raises
    ------
    ConfigurationError
        If the model is unknown or a number makes no sense.
    FeatureEngineeringError
        If the prices are not sorted, hold a session twice, or hold a price that is not a positive number.
    """
    horizon = require_horizon(horizon)
    if model not in ("ewma", "garch"):
        message = f"Unknown volatility model {model!r}. Known: ewma, garch."
        raise ConfigurationError(message)
    for name, value in (("min_train", min_train), ("refit_every", refit_every)):
        require_whole(name, value, of="returns")
    require_prices(prices, FeatureEngineeringError)
    ordered = prices.reset_index(drop=True)
    daily = History(ordered).daily
    variance = _ewma(daily, ordered["symbol"]) * horizon
    if model == "garch":
        for rows in ordered.groupby("symbol", sort=False).indices.values():
            returns: Array = np.array(daily, dtype=np.float64)[rows[1:]]
            fitted = garch_variance(returns, horizon, min_train=min_train, refit_every=refit_every)
            known = np.concatenate([[np.nan], fitted])
            variance[rows] = np.where(np.isinf(known), variance[rows], known)
    scale = np.maximum(np.sqrt(variance), _LEAST)
    return ordered[["symbol", "date"]].assign(scale=scale)


def garch_variance(
    returns: Array, horizon: int = 1, *, min_train: int = MIN_TRAIN, refit_every: int = REFIT_EVERY
) -> Array:
    """Return the variance of the sum of the next `horizon` returns, at each place of one series.

    ``v[t+1] = w + a r[t]^2 + b v[t]``, then ``E v[t+k] = u + (a + b)^(k-1) (v[t+1] - u)`` with the long-run
    ``u = w / (1 - a - b)``. The parameters in force at *t* come from the last refit at or before *t*, on the
    returns up to there.

    Parameters
    ----------
    returns : ndarray of shape (n,)
        Daily log returns, without gaps.
    horizon, min_train, refit_every
        See `volatility`.

    Returns
    -------
    ndarray of shape (n,)
        NaN before place ``min_train - 1``; infinite where no parameters could be fitted.
    """
    found = np.full(len(returns), np.nan)
    start = None
    for begin in range(min_train - 1, len(returns), refit_every):
        end = min(begin + refit_every, len(returns))
        parameters = _fit_garch(returns[: begin + 1], start)
        if parameters is None:
            found[begin:end] = np.inf
            continue
        start = parameters
        found[begin:end] = _ahead(returns[:end], parameters, horizon, seen=begin + 1)[begin:]
    return found


def _fit_garch(returns: Array, start: Array | None) -> Array | None:
    """Return ``(w, a, b)`` for returns in percent, or nothing where there is none."""
    import warnings

    from arch import arch_model

    if np.ptp(returns) == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an optimiser that stopped a hair early
        model = arch_model(_PERCENT * returns, mean="Zero", vol="GARCH", p=1, q=1, rescale=False)
        try:
            fitted = model.fit(disp="off", show_warning=False, starting_values=start)
        except (ValueError, np.linalg.LinAlgError):
            return None
    parameters = np.asarray(fitted.params, dtype=float)
    usable = np.isfinite(parameters).all() and parameters[0] > 0 and parameters[1:].sum() < _PERSISTENT
    return parameters if usable else None


def _ahead(returns: Array, parameters: Array, horizon: int, seen: int) -> Array:
    """Return the variance over the next sessions at each place; the recursion starts at the seen average."""
    from scipy.signal import lfilter  # type: ignore[import-untyped,unused-ignore]

    constant, news, memory = parameters
    squares = (_PERCENT * returns) ** 2
    first = squares[:seen].mean()
    # v[t+1] = (w + a r[t]^2) + b v[t]: a filter with one pole
    tomorrow, _ = lfilter([1.0], [1.0, -memory], constant + news * squares, zi=[memory * first])
    fade = news + memory
    level = constant / (1 - fade)
    total = horizon * level + (tomorrow - level) * np.sum(fade ** np.arange(horizon))
    return np.asarray(total / _PERCENT**2)


def _ewma(daily: pd.Series[float], symbols: pd.Series[str]) -> Array:
    groups = (daily**2).groupby(symbols, sort=False)
    mean = groups.ewm(alpha=1 - DECAY, min_periods=_FIRST).mean().droplevel(0)
    return np.array(mean, dtype=np.float64)
