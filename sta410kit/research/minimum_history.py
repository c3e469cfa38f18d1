"""Whether prices reach back far enough, checked before any work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import DataValidationError
from sta410kit.research import conformal
from sta410kit.research.folds import MIN_TRAIN
from sta410kit.research.frames import require_columns

if TYPE_CHECKING:
    import pandas as pd

SHORTEST = 429  # sessions that the default features, training and a forecast over one session need
_SHARE = 0.5  # smallest share of rows with all features that the suite `features` accepts


def require_features(features: pd.DataFrame) -> None:
    """Raise `DataValidationError` if a short history leaves most rows without all features."""
    require_columns(features, ("symbol", "date"), "features", DataValidationError)
    full = features.notna().all(axis=1)
    sessions = features["date"].nunique()
    # Values missing in a long history are for the gate.
    if sessions >= SHORTEST or full.mean() >= _SHARE:
        return
    message = (
        f"the history is too short: {pluralize(sessions, 'session')}, "
        f"{features.loc[full, 'date'].nunique()} of them with all features. The chain needs {SHORTEST} "
        "sessions or more; load a longer period."
    )
    raise DataValidationError(message)


def require_training(table: pd.DataFrame, prices: pd.DataFrame, horizon: int) -> None:
    """Raise `DataValidationError` unless a walk-forward leaves enough predictions for a forecast's interval.

    Parameters
    ----------
    table : DataFrame
        From `walk_forward.training_table`.
    prices : DataFrame
        The prices frame it was made from.
    horizon : int
        Sessions the target looks ahead.
    """
    there, sessions = table["date"].nunique(), prices["date"].nunique()
    past = conformal.burn_in(horizon)
    # The first training block and the purge; the errors that the first interval of a prediction needs; and
    # the predictions that the forecast's own interval needs.
    needed = MIN_TRAIN + horizon + past + horizon - 1 + past
    if there < needed:
        message = (
            f"the history is too short: {pluralize(sessions, 'session')}, {there:,} of them with all "
            "features and a known outcome. Training and a forecast over "
            f"{pluralize(horizon, 'session')} need {needed:,} of these, so "
            f"{sessions + needed - there:,} sessions or more; load a longer period"
            f"{', or shorten the horizon' if horizon > 1 else ''}."
        )
        raise DataValidationError(message)
