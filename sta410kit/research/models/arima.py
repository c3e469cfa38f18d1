"""ARIMA of the log price, which is ARMA of the log return, and boosting on what it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.utils.validation import validate_data

from sta410kit.research.models.boosting import make as make_boosting
from sta410kit.research.models.series import SeriesRegressor

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_INSIDE = 0.98  # a root nearer to the unit circle is a unit root for all the data can tell


class ArimaRegressor(SeriesRegressor):
    """ARIMA(1, 1, 1) with drift of the log price, estimated by conditional least squares.

    ``r[t] - m = phi (r[t-1] - m) + e[t] + theta e[t-1]`` with the sum of squared ``e`` made least, starting
    from zero before the first session (Box, Jenkins, Reinsel and Ljung 2015, section 7.1.2): for years of
    returns the same as maximum likelihood to three digits, and some hundred times faster than a state space.
    """

    def estimate(self, series: Array, start: Array | None) -> Array:  # noqa: ARG002 - fast enough from cold
        """Return ``(mean, phi, theta)`` of the daily return; both lie within 0.98 of zero."""
        from scipy.optimize import least_squares  # type: ignore[import-untyped,unused-ignore]

        mean, scale = float(series.mean()), float(series.std())
        away = (series - mean) / scale

        def surprises(free: Array) -> Array:
            return _surprises(away, *(_INSIDE * np.tanh(free)))

        # Two starts, to either side: with roots that nearly cancel, the valley is long and bends.
        found = [least_squares(surprises, begin) for begin in ([0.3, -0.2], [-0.3, 0.2])]
        phi, theta = _INSIDE * np.tanh(min(found, key=lambda one: float(one.cost)).x)
        return np.array([mean, phi, theta])

    def forecasts(self, series: Array, parameters: Array) -> Array:
        """Return the sum of the next returns' conditional means."""
        mean, phi, theta = parameters
        away = series - mean
        tomorrow = phi * away + theta * _surprises(away, phi, theta)
        fading = np.sum(phi ** np.arange(self.horizon))
        return np.asarray(self.horizon * mean + tomorrow * fading)


def _surprises(away: Array, phi: float, theta: float) -> Array:
    """Return ``e`` of ``e[t] = away[t] - phi away[t-1] - theta e[t-1]``; it looks backwards only."""
    from scipy.signal import lfilter  # type: ignore[import-untyped,unused-ignore]

    return np.asarray(lfilter([1.0, -phi], [1.0, theta], away))


class ArimaBoostingRegressor(ArimaRegressor):
    """ARIMA a symbol at a time, then gradient boosting of the features on what ARIMA left unexplained.

    The hybrid of Zhang (2003), with trees in the place of a neural network.

    Parameters
    ----------
    horizon, returns, least
        See `SeriesRegressor`.
    random_state : int
        Seed of the boosting.
    """

    def __init__(
        self, horizon: int = 1, *, returns: str = "return_1", least: int = 126, random_state: int = 42
    ) -> None:
        super().__init__(horizon, returns=returns, least=least)
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit ARIMA to each symbol's returns, then boosting to the target less ARIMA's forecast."""
        frame = self._framed(X)
        features, target = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        self._fit_series(frame)
        self.booster_ = make_boosting(self.random_state).fit(features, target - self._forecast(frame))
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return ARIMA's forecast plus the boosting's correction."""
        linear = super().predict(X)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(linear + self.booster_.predict(features))
