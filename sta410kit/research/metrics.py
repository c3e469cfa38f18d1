"""How far off the predictions were. Naive is the forecast of zero return everywhere."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research import ledger
from sta410kit.research.frames import numbers_of, require_columns, require_predictions

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def rmse(predictions: pd.DataFrame) -> float:
    """Return the root mean squared error, in log return, unit 1."""
    actual, predicted = _numbers(predictions, "actual", "predicted")
    return float(((actual - predicted) ** 2).mean() ** 0.5)


def mae(predictions: pd.DataFrame) -> float:
    """Return the mean absolute error, in log return, unit 1."""
    actual, predicted = _numbers(predictions, "actual", "predicted")
    return float(abs(actual - predicted).mean())


def r2_against_naive(predictions: pd.DataFrame) -> float:
    """Return 1 minus the squared error over that of predicting zero.

    The out-of-sample R2 of Campbell and Thompson (2008), with zero in place of the historical mean.

    Positive: better than naive. 0: as good. NaN when every outcome was exactly zero.
    """
    actual, predicted = _numbers(predictions, "actual", "predicted")
    naive = float((actual**2).sum())
    own = float(((actual - predicted) ** 2).sum())
    return 1 - own / naive if naive > 0 else float("nan")


def directional_accuracy(predictions: pd.DataFrame) -> float:
    """Return the share of outcomes whose sign was predicted.

    Outcomes of exactly zero have no direction and are left out; a prediction of zero counts as wrong, because
    it names no direction. NaN when nothing moved.
    """
    import numpy as np

    actual, predicted = _numbers(predictions, "actual", "predicted")
    moved = actual != 0
    if not moved.any():
        return float("nan")
    return float((np.sign(predicted[moved]) == np.sign(actual[moved])).mean())


def coverage(predictions: pd.DataFrame) -> float:
    """Return the share of outcomes inside their interval, ends included."""
    actual, lower, upper = _numbers(predictions, "actual", "lower", "upper")
    return float(((lower <= actual) & (actual <= upper)).mean())


def _numbers(predictions: pd.DataFrame, *names: str) -> list[Floats]:
    """Return columns without gaps: skipped, a missing prediction would make no error, and R2 better."""
    require_columns(predictions, names, "predictions", DataValidationError)
    return [numbers_of(predictions, name, "predictions") for name in names]


def score_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return all metrics, one row a symbol and a last row ``"all"``, and count the look in the ledger.

    Returns
    -------
    DataFrame
        Columns ``symbol, predictions, rmse, mae, r2_against_naive, directional_accuracy, coverage``.

    Raises
    ------
    DataValidationError
        If the predictions are empty, mix models or horizons, or hold a value that is no number.
    """
    import pandas as pd

    require_predictions(predictions)
    with suppress(DataValidationError):  # what cannot be judged is no trial
        ledger.record_look(predictions)
    parts = [(str(symbol), part) for symbol, part in predictions.groupby("symbol", sort=True)]
    rows = [
        {"symbol": symbol, "predictions": len(part)} | {metric.__name__: metric(part) for metric in METRICS}
        for symbol, part in [*parts, ("all", predictions)]
    ]
    return pd.DataFrame(rows)


METRICS = (rmse, mae, r2_against_naive, directional_accuracy, coverage)
