"""The verdict: whether a model is better than naive, or could have been lucky."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from sta410kit.research.bootstrap import RESAMPLES, interval, resampled_means
from sta410kit.research.forecast_tests import (
    accuracy_p_value,
    information_p_value,
    last_of_fading,
    overlap_of,
    superior_ability,
)
from sta410kit.research.ledger import Ledger
from sta410kit.research.metrics import SCORES, block_of, estimates, score_parts
from sta410kit.research.panel import read_panel
from sta410kit.research.trial_identity import at_least_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.research.ledger import Trials
    from sta410kit.research.metrics import Estimate
    from sta410kit.research.panel import Panel

    Floats = NDArray[np.float64]

SKILL, NO_SKILL, TOO_FEW = "skill", "no skill shown", "not enough data"
MIN_SESSIONS = 250  # about a year
MIN_SPANS = 25  # targets that do not overlap: a month ahead, a year holds only twelve
INFORMATION_LEVEL, ACCURACY_LEVEL, WITHOUT_BEST_LEVEL = 0.01, 0.20, 0.10
_STRETCH = 252  # sessions of the best stretch, about a year
_STRETCH_SHARE = 5  # or a fifth of the sessions, where that is shorter
_SUSPICIOUS_R2 = 0.1  # more than daily returns have been seen to hold
_R2, _R2_MEAN = (list(SCORES).index(name) for name in ("r2", "r2_mean"))
_ROUNDING = 1e-18  # of the squared outcomes


@dataclass(frozen=True)
class SkillEvidence:
    """The statistics behind a verdict on `model`, the best of `models`.

    Squared log returns and shares, unit 1; intervals are 95 %; p values are one-sided, each the larger one of
    the two benchmarks (zero, and the mean of each symbol).

    ``r2``, ``r2_low``, ``r2_high``
        Out-of-sample R2 against zero; 0 where nothing moved.
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
        """Whether they are accurate as they are; R2 weighs predictions alike, the gain dates."""
        better = self.gain > 0 and self.r2 > 0 and self.r2_mean > 0
        return better and self.p_accuracy <= ACCURACY_LEVEL


@dataclass(frozen=True)
class SkillVerdict:
    """What the predictions show about skill: one of three verdicts, the evidence, and a sentence.

    ``gains`` is the squared error saved on each date as a share of naive's total, indexed by date; ``draws``
    the R2 of each resample. `plots.plot_verdict` draws both.
    """

    verdict: str
    evidence: SkillEvidence
    sentence: str
    gains: pd.Series[float] = field(repr=False, compare=False)
    draws: Floats = field(repr=False, compare=False)

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


def assess_skill(
    predictions: pd.DataFrame, *, ledger: Ledger | None = None, resamples: int = RESAMPLES, seed: int = 42
) -> SkillVerdict:
    """Return whether the predictions beat naive beyond what chance explains, and count the trial.

    There are two naive forecasts: zero, and the mean of each symbol. Against the second, predictions and
    outcomes are compared less their means: a difference of means predicts nothing and only adds variance.
    The verdict is ``"skill"`` if against both

    1. the predictions hold information: Clark and West, one-sided at 1 %, asymptotic and bootstrapped,
       corrected for every model in the frame and every trial in the ledger;
    2. they are accurate enough to be used as they are: a positive gain and R2, and Diebold and Mariano, and
       its bootstrap, at 20 %;
    3. it was not one lucky year: without the best 252 sessions in a row (a fifth of all, if that is fewer)
       the gain is still positive, and there still is information at 10 %.

    The first is strict, because chance must not pass. The second is not, because a true R2 of 1 or 2 % leaves
    that much doubt even after ten years. ``docs/calibration.md`` has the measured rates of both errors.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one horizon. Of several models the best is judged, against all of them.
    ledger : Ledger, optional
        Where the trial is counted; the project's by default.
    resamples, seed : int
        Of the stationary bootstrap over dates.

    Returns
    -------
    SkillVerdict
        ``"not enough data"`` below 250 sessions, or below 25 targets that do not overlap.

    Raises
    ------
    DataValidationError
        If the predictions are empty, mix horizons, or hold duplicates or values that are not finite.
    """
    panel = read_panel(predictions)
    trials = (ledger or Ledger.of_project()).record_predictions(predictions, panel)
    evidence, draws = _evidence(panel, trials, resamples, seed)
    error = panel.actual - panel.predicted[:, panel.models.index(evidence.model)]
    saved, total = panel.sums(panel.actual**2 - error**2), float(np.sum(panel.actual**2))
    gains = pd.Series(saved / total if total > 0 else saved, panel.dates)
    return SkillVerdict(evidence.verdict, evidence, _sentence(evidence), gains, draws)


