"""Scores of predictions: a table per symbol, and each score with a bootstrap interval.

Naive is the forecast of zero return everywhere.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import DataValidationError
from sta410kit.research.bootstrap import interval, optimal_block_length
from sta410kit.research.conformal import LEVEL
from sta410kit.research.forecast_tests import t_test
from sta410kit.research.frames import numbers_of, require_predictions
from sta410kit.research.ledger import Ledger

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.research.panel import Panel

    Floats = NDArray[np.float64]

SCORES = {
    "rmse": "root mean squared error, log return",
    "mae": "mean absolute error, log return",
    "r2": "out-of-sample R² against the forecast of zero",
    "r2_mean": "the same of deviations from the mean of each symbol: a drift earns nothing",
    "directional_accuracy": "share of non-zero outcomes whose sign was predicted",
    "ic_cross_section": "information coefficient: rank correlation over the symbols of a date, mean of dates",
    "ic_time_series": "information coefficient: rank correlation over the dates of a symbol, mean of symbols",
}
_FEWEST_SYMBOLS = 3  # on a date, for a rank correlation


def score_table(
    predictions: pd.DataFrame, *, level: float = LEVEL, ledger: Ledger | None = None
) -> pd.DataFrame:
    """Return the metrics, one row per symbol and a last row ``"all"``.

    A look at scores is a trial like a look at the verdict, and is counted in the ledger.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    level : float
        Share of outcomes that the intervals should hold.
    ledger : Ledger, optional
        Where the trial is counted; the project's by default.

    Returns
    -------
    DataFrame
        Columns ``symbol, predictions, rmse, mae, r2_against_naive, directional_accuracy, coverage,
        coverage_error, pinball, crps``. The out-of-sample R² is that of Campbell and Thompson (2008) with
        zero for the historical mean; `directional_accuracy` leaves out outcomes of zero; `coverage` is the
        share of outcomes inside their interval, ends included, `coverage_error` its standard error (see
        `coverage_error`); `pinball` and `crps` are means of `pinball_loss` and `crps`. NaN where nothing
        moved; `directional_accuracy` also where every prediction is 0.

    Raises
    ------
    DataValidationError
        If the predictions are empty, mix models or horizons, or hold a value that is not finite.
    """
    require_predictions(predictions)
    with suppress(DataValidationError):  # what cannot be compared is no trial
        (ledger or Ledger.of_project()).record_predictions(predictions)
    parts = [(str(symbol), part) for symbol, part in predictions.groupby("symbol", sort=True)]
    return pd.DataFrame(
        [
            {"symbol": name, "predictions": len(part)} | scores_of(part, level)
            for name, part in [*parts, ("all", predictions)]
        ]
    )


def scores_of(predictions: pd.DataFrame, level: float = LEVEL) -> dict[str, float]:
    """Return the metrics of `score_table` of some predictions, without counting a trial."""
    actual, predicted, lower, upper = (
        numbers_of(predictions, name, "predictions") for name in ("actual", "predicted", "lower", "upper")
    )
    error, moved = actual - predicted, actual != 0
    directed = moved.any() and predicted.any()
    naive = float((actual**2).sum())
    inside = (lower <= actual) & (actual <= upper)
    return {
        "rmse": float((error**2).mean() ** 0.5),
        "mae": float(np.abs(error).mean()),
        "r2_against_naive": 1 - float((error**2).sum()) / naive if naive > 0 else np.nan,
        "directional_accuracy": (
            float((np.sign(predicted[moved]) == np.sign(actual[moved])).mean()) if directed else np.nan
        ),
        "coverage": float(inside.mean()),
        "coverage_error": coverage_error(inside, predictions["date"], int(predictions["horizon"].iloc[0])),
        "pinball": float(pinball_loss(actual, lower, upper, level).mean()),
        "crps": float(crps(actual, predicted, lower, upper, level).mean()),
    }


def coverage_error(
    inside: NDArray[np.bool_] | pd.Series[bool], dates: pd.Series[pd.Timestamp], horizon: int = 1
) -> float:
    """Return the standard error of the share of outcomes inside their intervals, one row per prediction.

    Symbols of a date miss together, and the targets of dates less than `horizon` apart overlap: misses are
    summed by date, and the error is that of `forecast_tests.t_test` for their mean over dates.
    """
    hits = pd.Series(np.asarray(inside, dtype=float))
    by_date = (hits - hits.mean()).groupby(dates.to_numpy()).sum().to_numpy()
    return t_test(by_date * (len(by_date) / len(hits)), horizon).error


def pinball_loss(actual: Floats, lower: Floats, upper: Floats, level: float = LEVEL) -> Floats:
    """Return the pinball loss of intervals, the mean of that of both ends; in the unit of `actual`.

    The ends are quantiles *q* at the probabilities *p* = (1 - level) / 2 and (1 + level) / 2, with the loss
    max(p (y - q), (p - 1) (y - q)) (Koenker and Bassett 1978, Econometrica 46). It is the interval score of
    Winkler (1972, JASA 67) times (1 - level) / 4; lower is better.
    """
    tail, below, above = (1 - level) / 2, actual - lower, actual - upper
    losses: Floats = np.maximum(tail * below, (tail - 1) * below) + np.maximum(
        (1 - tail) * above, -tail * above
    )
    return losses / 2


def crps(actual: Floats, predicted: Floats, lower: Floats, upper: Floats, level: float = LEVEL) -> Floats:
    """Return the continuous ranked probability score of predictions with intervals; in the unit of `actual`.

    The distribution is half of a normal on either side of the prediction, its median, so wide that the ends
    are its quantiles at (1 - level) / 2 and (1 + level) / 2. With equal sides it is normal (Gneiting and
    Raftery 2007, JASA 102, section 4.2). Lower is better.
    """
    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    sides = np.maximum(np.stack([predicted - lower, upper - predicted]) / norm.ppf((1 + level) / 2), 1e-12)
    near, far = np.where(actual >= predicted, sides[::-1], sides)
    z = np.abs(actual - predicted) / near
    normal = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.pi**0.5
    half = norm.pdf(0) - 1 / (2 * np.pi**0.5)  # what a standard normal adds on the side without the outcome
    score: Floats = near * (normal - half) + far * half
    return score


@dataclass(frozen=True)
class Estimate:
    """A score and its 95 % interval; NaN where it is undefined."""

    value: float
    low: float
    high: float


def block_of(panel: Panel, column: int) -> float:
    """Return the mean bootstrap block length for a model, long enough to span the overlap of targets."""
    actual, predicted = panel.actual, panel.predicted[:, column]
    gain = panel.means(actual**2 - (actual - predicted) ** 2)
    least = 2.0 * panel.span if panel.span > 1 else 1.0
    return min(max(optimal_block_length(gain), least), max(1.0, len(gain) / 3))


def score_parts(panel: Panel, column: int) -> Floats:
    """Return per date the sums whose ratio is each score, shape (dates, scores, 2)."""
    actual, predicted = panel.actual, panel.predicted[:, column]
    error, ones = actual - predicted, np.ones_like(actual)
    moved = (actual != 0) * float(predicted.any())  # predictions of 0 throughout have no direction
    hit = moved * (np.sign(predicted) == np.sign(actual))
    timed = panel.centred
    timing_error = timed.actual - timed.predicted[:, column]
    by_date = panel.sums(
        np.column_stack(
            [
                error**2,
                ones,
                np.abs(error),
                ones,
                error**2,
                actual**2,
                timing_error**2,
                timed.actual**2,
                hit,
                moved,
            ]
        )
    )
    across, counted = _rank_correlations(panel, predicted)
    along = panel.sums(_time_series_products(panel, predicted))
    return np.column_stack([by_date, across, counted, along]).reshape(len(by_date), len(SCORES), 2)


def estimates(parts: Floats, draws: Floats, *, block: float, span: int) -> dict[str, Estimate]:
    """Return each defined score with its interval, from `score_parts` and their resampled means."""
    values, spread = _score_values(parts.mean(axis=0)), _score_values(draws)
    found = {}
    for number, name in enumerate(SCORES):
        known = spread[np.isfinite(spread[:, number]), number]
        if np.isfinite(values[number]) and known.size:
            value = float(values[number])
            ends = interval(value, known, sessions=len(parts), block=block, span=span)
            found[name] = Estimate(value, *ends)
    return found


def _score_values(means: Floats) -> Floats:
    """Return scores from mean numerators and denominators, shape (..., scores, 2); NaN where undefined."""
    above, below = means[..., 0], means[..., 1]
    ratio: Floats = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    names = list(SCORES)
    ratio[..., names.index("rmse")] **= 0.5
    for name in ("r2", "r2_mean"):
        ratio[..., names.index(name)] = 1 - ratio[..., names.index(name)]
    return ratio


def _rank_correlations(panel: Panel, predicted: Floats) -> tuple[Floats, Floats]:
    """Return the rank correlation over the symbols of each date, and 1; 0 and 0 where it is undefined."""
    counts = np.bincount(panel.date_index)
    one, two = _ranks(predicted, panel.date_index), _ranks(panel.actual, panel.date_index)
    one, two = one - panel.means(one)[panel.date_index], two - panel.means(two)[panel.date_index]
    cross, first, second = panel.sums(np.column_stack([one * two, one**2, two**2])).T
    known = (counts >= _FEWEST_SYMBOLS) & (first > 0) & (second > 0)
    scale = np.sqrt(first * second)
    return np.divide(cross, scale, out=np.zeros(len(counts)), where=known), known.astype(float)


def _time_series_products(panel: Panel, predicted: Floats) -> Floats:
    """Return per row the product of standardised ranks within its symbol, and its weight."""
    one, two = (
        _standardised(_ranks(values, panel.symbol_index), panel.symbol_index)
        for values in (predicted, panel.actual)
    )
    alive = (np.bincount(panel.symbol_index, one**2) > 0) & (np.bincount(panel.symbol_index, two**2) > 0)
    share = alive / np.bincount(panel.symbol_index)  # symbols weigh the same, independent of their length
    weight = share[panel.symbol_index]
    return np.column_stack([one * two * weight, weight])


def _ranks(values: Floats, group: NDArray[np.int64]) -> Floats:
    return np.asarray(pd.Series(values).groupby(group).rank(), dtype=float)


def _standardised(values: Floats, group: NDArray[np.int64]) -> Floats:
    """Return values with mean 0 and variance 1 within each group; 0 in a constant group."""
    counts = np.bincount(group)
    centred: Floats = values - np.asarray(np.bincount(group, values) / counts)[group]
    deviation: Floats = np.sqrt(np.bincount(group, centred**2) / counts)[group]
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
