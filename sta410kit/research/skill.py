"""The verdict: whether a model is better than naive, or could have been lucky."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sta410kit.research import ledger
from sta410kit.research.skill_words import NO_SKILL, SKILL, TOO_FEW, page, sentence_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.research.panel import Panel
    from sta410kit.research.skill_evidence import SkillEvidence

    Floats = NDArray[np.float64]

MIN_SESSIONS = 250  # about a year
MIN_SPANS = 25  # targets that do not overlap; below, a horizon of a month would be judged on a dozen outcomes
INFORMATION_LEVEL = 0.01
ACCURACY_LEVEL = 0.20
WITHOUT_BEST_LEVEL = 0.10
RESAMPLES = 2000


@dataclass(frozen=True)
class SkillVerdict:
    """What the predictions show about skill: one of three words, the numbers, and a sentence.

    ``gains`` is the squared error that each date saves against predicting zero, as a share of the whole
    squared error of predicting zero, indexed by date; ``draws`` the R2 of each resample. The figure is drawn
    from them.
    """

    verdict: str
    evidence: SkillEvidence
    sentence: str
    gains: pd.Series[float] = field(repr=False, compare=False)
    draws: Floats = field(repr=False, compare=False)

    def _repr_html_(self) -> str:
        """Return the verdict as a notebook shows it."""
        return page(self.verdict, self.sentence, self.evidence)


def assess_skill(predictions: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 42) -> SkillVerdict:
    """Return whether the predictions beat naive beyond what chance explains, and write the trial down.

    There are two naive forecasts: zero, and the best constant of each symbol, its mean outcome in hindsight.
    A drift alone is therefore no skill, however long it lasts. The verdict is ``"skill"`` if against both

    1. the predictions hold information: Clark and West, one-sided at 1 %, asymptotic and bootstrapped,
       corrected for every model in the frame and every trial in the ledger;
    2. they are accurate enough to be used as they are: a positive gain and R2, and Diebold and Mariano with
       the Harvey correction, and its bootstrap, at 20 %;
    3. it was not one lucky year: without the best 252 sessions in a row (a fifth of all, if that is fewer)
       the gain is still positive, and there still is information at 10 %.

    The first is strict, because chance must not pass. The second is not, because a true R2 of 1 or 2 % leaves
    that much doubt even after ten years. ``docs/calibration.md`` has the measured rates of both errors.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one horizon. Of several models the best is judged, against all of them.
    resamples, seed : int
        Of the stationary bootstrap over dates.

    Returns
    -------
    SkillVerdict
        ``"not enough data"`` below 250 sessions, or below 25 targets that do not overlap.

    Raises
    ------
    DataValidationError
        If the predictions are empty, mix horizons, hold a row twice or a value that is no number.
    """
    from sta410kit.research.panel import read_panel
    from sta410kit.research.skill_evidence import gather

    panel = read_panel(predictions)
    evidence, draws = gather(panel, ledger.record_look(predictions, panel), resamples, seed)
    verdict = _decide(evidence)
    sentence = sentence_of(verdict, evidence, needed=_needed(evidence.horizon))
    return SkillVerdict(verdict, evidence, sentence, _gains(panel, evidence.model), draws)


def _needed(horizon: int) -> int:
    return max(MIN_SESSIONS, MIN_SPANS * horizon)


def _decide(evidence: SkillEvidence) -> str:
    if evidence.sessions < _needed(evidence.horizon):
        return TOO_FEW
    informed = evidence.p_value <= INFORMATION_LEVEL
    # Both ways of averaging have to agree: over dates, and over all predictions as R2 does.
    better = evidence.gain > 0 and evidence.r2 > 0 and evidence.r2_mean > 0
    accurate = better and evidence.p_accuracy <= ACCURACY_LEVEL
    lasting = evidence.gain_without_best > 0 and evidence.p_without_best <= WITHOUT_BEST_LEVEL
    return SKILL if informed and accurate and lasting else NO_SKILL


def _gains(panel: Panel, model: str) -> pd.Series[float]:
    import numpy as np
    import pandas as pd

    error = panel.actual - panel.predicted[:, panel.models.index(model)]
    whole = float(np.sum(panel.actual**2))
    saved = panel.sums(panel.actual**2 - error**2)
    return pd.Series(saved / whole if whole > 0 else saved, panel.dates)
