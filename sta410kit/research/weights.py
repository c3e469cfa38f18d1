"""From predictions to the weights wanted after each close.

=====================  ==================================================================================
`sign`                 equal amounts, long or short by the sign of the prediction
`proportional`         amounts in proportion to the predictions of the date
`quantile`             half the capital long in the highest quantile of the date, half short in the lowest
`minimum_variance`     sides by sign, amounts with the smallest variance
`mean_variance`        sides by sign, amounts with the largest ratio of prediction to volatility
=====================  ==================================================================================

The last two are solved by skfolio (extra `portfolio`) for every decision date, from the covariance of the
252 sessions up to it, shrunk as by Ledoit and Wolf (2004, J. Multivariate Analysis 88). A symbol without all
of these returns gets no weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from loguru import logger

from sta410kit._internal.argument_checks import require_positive, require_whole
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.costs import SESSIONS_A_YEAR
from sta410kit.research.factor import QUANTILES, quantile_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.research.costs import Limits

    Floats = NDArray[np.float64]

WeightingName = Literal["sign", "proportional", "quantile", "minimum_variance", "mean_variance"]
"""The type of `weighting` in the notebooks' parameters."""

_BY_COVARIANCE = ("minimum_variance", "mean_variance")
_WINDOW = 252  # sessions of a covariance
_FEWEST = 63  # returns, for a volatility
_ROUNDING = 1e-12  # a smaller prediction is zero: a mean of excesses over the market
_DECAY = 0.97  # of squared returns a session: half of the weight on the last 23


@dataclass(frozen=True)
class Weighting:
    """How predictions become weights.

    `quantiles` is the number of groups of `quantile`. With `volatility`, an annual standard deviation, all
    weights of a session are scaled so that the portfolio is expected to have it; `Limits.max_gross` bounds
    what is borrowed for that. The expectation is the exponentially weighted covariance of RiskMetrics (J.P.
    Morgan 1996, Technical Document) up to that close, with a decay of 0.97.

    Raises
    ------
    ConfigurationError
        If the name is unknown, a number is out of range, or skfolio is needed and not installed.
    """

    name: WeightingName = "sign"
    quantiles: int = QUANTILES
    volatility: float | None = None

    def __post_init__(self) -> None:
        if self.name not in get_args(WeightingName):
            known = get_args(WeightingName)
            message = f"weighting is {self.name!r}; use {', '.join(known)}.{did_you_mean(self.name, known)}"
            raise ConfigurationError(message)
        require_whole("quantiles", self.quantiles, 2)
        if self.volatility is not None:
            require_positive("volatility", self.volatility, "a standard deviation a year, 0.1 for 10 %")
        if self.name in _BY_COVARIANCE:
            _require_skfolio(self.name)


def weights_of_decisions(  # noqa: PLR0913, PLR0917 - all that a decision knows
    predicted: pd.DataFrame,
    closes: Floats,
    weighting: Weighting,
    horizon: int,
    threshold: float,
    limits: Limits,
) -> Floats:
    """Return the weights wanted after each close, before limits and the volatility target.

    Each decision gets 1/`horizon` of the capital for `horizon` sessions: overlapping portfolios, Jegadeesh
    and Titman (1993, Journal of Finance 48).

    Parameters
    ----------
    predicted : DataFrame of shape (sessions, symbols)
        Log returns; NaN where there is no decision.
    closes : array of the same shape
        Adjusted closes; a gap repeats the last one.
    weighting, threshold, limits
        As in `backtest.backtest`.

    Returns
    -------
    array of shape (sessions, symbols)
        The absolute weights of a decision sum to at most 1.
    """
    values = predicted.to_numpy(dtype=float)
    view = np.where(np.abs(values) > max(threshold, _ROUNDING), values, 0.0)  # False for NaN
    if weighting.name == "sign":
        share = np.sign(view) / np.maximum(np.isfinite(values).sum(axis=1), 1)[:, None]
    elif weighting.name == "proportional":
        share = _to_one(view)
    elif weighting.name == "quantile":
        group = quantile_of(values, weighting.quantiles)
        high, low = ((group == end) * 1.0 for end in (weighting.quantiles, 1))
        both = high.any(axis=1) & low.any(axis=1)  # without an order there is nothing to hold
        share = (_to_one(high) - _to_one(low)) / 2 * both[:, None] * (view != 0)
    else:
        share = _by_covariance(np.maximum(view, 0.0) if limits.long_only else view, closes, weighting, limits)
    total = np.zeros_like(share)
    for age in range(min(horizon, len(share))):
        total[age:] += share[: len(share) - age]
    return np.asarray(total / horizon)


