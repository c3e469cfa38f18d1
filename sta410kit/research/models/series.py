"""Models of a return series: one series per symbol, forecast from its own past.

These regressors have a true `needs_history`: they get frames indexed by symbol and date, and predict for
whole histories. The value of a row depends on the rows of its symbol up to it, never on later ones. Rows that
are left out at a gap of the prices are skipped: the series goes on with the next complete row.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sta410kit.exceptions import ModelTrainingError
from sta410kit.research.models.boosting import boosting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_INSIDE = 0.98  # bound on the ARMA coefficients: the data cannot tell a closer root from a unit root
# Iterations of expectation-maximisation and of quasi-Newton: from a cold start to the optimum, and from the
# optimum of the fold before, which differs by a quarter's data.
_COLD, _WARM = (30, 50), (15, 2)
_CLIP = 10.0  # standard deviations: beyond, both regimes are equally unlikely and probabilities vanish


class SeriesRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Base class: estimates and forecasts each symbol's daily log returns.

    Rows are in time order within their symbol. In a frame the column `returns` holds the daily return; in a
    bare array it is the first column, and all rows are one series.

    Parameters
    ----------
    horizon : int
        Sessions over which the forecast returns are summed.
    returns : str
        Name of the column with the daily log return known at *t*.
    least : int
        Returns a symbol needs to be fitted; with fewer its forecast is the mean return over all symbols.

    Attributes
    ----------
    parameters_ : dict of str to ndarray
        Parameters per symbol.
    mean_ : float
        Mean daily return over all symbols.
    """

    needs_history = True
    forecasts_returns = True  # for every target: from the series itself

    def __init__(self, horizon: int = 1, *, returns: str = "return_1", least: int = 126) -> None:
        self.horizon = horizon
        self.returns = returns
        self.least = least

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Estimate the parameters of each symbol's series; `y` is only validated."""
        frame = self._as_frame(X)
        validate_data(self, X, y, y_numeric=True)
        self._fit_series(frame)
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return for each row the expected log return over the next `horizon` sessions, unit 1."""
        check_is_fitted(self)
        frame = self._as_frame(X)
        validate_data(self, X, reset=False)
        return self._predict_series(frame)

    def estimate(self, series: Array, start: Array | None) -> Array:
        """Return the parameters of a series; `start` holds those of an earlier fit to a shorter one."""
        raise NotImplementedError

    def forecasts(self, series: Array, parameters: Array) -> Array:
        """Return the `horizon`-session forecast made at each element of the series."""
        raise NotImplementedError

    def _fit_series(self, frame: pd.DataFrame) -> None:
        warm = getattr(self, "warm_start", False)
        before: dict[str, Array] = getattr(self, "parameters_", {}) if warm else {}
        self.mean_ = float(frame[self.returns].mean())
        self.parameters_: dict[str, Array] = {}
        for symbol, rows in _series_of(frame):
            values = frame[self.returns].to_numpy(dtype=float)[rows]
            if len(values) >= self.least and np.ptp(values) > 0:
                self.parameters_[symbol] = self.estimate(values, before.get(symbol))

    def _predict_series(self, frame: pd.DataFrame) -> Array:
        predicted = np.full(len(frame), self.horizon * self.mean_)
        for symbol, rows in _series_of(frame):
            if symbol in self.parameters_:
                values = frame[self.returns].to_numpy(dtype=float)[rows]
                predicted[rows] = self.forecasts(values, self.parameters_[symbol])
        return predicted

    def _as_frame(self, x: ArrayLike) -> pd.DataFrame:
        frame = x if isinstance(x, pd.DataFrame) else pd.DataFrame(np.asarray(x))
        if not isinstance(x, pd.DataFrame) and frame.shape[1]:
            frame = frame.rename(columns={0: self.returns})
        if self.returns not in frame:
            message = (
                f"{type(self).__name__} forecasts the feature {self.returns}, which is missing; "
                "build the features with it, or use another model."
            )
            raise ModelTrainingError(message)
        return frame


def _series_of(frame: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield each symbol and its rows in order; all rows are one series where the index names no symbol."""
    if "symbol" not in frame.index.names:
        yield "series", np.arange(len(frame))
        return
    codes, symbols = pd.factorize(frame.index.get_level_values("symbol"))
    order = np.argsort(codes, kind="stable")
    yield from zip(map(str, symbols), np.split(order, np.cumsum(np.bincount(codes))[:-1]), strict=True)


