"""Whether intervals keep what they promise, at several levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research import conformal
from sta410kit.research.frames import require_predictions, require_rows_of
from sta410kit.research.targets import realised_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd


def reliability(
    predictions: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    levels: Iterable[float] = (0.5, 0.8, conformal.LEVEL, 0.95),
    scale: conformal.Scale | None = None,
) -> pd.DataFrame:
    """Return the coverage of intervals made anew at several levels around the same predictions.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    prices : DataFrame
        The prices frame they were made from.
    levels : iterable of float
        Shares of outcomes that intervals should hold.
    scale : callable, optional
        As in `conformal.add_intervals`.

    Returns
    -------
    DataFrame
        Columns ``level, coverage, error, outcomes``, one row a level; ``error`` is the standard error of a
        share of `level`, counting outcomes that do not overlap.

    Raises
    ------
    DataValidationError
        If the predictions are too few for an interval at a level, mix models or horizons, or are of a symbol
        or session that the prices do not have.
    FeatureEngineeringError
        If the prices are not sorted, hold a session twice, or hold a price that is not a positive number.
    """
    import pandas as pd

    require_predictions(predictions)
    horizon = int(predictions["horizon"].iloc[0])
    realised = realised_on(prices, horizon)  # refuses prices out of order
    require_rows_of(predictions, prices, "predictions", DataValidationError)
    known = prices[["symbol", "date"]].assign(known=realised.to_numpy())
    table = predictions[["symbol", "date", "predicted"]].assign(target=predictions["actual"])
    table = table.merge(known, on=["symbol", "date"], how="left").dropna(subset=["known"])
    rows = []
    for level in sorted(set(levels)):
        found = conformal.add_intervals(table, prices, horizon, level, scale=scale)
        if found.empty:
            message = (
                f"{predictions['date'].nunique()} sessions of predictions are too few for intervals at level "
                f"{level}, which take {conformal.burn_in(horizon, level)}; load a longer period or leave the "
                "level out."
            )
            raise DataValidationError(message)
        inside = found["target"].between(found["lower"], found["upper"])
        error = (level * (1 - level) * horizon / len(found)) ** 0.5
        rows.append((level, float(inside.mean()), error, len(found)))
    return pd.DataFrame(rows, columns=["level", "coverage", "error", "outcomes"])