def scaled_to_volatility(weights: Floats, closes: Floats, volatility: float) -> Floats:
    """Return weights scaled to an expected annual volatility, from the returns up to each close.

    Symbols with fewer than 63 returns get no weight. Shapes are (sessions, symbols).
    """
    returns = _returns(closes)
    known = np.cumsum(np.isfinite(returns), axis=0)
    weights = np.where(known >= _FEWEST, weights, 0.0)
    weight_known = 1 - _DECAY**known  # of an average that began at zero
    covariance = np.zeros((weights.shape[1], weights.shape[1]))
    scaled = np.zeros_like(weights)
    for now, row in enumerate(np.nan_to_num(returns)):
        covariance *= _DECAY
        covariance += (1 - _DECAY) * np.outer(row, row)
        held = np.flatnonzero(weights[now])
        if len(held):
            own = covariance[np.ix_(held, held)] / np.minimum.outer(*2 * [weight_known[now, held]])
            variance = float(weights[now, held] @ own @ weights[now, held]) * SESSIONS_A_YEAR
            if variance > 0:
                scaled[now] = weights[now] * volatility / variance**0.5
    return scaled


def _by_covariance(view: Floats, closes: Floats, weighting: Weighting, limits: Limits) -> Floats:
    """Return the optimal weights of each decision date; the returns of short sides change their sign."""
    returns, share, unsolved = _returns(closes), np.zeros_like(view), 0
    for now in np.flatnonzero(view.any(axis=1)):
        window = returns[max(now + 1 - _WINDOW, 0) : now + 1]
        held = np.flatnonzero((view[now] != 0) & np.isfinite(window).all(axis=0))
        if not len(held):
            continue
        side = np.sign(view[now, held])
        expected = np.abs(view[now, held]) if weighting.name == "mean_variance" else None
        found, solved = _optimal(window[:, held] * side, expected, max(limits.max_weight, 1 / len(held)))
        share[now, held] = side * found
        unsolved += not solved
    if unsolved:
        logger.warning("{} decisions were not solved and got equal amounts.", unsolved)
    return share


def _optimal(returns: Floats, expected: Floats | None, most: float) -> tuple[Floats, bool]:
    """Return long weights that sum to 1, each at most `most`, and whether the solver found them."""
    from skfolio import RiskMeasure
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import EqualWeighted, MeanRisk, ObjectiveFunction
    from skfolio.prior import EmpiricalPrior

    ratio = {} if expected is None else {
        "objective_function": ObjectiveFunction.MAXIMIZE_RATIO,
        "risk_measure": RiskMeasure.STANDARD_DEVIATION,
        "overwrite_expected_return": lambda weights: (expected / expected.max()) @ weights,
    }  # fmt: skip
    prior = EmpiricalPrior(covariance_estimator=LedoitWolf())
    model = MeanRisk(prior_estimator=prior, max_weights=most, fallback=EqualWeighted(), **ratio)
    model.fit(returns)
    return np.asarray(model.weights_), model.fallback_ is None


def _returns(closes: Floats) -> Floats:
    """Return simple returns up to each close; NaN before the second close of a symbol."""
    return closes / np.vstack([np.full_like(closes[:1], np.nan), closes[:-1]]) - 1


def _to_one(values: Floats) -> Floats:
    gross = np.abs(values).sum(axis=1, keepdims=True)
    return values / np.where(gross > 0, gross, 1.0)


def _require_skfolio(name: str) -> None:
    from importlib.util import find_spec

    if find_spec("skfolio") is None:
        message = f"weighting {name!r} needs skfolio: pip install 'sta410kit[portfolio]'"
        raise ConfigurationError(message)
