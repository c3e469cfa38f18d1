"""Every score of a model with an interval: how far it could be off by chance.

Each score is a ratio of two sums over dates, so that a resample of dates gives a resample of the score. All
symbols of a date are drawn together, because they move together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit.research import bootstrap, ledger
from sta410kit.research.panel import Panel, read_panel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_FEWEST_SYMBOLS = 3  # on a date, before ranking them says anything
_TAILS = (2.5, 97.5)  # percent


@dataclass(frozen=True)
class Estimate:
    """A score and its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


SCORES = {
    "rmse": "root mean squared error, log return",
    "mae": "mean absolute error, log return",
    "r2": "out-of-sample R2 against the forecast of zero",
    "r2_mean": "out-of-sample R2 against the best constant of each symbol, known in hindsight",
    "directional_accuracy": "share of outcomes that moved whose sign was predicted",
    "ic_cross_section": "information coefficient: rank correlation over the symbols of a date, mean of dates",
    "ic_time_series": "information coefficient: rank correlation over the dates of a symbol, mean of symbols",
}


def score_intervals(predictions: pd.DataFrame, *, seed: int = 42) -> pd.DataFrame:
    """Return every score of every model with its 95 % interval, and count the look in the ledger.

    The intervals are from the stationary bootstrap.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one horizon; models are compared on the rows that all of them predicted.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns ``model, score, value, low, high``, one row a model and score; see `SCORES`. NaN where a score
        is not defined: fewer than three symbols on every date, or nothing that moved.

    Raises
    ------
    DataValidationError
        See `panel.read_panel`.
    """
    import numpy as np
    import pandas as pd

    panel = read_panel(predictions)
    ledger.record_look(predictions, panel)
    rows = []
    for column, model in enumerate(panel.models):
        parts = score_parts(panel, column)
        block = block_of(panel, column)
        draws = bootstrap.resampled_means(parts.reshape(len(parts), -1), block=block, seed=seed)
        found = estimates(parts, draws.reshape(-1, *parts.shape[1:]))
        rows += [
            {"model": model, "score": name, "value": one.value, "low": one.low, "high": one.high}
            for name, one in found.items()
        ]
    return pd.DataFrame(rows).astype({"value": np.float64, "low": np.float64, "high": np.float64})


def block_of(panel: Panel, column: int) -> float:
    """Return the mean block length for a model: automatic, and long enough to span the overlap of targets."""
    actual, predicted = panel.actual, panel.predicted[:, column]
    gain = panel.means(actual**2 - (actual - predicted) ** 2)
    widest = max(1.0, len(gain) / 3)
    return min(
        max(bootstrap.optimal_block_length(gain), 2.0 * panel.horizon if panel.horizon > 1 else 1.0), widest
    )


def score_parts(panel: Panel, column: int) -> Floats:
    """Return numerator and denominator of each score, shape (dates, scores, 2)."""
    import numpy as np

    actual, predicted = panel.actual, panel.predicted[:, column]
    error = actual - predicted
    moved = (actual != 0).astype(float)
    hit = moved * (np.sign(predicted) == np.sign(actual))
    ones = np.ones_like(actual)
    across, counted = _rank_correlations(panel, predicted)
    along = _time_series_products(panel, predicted)
    by_date = panel.sums(
        np.column_stack(
            [
                error**2,
                ones,
                np.abs(error),
                ones,
                error**2,
                actual**2,
                error**2,
                (actual - panel.constant) ** 2,
                hit,
                moved,
            ]
        )
    )
    last = panel.sums(along)
    return np.column_stack([by_date, across, counted, last]).reshape(len(by_date), len(SCORES), 2)


def estimates(parts: Floats, draws: Floats) -> dict[str, Estimate]:
    """Return each score with its interval.

    Parameters
    ----------
    parts : array of shape (dates, scores, 2)
        From `score_parts`.
    draws : array of shape (resamples, scores, 2)
        Their resampled means.
    """
    import numpy as np

    values = score_values(parts.mean(axis=0))
    spread = score_values(draws)
    found = {}
    for number, name in enumerate(SCORES):
        known = spread[np.isfinite(spread[:, number]), number]
        defined = np.isfinite(values[number]) and known.size > 0
        low, high = np.percentile(known, _TAILS) if defined else (np.nan, np.nan)
        found[name] = Estimate(float(values[number]), float(low), float(high))
    return found


def score_values(means: Floats) -> Floats:
    """Return scores from mean numerators and denominators, shape (..., scores, 2); NaN where undefined."""
    import numpy as np

    above, below = means[..., 0], means[..., 1]
    ratio: Floats = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    names = list(SCORES)
    ratio[..., names.index("rmse")] **= 0.5
    for name in ("r2", "r2_mean"):
        ratio[..., names.index(name)] = 1 - ratio[..., names.index(name)]
    return ratio


def _rank_correlations(panel: Panel, predicted: Floats) -> tuple[Floats, Floats]:
    """Return the rank correlation of each date over its symbols, and 1; 0 and 0 where there is none."""
    import numpy as np

    counts = np.bincount(panel.day)
    if counts.max() < _FEWEST_SYMBOLS:
        return np.zeros(len(counts)), np.zeros(len(counts))
    one, two = _ranks(predicted, panel.day), _ranks(panel.actual, panel.day)
    one, two = one - panel.means(one)[panel.day], two - panel.means(two)[panel.day]
    cross, first, second = panel.sums(np.column_stack([one * two, one**2, two**2])).T
    known = (counts >= _FEWEST_SYMBOLS) & (first > 0) & (second > 0)
    scale = np.sqrt(first * second)
    return np.divide(cross, scale, out=np.zeros(len(counts)), where=known), known.astype(float)


def _time_series_products(panel: Panel, predicted: Floats) -> Floats:
    """Return for each row the product of standardised ranks within its symbol, and its weight.

    A symbol of which one of the two never changes has no correlation and does not count.
    """
    import numpy as np

    one, two = (
        _standardised(_ranks(values, panel.share), panel.share) for values in (predicted, panel.actual)
    )
    counts = np.bincount(panel.share)
    alive = (np.bincount(panel.share, one**2) > 0) & (np.bincount(panel.share, two**2) > 0)
    # Every symbol counts as much as another, however many dates it has.
    weight = (alive / counts)[panel.share]
    return np.column_stack([one * two * weight, weight])


def _ranks(values: Floats, group: NDArray[np.int64]) -> Floats:
    """Return the rank of each value within its group, ties sharing their mean rank."""
    import numpy as np
    import pandas as pd

    ranks: Floats = np.asarray(pd.Series(values).groupby(group).rank())
    return ranks


def _standardised(values: Floats, group: NDArray[np.int64]) -> Floats:
    """Return values with mean 0 and variance 1 within each group; 0 in a group that never changes."""
    import numpy as np

    counts = np.bincount(group)
    centred: Floats = values - np.asarray(np.bincount(group, values) / counts)[group]
    deviation: Floats = np.sqrt(np.bincount(group, centred**2) / counts)[group]
    standard: Floats = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    return standard
