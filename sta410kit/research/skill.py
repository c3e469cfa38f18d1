"""Whether a model is better than naive, or could have been lucky."""

from __future__ import annotations

from functools import partial
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
from sta410kit.research.verdict import SkillEvidence, SkillVerdict, sentence_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.research.ledger import Trials
    from sta410kit.research.panel import Panel

    Floats = NDArray[np.float64]

_STRETCH = 252  # sessions of the best stretch, about a year
_STRETCH_SHARE = 5  # or a fifth of the sessions, where that is shorter
_R2, _R2_MEAN = (list(SCORES).index(name) for name in ("r2", "r2_mean"))
_ROUNDING = 1e-18  # of the squared outcomes


def assess_skill(
    predictions: pd.DataFrame, *, ledger: Ledger | None = None, resamples: int = RESAMPLES, seed: int = 42
) -> SkillVerdict:
    """Return whether the predictions beat naive beyond what chance explains, and count the trial.

    There are two naive forecasts: zero, and the mean of each symbol. Against the second, predictions and
    outcomes are compared less their means: a difference of means predicts nothing and only adds variance.
    The verdict is ``"skill"`` if against both

    1. the predictions hold information: Clark and West, one-sided at 1 %, asymptotic and bootstrapped,
       corrected for every model in the frame and every trial in the ledger;
    2. they are accurate enough to be used as they are: a positive gain and R², and Diebold and Mariano, and
       its bootstrap, at 20 %;
    3. it was not one lucky year: without the best 252 sessions in a row (a fifth of all, if that is fewer)
       the gain is still positive, and there still is information at 10 %.

    The first is strict, because chance must not pass. The second is not, because a true R² of 1 or 2 % leaves
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
    return SkillVerdict(evidence.verdict, evidence, sentence_of(evidence), gains, draws)


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
    """Return the evidence on the best model of the panel, and its R² against zero in each resample."""
    timed = panel.centred
    sides = _Gains.of(panel), _Gains.of(timed)
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
    overlaps = [overlap_of(one.grid(one.predicted[:, best]), panel.span) for one in (panel, timed)]
    p_information = max(information_p_value(*pair) for pair in zip(chosen[2:], overlaps, strict=True))
    p_accuracy = max(*(accuracy_p_value(one, panel.span) for one in chosen[:2]), *over_models[:2])
    spa = superior_ability(zero.plain, resampled[0], block=block)
    reality = superior_ability(zero.plain, resampled[0], block=block, studentise=False)
    stretch = stretch_of(panel)
    faded = last_of_fading(chosen[2], overlaps[0])
    left = [
        _without_best(side.plain[:, best], side.adjusted[:, best], stretch, overlap)
        for side, overlap in zip(sides, overlaps, strict=True)
    ]
    evaluated = max(trials.forecasts, int((panel.predicted != 0).any(axis=0).sum()), 1)
    evidence = SkillEvidence(
        model=panel.models[best],
        models=panel.models,
        target=panel.target,
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


def outside_best(values: Floats, length: int) -> NDArray[np.int64]:
    """Return the positions outside of the `length` values in a row whose sum is largest."""
    if len(values) <= length:
        return np.empty(0, np.int64)
    total = np.concatenate([[0.0], np.cumsum(values)])
    begin = int(np.argmax(total[length:] - total[: len(total) - length]))
    return np.concatenate([np.arange(begin), np.arange(begin + length, len(values))])


def _without_best(gains: Floats, adjusted: Floats, length: int, overlap: float) -> tuple[float, float]:
    """Return the mean gain and the p value of information without the stretch of largest gain."""
    kept = outside_best(gains, length)
    return float(gains[kept].mean()), information_p_value(adjusted[kept], overlap)


def _slope(predicted: Floats, actual: Floats) -> float:
    """Return the slope of outcomes on predictions (Mincer and Zarnowitz 1969), both less their means."""
    size = float(predicted @ predicted)
    return float(predicted @ actual) / size if size > 0 else 0.0


def _r2(parts: Floats, score: int) -> Floats:
    """Return an R² from means of the score parts; 0 where the benchmark makes no error."""
    own, naive = parts[..., score, 0], parts[..., score, 1]
    beatable = naive > _ROUNDING * parts[..., _R2, 1]
    return np.where(beatable, 1 - own / np.where(beatable, naive, 1), 0.0)
