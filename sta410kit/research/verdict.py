"""The verdicts on skill, and the statistics behind one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING

from sta410kit._internal.text import percent
from sta410kit.research.target_names import DEFAULT, WORDS, TargetName

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.research.metrics import Estimate

    Floats = NDArray[np.float64]

SKILL, NO_SKILL, TOO_FEW = "skill", "no skill shown", "not enough data"
LOST = "skill lost at the next open"  # see `execution`
MIN_SESSIONS = 250  # about a year
MIN_SPANS = 25  # targets that do not overlap: a month ahead, a year holds only twelve
INFORMATION_LEVEL, ACCURACY_LEVEL, WITHOUT_BEST_LEVEL = 0.01, 0.20, 0.10
_SUSPICIOUS_R2 = 0.1  # more than daily returns have been seen to hold


@dataclass(frozen=True)
class SkillEvidence:
    """The statistics behind a verdict on `model`, the best of `models`.

    Squares of the target's unit, and shares; intervals are 95 %; p values are one-sided, each the larger one
    of the two benchmarks (zero, and the mean of each symbol).

    ``r2``, ``r2_low``, ``r2_high``
        Out-of-sample R² against zero; 0 where nothing moved.
    ``r2_mean``
        The same of deviations from each symbol's mean.
    ``gain``, ``gain_low``, ``gain_high``
        Mean over dates of the squared error saved against zero, averaged over the symbols of the date.
    ``p_value``
        Of holding information, corrected for all models in the frame and all `trials`; it decides.
    ``p_information``
        Clark and West, of this model alone.
    ``p_accuracy``
        Diebold and Mariano, or the bootstrap over all models where that is larger.
    ``p_spa``, ``p_reality_check``
        Hansen and White: whether the best gain over zero among `models` is more than the luck of the best.
    ``gain_without_best``, ``p_without_best``
        Gain and information left without the best `stretch` sessions in a row.
    ``trials``, ``newest_trial``, ``uncounted``
        Forecasts of these outcomes evaluated so far, this one included; the last entry of the ledger among
        them; and why trials could not be counted.
    ``target``
        What was predicted, see `targets`.
    ``spacing``
        Business days from one decision date to the next; 1 for daily decisions.
    ``slope``
        By which the predictions' deviations from their means should be multiplied to fit the outcomes'.
    ``faded``
        The last date with information, if it has ended (`forecast_tests.last_of_fading`); else empty.
    ``scores``
        Every defined score with its interval; see `metrics.SCORES`.
    """

    model: str
    models: tuple[str, ...]
    horizon: int
    sessions: int
    symbols: int
    predictions: int
    first: str
    last: str
    r2: float
    r2_low: float
    r2_high: float
    r2_mean: float
    gain: float
    gain_low: float
    gain_high: float
    p_value: float
    p_information: float
    p_accuracy: float
    p_spa: float
    p_reality_check: float
    gain_without_best: float
    p_without_best: float
    stretch: int
    trials: int
    newest_trial: int
    uncounted: str
    block_length: float
    resamples: int
    target: TargetName = DEFAULT
    spacing: int = 1
    slope: float = 1.0
    faded: str = ""
    scores: dict[str, Estimate] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """``"skill"``, ``"no skill shown"`` or ``"not enough data"``."""
        if self.sessions < dates_needed(self.horizon, self.spacing):
            return TOO_FEW
        lasting = self.gain_without_best > 0 and self.p_without_best <= WITHOUT_BEST_LEVEL and not self.faded
        return SKILL if self.informed and self.accurate and lasting else NO_SKILL

    @property
    def informed(self) -> bool:
        """Whether the predictions hold information."""
        return self.p_value <= INFORMATION_LEVEL

    @property
    def accurate(self) -> bool:
        """Whether they are accurate as they are; R² weighs predictions alike, the gain dates."""
        better = self.gain > 0 and self.r2 > 0 and self.r2_mean > 0
        return better and self.p_accuracy <= ACCURACY_LEVEL


@dataclass(frozen=True, repr=False)
class SkillVerdict:
    """What the predictions show about skill: one of three verdicts, the evidence, and a sentence.

    ``gains`` is the squared error saved on each date as a share of naive's total, indexed by date; ``draws``
    the R² of each resample. `plots.plot_verdict` draws both.
    """

    verdict: str
    evidence: SkillEvidence
    sentence: str
    gains: pd.Series[float] = field(compare=False)
    draws: Floats = field(compare=False)

    def __repr__(self) -> str:
        return f"<SkillVerdict {self.verdict}: {self.sentence}>"

    def _repr_html_(self) -> str:
        colours = {SKILL: "#007a59", NO_SKILL: "#9a5b00", TOO_FEW: "#555555"}
        numbers = {name: value for name, value in asdict(self.evidence).items() if name != "scores"}
        rows = "".join(_html_row(name, _formatted(value)) for name, value in numbers.items())
        scores = "".join(
            _html_row(name, *(f"{value:.4g}" for value in (one.value, one.low, one.high)))
            for name, one in self.evidence.scores.items()
        )
        return (
            f'<div style="border-left:4px solid {colours[self.verdict]};padding:0.3em 1em">'
            f"<p><strong>{escape(self.verdict)}</strong>: {escape(self.sentence)}</p>"
            "<details><summary>the numbers</summary><table><tr><th>score</th><th>value</th><th>95 % from</th>"
            f"<th>to</th></tr>{scores}</table><table>{rows}</table></details></div>"
        )


def dates_needed(horizon: int, spacing: int) -> int:
    """Return the fewest decision dates: about a year, and enough targets that do not overlap."""
    return max(-(-MIN_SESSIONS // spacing), MIN_SPANS * -(-horizon // spacing))


def sentence_of(evidence: SkillEvidence) -> str:
    """Return the verdict in one or two sentences."""
    verdict, horizon, naive = evidence.verdict, evidence.horizon, WORDS[evidence.target].naive
    ahead = "for the next session" if horizon == 1 else f"{horizon} sessions ahead"
    if verdict == TOO_FEW:
        needed, dates = (
            dates_needed(horizon, evidence.spacing),
            "sessions" if evidence.spacing == 1 else "decisions",
        )
        return (
            f"{evidence.sessions} {dates} are too few to tell skill from luck {ahead}; {needed} are needed."
        )
    if evidence.gain == evidence.r2 == 0:
        what = f"the naive forecast of {naive} {ahead}"
        itself = f"This is {what} itself, the benchmark for all others"
        said = itself if evidence.model == "naive" else f"{evidence.model} is no different from {what}"
        return f"{said}: every prediction is 0, so direction, ranking and Sharpe ratio are not defined."
    several = f", the best of {len(evidence.models)} models," if len(evidence.models) > 1 else ""
    beats = "beats" if verdict == SKILL else "does not beat"
    r2, low, high = (percent(one, "+z.2%") for one in (evidence.r2, evidence.r2_low, evidence.r2_high))
    trials = "one trial" if evidence.trials == 1 else f"{evidence.trials:,} trials"
    text = (
        f"{evidence.model}{several} {beats} the naive forecast of {naive} {ahead}: out-of-sample R² "
        f"against naive is {r2} (95 % interval {low} to {high}, p = {evidence.p_value:.3f} after {trials}, "
        f"{evidence.sessions:,} sessions)."
    )
    if verdict == SKILL and evidence.r2 > _SUSPICIOUS_R2:
        text += " That is more than returns are known to hold: look for a leak before believing it."
    elif verdict != SKILL and evidence.informed and evidence.faded:
        text += f" Skill until {evidence.faded}, none since."
    elif verdict != SKILL and evidence.informed and not evidence.accurate:
        text += f" It holds information at the wrong scale: multiply it by {evidence.slope:.2g}."
    elif verdict != SKILL and evidence.gain > 0 and evidence.r2_mean <= 0:
        text += " A constant would have done as well: a drift is no skill."
    elif verdict != SKILL and evidence.gain > 0 >= evidence.gain_without_best:
        text += f" Without its best {evidence.stretch} sessions in a row nothing is left."
    elif verdict != SKILL and horizon == 1:
        text += " That is expected on daily returns."
    return text + (f" Note that {evidence.uncounted}." if evidence.uncounted else "")


def _html_row(name: str, *cells: str) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in (name.replace("_", " "), *cells)) + "</tr>"


def _formatted(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
