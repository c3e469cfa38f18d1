"""The named models, one function each: a new model is a new function here and its name in `models`.

Hyperparameters were set once, from what is known about daily returns, and not tuned on the sample prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sta410kit.research.models.boosting import boosting

__all__ = ["arima_boosting", "boosting", "elastic_net", "gd", "mean", "naive", "regime", "ridge"]

if TYPE_CHECKING:
    from sklearn.base import RegressorMixin
    from sklearn.pipeline import Pipeline

    from sta410kit.research.models.series import ArimaBoostingRegressor, RegimeSwitchingRegressor


def naive(_seed: int) -> DummyRegressor:
    """Predict a log return of zero: the random walk."""
    return DummyRegressor(strategy="constant", constant=0.0)


def mean(_seed: int) -> DummyRegressor:
    """Predict the mean target of the training rows, over all symbols (Welch and Goyal 2008)."""
    return DummyRegressor(strategy="mean")


def ridge(_seed: int) -> Pipeline:
    """Ridge regression on standardised features.

    An R² near 0.001 leaves so little signal that a few thousand rows deserve about as much weight as the
    belief that there is none.
    """
    from sklearn.linear_model import Ridge

    return make_pipeline(StandardScaler(), Ridge(alpha=3000.0))


def elastic_net(_seed: int) -> TransformedTargetRegressor:
    """Elastic net on standardised features and target (Zou and Hastie 2005).

    A feature enters when its correlation with the target exceeds 0.015, twice the standard error with 16,000
    rows. The target is standardised too, so that the penalty means the same at every horizon.
    """
    from sklearn.linear_model import ElasticNet

    return _standardised(ElasticNet(alpha=0.03, l1_ratio=0.5, max_iter=10_000))


def gd(_seed: int) -> TransformedTargetRegressor:
    """Elastic net by gradient descent, on standardised features and target.

    ``GD_L2_REG`` is the strength of the whole penalty and ``GD_L1_RATIO`` the share of it that is L1;
    ``GD_LR``, ``GD_ITERATIONS`` and ``GD_MOMENTUM`` set the descent.
    """
    from sta410kit.config import get_config
    from sta410kit.research.models.gradient_descent import GradientDescentRegressor

    settings = get_config().model
    return _standardised(
        GradientDescentRegressor(
            alpha=settings.gd_l2_reg,
            l1_ratio=settings.gd_l1_ratio,
            learning_rate=settings.gd_learning_rate,
            momentum=settings.gd_momentum,
            max_iter=settings.gd_iterations,
            tol=1e-4,  # of a standard deviation of the target: below what years of data can tell
        )
    )


def arima_boosting(seed: int) -> ArimaBoostingRegressor:
    """ARIMA(1, 1, 1) of each symbol's log price, and boosting on its residuals."""
    from sta410kit.research.models.series import ArimaBoostingRegressor

    return ArimaBoostingRegressor(random_state=seed)


def regime(_seed: int) -> RegimeSwitchingRegressor:
    """Markov-switching mean and variance with two regimes, for each symbol."""
    from sta410kit.research.models.series import RegimeSwitchingRegressor

    return RegimeSwitchingRegressor()


def _standardised(estimator: RegressorMixin) -> TransformedTargetRegressor:
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), estimator), transformer=StandardScaler()
    )