class ArimaRegressor(SeriesRegressor):
    """ARIMA(1, 1, 1) with drift of the log price, estimated by conditional least squares.

    ``r[t] - m = phi (r[t-1] - m) + e[t] + theta e[t-1]`` minimising the sum of squared ``e``, which starts
    from zero (Box, Jenkins, Reinsel and Ljung 2015, section 7.1.2). For years of returns it equals maximum
    likelihood to three digits and is about a hundred times faster than a state-space fit.
    """

    def estimate(self, series: Array, start: Array | None) -> Array:  # noqa: ARG002 - fast without a start
        """Return ``(mean, phi, theta)`` of the daily return."""
        from scipy.optimize import least_squares  # type: ignore[import-untyped,unused-ignore]

        mean, scale = float(series.mean()), float(series.std())
        away = (series - mean) / scale

        def residuals(free: Array) -> Array:
            return _residuals(away, *(_INSIDE * np.tanh(free)))

        # Two starts, on either side: where the roots nearly cancel, the valley is long and curved.
        found = [least_squares(residuals, begin) for begin in ([0.3, -0.2], [-0.3, 0.2])]
        phi, theta = _INSIDE * np.tanh(min(found, key=lambda one: float(one.cost)).x)
        return np.array([mean, phi, theta])

    def forecasts(self, series: Array, parameters: Array) -> Array:
        """Return the sum of the conditional means of the next returns."""
        mean, phi, theta = parameters
        away = series - mean
        tomorrow = phi * away + theta * _residuals(away, phi, theta)
        return np.asarray(self.horizon * mean + tomorrow * np.sum(phi ** np.arange(self.horizon)))


def _residuals(away: Array, phi: float, theta: float) -> Array:
    """Return ``e[t] = away[t] - phi away[t-1] - theta e[t-1]``."""
    from scipy.signal import lfilter  # type: ignore[import-untyped,unused-ignore]

    return np.asarray(lfilter([1.0, -phi], [1.0, theta], away))


class ArimaBoostingRegressor(ArimaRegressor):
    """ARIMA for each symbol, then gradient boosting of the features on the residuals (Zhang 2003).

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

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit ARIMA to each symbol's returns, then boosting to the target minus ARIMA's forecast."""
        frame = self._as_frame(X)
        features, target = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        self._fit_series(frame)
        self.booster_ = boosting(self.random_state).fit(features, target - self._predict_series(frame))
        return self

    def predict(self, X: ArrayLike) -> Array:  # noqa: N803
        """Return ARIMA's forecast plus the correction of the boosting."""
        linear = super().predict(X)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        return np.asarray(linear + self.booster_.predict(features))


class RegimeSwitchingRegressor(SeriesRegressor):
    """Hamilton's (1989) model with two regimes, each with its own mean and variance (statsmodels).

    Forecasts use filtered probabilities, which only know the series up to *t*, never smoothed ones.

    Parameters
    ----------
    horizon, returns, least
        See `SeriesRegressor`.
    warm_start : bool
        Whether a refit starts from the last parameters: about twenty times faster in a walk-forward.
    """

    def __init__(
        self, horizon: int = 1, *, returns: str = "return_1", least: int = 126, warm_start: bool = True
    ) -> None:
        super().__init__(horizon, returns=returns, least=least)
        self.warm_start = warm_start

    def estimate(self, series: Array, start: Array | None) -> Array:
        """Return the scale of the series, then statsmodels' parameters of the scaled series."""
        scale = float(series.std())
        model = _markov(np.clip(series / scale, -_CLIP, _CLIP))
        begin = {} if start is None else {"start_params": start[1:]}
        em_steps, steps = _COLD if start is None else _WARM
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # the optimiser stops short of its own tolerance
            try:
                fitted = model.fit(em_iter=em_steps, maxiter=steps, disp=False, cov_type="none", **begin)
                found = np.asarray(fitted.params, dtype=float)
            except (ValueError, np.linalg.LinAlgError):
                found = np.full(model.k_params, np.nan)
        if not np.isfinite(found).all():  # no two regimes to tell apart: forecast the mean
            mean = series.mean() / scale
            found = np.array([0.5, 0.5, mean, mean, 1.0, 1.0])
        return np.concatenate([[scale], found])

    def forecasts(self, series: Array, parameters: Array) -> Array:
        """Return the expected sum of the next returns, given the filtered regime probabilities."""
        scale, values = parameters[0], parameters[1:]
        model = _markov(np.clip(series / scale, -_CLIP, _CLIP))
        probabilities = model.filter(values, return_raw=True).filtered_marginal_probabilities
        transition = model.regime_transition_matrix(values)[:, :, 0]
        means = values[model.parameters["exog"]]
        total = np.zeros(len(series))
        for _ in range(self.horizon):
            probabilities = transition @ probabilities
            total += means @ probabilities
        return np.asarray(total * scale)


def _markov(series: Array) -> Any:  # noqa: ANN401 - statsmodels carries no types
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    return MarkovRegression(series, k_regimes=2, switching_variance=True)
