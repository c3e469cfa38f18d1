"""Figures of an equity curve: return, risk, and their ratios.

All are of simple returns per session, annualised with 252 sessions. A ratio whose denominator is zero is NaN:
a strategy that never traded has no Sharpe ratio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.exceptions import DataValidationError
from sta410kit.research.costs import SESSIONS_A_YEAR

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_FLAT = 1e-14  # a volatility below this is rounding


def session_returns(equity: ArrayLike, start: float = 1.0) -> Floats:
    """Return the simple return of each session along the last axis; 0 once everything is lost."""
    curve = np.asarray(equity, dtype=float)
    returns = np.ones_like(curve)  # in the layout of the curve, which may be transposed
    returns[..., :1] = curve[..., :1] / start
    np.divide(curve[..., 1:], curve[..., :-1], out=returns[..., 1:], where=curve[..., :-1] > 0)
    returns -= 1
    return returns


def drawdowns(equity: ArrayLike, start: float = 1.0) -> Floats:
    """Return the drawdown from the highest equity so far, a fraction of 0 or below."""
    curve = np.asarray(equity, dtype=float)
    below: Floats = curve / np.maximum(np.maximum.accumulate(curve, axis=-1), start) - 1
    return below


def annualised_return(equity: ArrayLike, start: float = 1.0) -> Floats:
    """Return the geometric return per year."""
    curve = np.asarray(equity, dtype=float)
    growth = np.maximum(curve[..., -1] / start, 0.0)
    return np.asarray(growth ** (SESSIONS_A_YEAR / curve.shape[-1]) - 1)


def measure(
    equity: ArrayLike, start: float = 1.0, *, exposure: ArrayLike | None = None, riskless: float = 0.0
) -> dict[str, Floats]:
    """Return the figures of one or many equity curves.

    Parameters
    ----------
    equity : array of shape (..., sessions)
        Equity at the end of each session.
    start : float
        Equity before the first session.
    exposure : array of the same shape, optional
        Sum of absolute weights held in each session.
    riskless : float
        Riskless return of a session; Sharpe and Sortino ratios are of what exceeds it.

    Returns
    -------
    dict of arrays of shape (...)
        ``total_return``; ``annualised_return`` (geometric); ``volatility`` (annualised); ``sharpe`` (mean
        over standard deviation, annualised, Sharpe 1994); ``sortino`` (mean over the root mean of squared
        losses, all sessions counted, annualised, Sortino and Price 1994); ``calmar`` (annualised return over
        the maximum drawdown, Young 1991); ``max_drawdown``; and with `exposure` its mean ``exposure`` and the
        ``hit_rate``, the share of sessions with a position that gained after costs.

    Raises
    ------
    DataValidationError
        If there is no session, or an equity is not finite.
    """
    curve = np.asarray(equity, dtype=float)
    if curve.ndim == 0 or curve.shape[-1] == 0 or not np.isfinite(curve).all():
        message = f"An equity curve needs finite numbers, one per session; got shape {curve.shape}."
        raise DataValidationError(message)
    returns = session_returns(curve, start)
    yearly, worst = annualised_return(curve, start), drawdowns(curve, start).min(axis=-1)
    mean, losses = returns.mean(axis=-1) - riskless, np.minimum(returns - riskless, 0.0)
    several = curve.shape[-1] > 1  # one return has no deviation
    spread = returns.std(axis=-1, ddof=1) if several else np.full(curve.shape[:-1], np.nan)
    root = SESSIONS_A_YEAR**0.5
    figures = {
        "total_return": curve[..., -1] / start - 1,
        "annualised_return": yearly,
        "volatility": spread * root,
        "sharpe": _ratio(mean, spread) * root,
        "sortino": _ratio(mean, (losses * losses).mean(axis=-1) ** 0.5) * root,
        "calmar": _ratio(yearly, -worst),
        "max_drawdown": worst,
    }
    if exposure is not None:
        held = np.asarray(exposure, dtype=float)
        active = held > 0
        figures["exposure"] = held.mean(axis=-1)
        wins = ((returns > 0) & active).sum(axis=-1).astype(float)
        figures["hit_rate"] = _ratio(wins, active.sum(axis=-1).astype(float))
    return figures


def _ratio(above: Floats, below: Floats) -> Floats:
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > _FLAT)
