"""A mean and a variance that switch with a hidden state."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sta410kit.research.models.series import SeriesRegressor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_REGIMES = 2
# Steps of expectation and maximisation, then of quasi-Newton: from cold to the optimum, in a walk from the
# last optimum to one that differs by a quarter's data.
_COLD, _WARM = (30, 50), (15, 2)
# Standard deviations: a crash further out is as likely as nothing in either regime, and would leave no
# probabilities behind.
_FAR = 10.0


class RegimeSwitchingRegressor(SeriesRegressor):
    """Hamilton's (1989) model with two regimes, each with its own mean and variance (statsmodels).

    Forecasts use filtered probabilities, which know the series up to *t*, and never smoothed ones, which
    know how it went on: ``sum over k of (P^k p[t]) m`` for the sessions ahead.

    Parameters
    ----------
    horizon, returns, least
        See `SeriesRegressor`.
    warm_start : bool
        Whether fitting again starts from the parameters of the fit before, which is some twenty times faster
        in a walk.
    """

    def __init__(
        self, horizon: int = 1, *, returns: str = "return_1", least: int = 126, warm_start: bool = True
    ) -> None:
        super().__init__(horizon, returns=returns, least=least)
        self.warm_start = warm_start

    def estimate(self, series: Array, start: Array | None) -> Array:
        """Return the series' scale, then statsmodels' parameters of the series divided by it."""
        scale = float(series.std())
        model = _model(np.clip(series / scale, -_FAR, _FAR))
        begin = {} if start is None else {"start_params": start[1:]}
        em_steps, steps = _COLD if start is None else _WARM
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # that the optimum was not quite reached
            try:
                fitted = model.fit(em_iter=em_steps, maxiter=steps, disp=False, cov_type="none", **begin)
                found = np.asarray(fitted.params, dtype=float)
            except (ValueError, np.linalg.LinAlgError):
                found = np.full(model.k_params, np.nan)
        if not np.isfinite(found).all():  # nothing but the mean can be told: two regimes that are one
            mean = series.mean() / scale
            found = np.array([0.5, 0.5, mean, mean, 1.0, 1.0])
        return np.concatenate([[scale], found])

    def forecasts(self, series: Array, parameters: Array) -> Array:
        """Return the expected sum of the next returns, given the filtered chances of the regimes."""
        scale, values = parameters[0], parameters[1:]
        model = _model(np.clip(series / scale, -_FAR, _FAR))
        known = model.filter(values, return_raw=True).filtered_marginal_probabilities
        move = model.regime_transition_matrix(values)[:, :, 0]
        means = values[model.parameters["exog"]]
        total, chances = np.zeros(len(series)), known
        for _ in range(self.horizon):
            chances = move @ chances
            total += means @ chances
        return np.asarray(total * scale)


def _model(series: Array) -> Any:  # noqa: ANN401 - statsmodels carries no types
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    return MarkovRegression(series, k_regimes=_REGIMES, switching_variance=True)