def dates_needed(horizon: int, spacing: int) -> int:
    """Return the fewest decision dates: about a year, and enough targets that do not overlap."""
    return max(-(-MIN_SESSIONS // spacing), MIN_SPANS * -(-horizon // spacing))


def stretch_of(panel: Panel) -> int:
    """Return how many dates in a row make a lucky year: 252 sessions, or a fifth of all if that is fewer."""
    return min(_STRETCH // panel.spacing, len(panel.dates) // _STRETCH_SHARE)


class _Gains(NamedTuple):
    """What each model saves against zero on each date, shape (dates, models).

    ``adjusted`` adds the squared prediction, as Clark and West do: what it would save if its errors of
    estimation cost nothing.
    """

    plain: Floats
    adjusted: Floats

    @classmethod
    def of(cls, panel: Panel) -> _Gains:
        adjusted = 2 * panel.predicted * panel.actual[:, None]
        return cls(panel.means(adjusted - panel.predicted**2), panel.means(adjusted))


def _evidence(panel: Panel, trials: Trials, resamples: int, seed: int) -> tuple[SkillEvidence, Floats]:
    """Return the evidence on the best model of the panel, and its R2 against zero in each resample."""
    sides = _Gains.of(panel), _Gains.of(panel.centred)
    zero, constant = sides
    best = int(np.argmax(np.minimum(zero.plain.mean(axis=0), constant.plain.mean(axis=0))))
    block, parts, count = block_of(panel, best), score_parts(panel, best), len(panel.models)
    series = [zero.plain, constant.plain, zero.adjusted, constant.adjusted]
    table = np.column_stack([*series, parts.reshape(len(parts), -1)])
    draws = resampled_means(table, block=block, resamples=resamples, seed=seed)
    resampled = [draws[:, place * count : (place + 1) * count] for place in range(len(series))]
    scored = draws[:, len(series) * count :].reshape(-1, *parts.shape[1:])
    r2, r2_mean, ratios = (_r2(parts.mean(axis=0), _R2), _r2(parts.mean(axis=0), _R2_MEAN), _r2(scored, _R2))
    ends = partial(interval, sessions=len(panel.dates), block=block, span=panel.span)
    r2_low, r2_high = ends(float(r2), ratios)
    gain = float(zero.plain[:, best].mean())
    gain_low, gain_high = ends(gain, resampled[0][:, best])
    chosen = [each[:, best] for each in series]
    over_models = [
        superior_ability(one, drawn, block=block, chosen=best).p_value
        for one, drawn in zip(series, resampled, strict=True)
    ]
    overlaps = [overlap_of(one.grid(one.predicted[:, best]), panel.span) for one in (panel, panel.centred)]
    p_information = max(information_p_value(*pair) for pair in zip(chosen[2:], overlaps, strict=True))
    p_accuracy = max(*(accuracy_p_value(one, panel.span) for one in chosen[:2]), *over_models[:2])
    spa = superior_ability(zero.plain, resampled[0], block=block)
    reality = superior_ability(zero.plain, resampled[0], block=block, studentise=False)
    stretch = stretch_of(panel)
    faded = last_of_fading(chosen[2], overlaps[0])
    timed = panel.centred
    left = [
        _without_best(side.plain[:, best], side.adjusted[:, best], stretch, overlap)
        for side, overlap in zip(sides, overlaps, strict=True)
    ]
    evaluated = max(trials.forecasts, int((panel.predicted != 0).any(axis=0).sum()), 1)
    evidence = SkillEvidence(
        model=panel.models[best],
        models=panel.models,
        horizon=panel.horizon,
        sessions=len(panel.dates),
        symbols=len(panel.symbols),
        predictions=len(panel.actual),
        first=f"{panel.dates[0]:%Y-%m-%d}",
        last=f"{panel.dates[-1]:%Y-%m-%d}",
        r2=float(r2),
        r2_low=r2_low,
        r2_high=r2_high,
        r2_mean=float(r2_mean),
        gain=gain,
        gain_low=gain_low,
        gain_high=gain_high,
        p_value=max(*over_models[2:], at_least_once(p_information, evaluated)),
        p_information=p_information,
        p_accuracy=p_accuracy,
        p_spa=spa.p_value,
        p_reality_check=reality.p_upper,
        gain_without_best=min(gain for gain, _ in left),
        p_without_best=max(p_value for _, p_value in left),
        stretch=stretch,
        trials=evaluated,
        newest_trial=trials.newest,
        uncounted=trials.problem,
        block_length=block,
        resamples=resamples,
        spacing=panel.spacing,
        slope=_slope(timed.predicted[:, best], timed.actual),
        faded="" if faded is None else f"{panel.dates[faded]:%Y-%m-%d}",
        scores=estimates(parts, scored, block=block, span=panel.span),
    )
    return evidence, ratios


def _without_best(gains: Floats, adjusted: Floats, length: int, overlap: float) -> tuple[float, float]:
    """Return the mean gain and the p value of information without the stretch of largest gain."""
    total = np.concatenate([[0.0], np.cumsum(gains)])
    begin = int(np.argmax(total[length:] - total[: len(total) - length]))
    kept = np.r_[:begin, begin + length : len(gains)]
    return float(gains[kept].mean()), information_p_value(adjusted[kept], overlap)


def _slope(predicted: Floats, actual: Floats) -> float:
    """Return the slope of outcomes on predictions (Mincer and Zarnowitz 1969), both less their means."""
    size = float(predicted @ predicted)
    return float(predicted @ actual) / size if size > 0 else 0.0


def _r2(parts: Floats, score: int) -> Floats:
    """Return an R2 from means of the score parts; 0 where the benchmark makes no error."""
    own, naive = parts[..., score, 0], parts[..., score, 1]
    beatable = naive > _ROUNDING * parts[..., _R2, 1]
    return np.where(beatable, 1 - own / np.where(beatable, naive, 1), 0.0)


def _sentence(evidence: SkillEvidence) -> str:
    """Return the verdict in one or two sentences."""
    verdict, horizon = evidence.verdict, evidence.horizon
    ahead = "for the next session" if horizon == 1 else f"{horizon} sessions ahead"
    if verdict == TOO_FEW:
        needed, dates = (
            dates_needed(horizon, evidence.spacing),
            "sessions" if evidence.spacing == 1 else "decisions",
        )
        return (
            f"{evidence.sessions} {dates} are too few to tell skill from luck {ahead}; {needed} are needed."
        )
    if evidence.model == "naive" and evidence.gain == 0:
        return f"This is the naive forecast of no change {ahead} itself, the benchmark for all others."
    several = f", the best of {len(evidence.models)} models," if len(evidence.models) > 1 else ""
    beats = "beats" if verdict == SKILL else "does not beat"
    trials = "one trial" if evidence.trials == 1 else f"{evidence.trials:,} trials"
    text = (
        f"{evidence.model}{several} {beats} the naive forecast of no change {ahead}: out-of-sample R2 "
        f"against naive is {evidence.r2:+z.2%} (95 % interval {evidence.r2_low:+z.2%} to "
        f"{evidence.r2_high:+z.2%}, p = {evidence.p_value:.3f} after {trials}, "
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
