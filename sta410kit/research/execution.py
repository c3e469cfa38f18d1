"""Whether what a model predicts is still there when its orders are executed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.text import percent
from sta410kit.research.forecast_tests import information_p_value, overlap_of
from sta410kit.research.frames import horizon_of, require_predictions
from sta410kit.research.panel import read_panel
from sta410kit.research.target_names import target_of
from sta410kit.research.targets import build_target
from sta410kit.research.verdict import LOST, SKILL

if TYPE_CHECKING:
    import pandas as pd

_LEFT = 0.05  # p value at which something is left


@dataclass(frozen=True)
class Execution:
    """What is left of a forecast from the next open on, where a decision at the close is executed.

    ``r2`` and ``p_value`` (one-sided, of holding information) are those of `skill.assess_skill`, with every
    outcome measured from open to open. ``lost`` says that there is skill and nothing is left of it, which
    ``verdict`` and ``sentence`` then say; else they are the verdict that was given, and empty.
    """

    r2: float
    p_value: float
    lost: bool
    verdict: str
    sentence: str

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(self)


def check_execution(
    predictions: pd.DataFrame, prices: pd.DataFrame, *, verdict: str, sharpe: float
) -> Execution:
    """Return what is left of the predictions where their orders are executed.

    A close may lie at the bid or at the ask, or be an old trade. The next return takes that back, which a
    model learns and no order at the next open can earn.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    prices : DataFrame
        The prices it was made from.
    verdict : str
        On the predictions, from `skill.assess_skill` or `ranking.assess_ranking`.
    sharpe : float
        Of their backtest after costs, a year; for the sentence.

    Raises
    ------
    DataValidationError
        If the predictions mix models, horizons or targets.
    """
    require_predictions(predictions, bounds=False)
    outcomes = build_target(prices, horizon_of(predictions), target_of(predictions), at_open=True)
    outcomes = outcomes.rename(columns={"target": "actual"}).dropna()
    panel = read_panel(predictions.drop(columns="actual").merge(outcomes, on=["symbol", "date"]))
    timed, predicted = panel.centred, panel.predicted[:, 0]
    overlap = overlap_of(timed.grid(timed.predicted[:, 0]), panel.span)
    p_value = information_p_value(2 * timed.means(timed.predicted[:, 0] * timed.actual), overlap)
    moved = float(np.sum(panel.actual**2))
    r2 = 1 - float(np.sum((panel.actual - predicted) ** 2)) / moved if moved > 0 else 0.0
    lost = verdict == SKILL and p_value > _LEFT
    sentence = (
        f"None of it is left at the next open, where orders are executed: R² is {percent(r2, '+z.2%')} from "
        f"open to open (p = {p_value:.2f}) and the Sharpe ratio after costs {sharpe:+.1f}. Closes that "
        "bounce between bid and ask look like this."
    )
    return Execution(r2, p_value, lost, LOST if lost else verdict, sentence if lost else "")
