"""The numbers behind a verdict on skill, gathered from a panel of predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sta410kit.research import bootstrap, snooping
from sta410kit.research.forecast_tests import gain_test, information_test
from sta410kit.research.scores import SCORES, Estimate, block_of, estimates, score_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.research.ledger import Trials
    from sta410kit.research.panel import Panel

    Floats = NDArray[np.float64]

_STRETCH = 252  # sessions, about a year
_STRETCH_SHARE = 5  # or a fifth of the sessions, where that is shorter
_R2, _R2_MEAN = (list(SCORES).index(name) for name in ("r2", "r2_mean"))
_ROUNDING = 1e-18  # of squared outcomes; a smaller error is none


@dataclass(frozen=True)
class SkillEvidence:
    """The numbers behind a verdict on `model`, the best of `models`.

    Squared log returns and shares, unit 1; intervals are 95 %; p values are one-sided, each the worse of the
    two benchmarks (zero, and the best constant of each symbol in hindsight).

    ``r2``, ``r2_low``, ``r2_high``
        1 minus the squared error over that of predicting zero, out of sample; 0 where nothing moved.
    ``r2_mean``
        The same against the best constants.
    ``gain``, ``gain_low``, ``gain_high``
        Mean over dates of the squared error saved against zero, averaged over the symbols of the date.
    ``p_value``
        Of holding information, corrected for all models in the frame and all `trials`; it decides.
    ``p_information``
        Clark and West, of this model alone.
    ``p_accuracy``
        Diebold and Mariano with the Harvey correction, or the bootstrap over all models where that is larger.
    ``p_spa``, ``p_reality_check``
        Hansen and White: whether the best gain over zero among `models` is more than the luck of the best.
    ``gain_without_best``, ``p_without_best``
        Gain and information left when the best `stretch` sessions in a row are taken out.
    ``trials``, ``uncounted``
        Forecasts of these outcomes looked at so far, this one included, and why some could not be counted.
    ``scores``
        Every score that is defined, with its interval; see `scores.SCORES`.
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
    uncounted: str
    block_length: float
    resamples: int
    scores: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class _Against:
    """What all models save against one benchmark on each date, shape (dates, models).

    ``adjusted`` adds the squared distance to the benchmark, as Clark and West do.
    """

    plain: Floats
    adjusted: Floats


def gather(panel: Panel, trials: Trials, resamples: int, seed: int) -> tuple[SkillEvidence, Floats]:
    """Return the evidence on the best model of the panel, and its R2 against zero in each resample."""
    zero, constant = _against(panel, np.zeros_like(panel.actual)), _against(panel, panel.constant)
    best = int(np.argmax(np.minimum(zero.plain.mean(axis=0), constant.plain.mean(axis=0))))
    block, parts = block_of(panel, best), score_parts(panel, best)
    series = [zero.plain, constant.plain, zero.adjusted, constant.adjusted]
    table = np.column_stack([*series, parts.reshape(len(parts), -1)])
    draws = bootstrap.resampled_means(table, block=block, resamples=resamples, seed=seed)
    count = len(panel.models)
    resampled = [draws[:, place * count : (place + 1) * count] for place in range(len(series))]
    scored = draws[:, len(series) * count :].reshape(-1, *parts.shape[1:])
    ratios = _r2(scored, _R2)
    low, high = np.percentile(ratios, [2.5, 97.5])
    gain_low, gain_high = np.percentile(resampled[0][:, best], [2.5, 97.5])
    chances = _p_values(series, resampled, best, panel.horizon, block)
    left = _without_best((zero, constant), best, panel.horizon)
    looked_at = max(trials.forecasts, int((panel.predicted != 0).any(axis=0).sum()), 1)
    evidence = SkillEvidence(
        model=panel.models[best],
        models=panel.models,
        horizon=panel.horizon,
        sessions=len(panel.dates),
        symbols=len(panel.symbols),
        predictions=len(panel.actual),
        first=f"{panel.dates[0]:%Y-%m-%d}",
        last=f"{panel.dates[-1]:%Y-%m-%d}",
        r2=float(_r2(parts.mean(axis=0), _R2)),
        r2_low=float(low),
        r2_high=float(high),
        r2_mean=float(_r2(parts.mean(axis=0), _R2_MEAN)),
        gain=float(zero.plain[:, best].mean()),
        gain_low=float(gain_low),
        gain_high=float(gain_high),
        p_value=max(chances.snooped, at_least_once(chances.information, looked_at)),
        p_information=chances.information,
        p_accuracy=chances.accuracy,
        p_spa=chances.spa,
        p_reality_check=chances.reality_check,
        gain_without_best=left.gain,
        p_without_best=left.p_value,
        stretch=left.stretch,
        trials=looked_at,
        uncounted=trials.problem,
        block_length=block,
        resamples=resamples,
        scores={name: one for name, one in estimates(parts, scored).items() if np.isfinite(one.value)},
    )
    return evidence, ratios


def at_least_once(p_value: float, trials: int) -> float:
    """Return the chance that one of so many independent trials has such a p value (Šidák 1967, JASA 62)."""
    return float(-np.expm1(trials * np.log1p(-min(p_value, 1 - 1e-12))))


def _against(panel: Panel, benchmark: Floats) -> _Against:
    base = (panel.actual - benchmark) ** 2
    own = (panel.actual[:, None] - panel.predicted) ** 2
    plain = base[:, None] - own
    distance = (benchmark[:, None] - panel.predicted) ** 2
    return _Against(panel.means(plain), panel.means(plain + distance))


class _PValues(NamedTuple):
    """What chance explains; see `SkillEvidence`. ``snooped`` is the information corrected for all models."""

    information: float
    snooped: float
    accuracy: float
    spa: float
    reality_check: float


class _Rest(NamedTuple):
    """What is left without the best stretch of sessions."""

    gain: float
    p_value: float
    stretch: int


def _p_values(
    series: list[Floats], resampled: list[Floats], best: int, horizon: int, block: float
) -> _PValues:
    """Return the p values of the chosen model, asymptotic and over all models, and those of the field."""
    chosen = [part[:, best] for part in series]
    over_all = [
        snooping.from_draws(part, draws, block=block, chosen=best).p_value
        for part, draws in zip(series, resampled, strict=True)
    ]
    return _PValues(
        information=max(information_test(part, horizon).p_value for part in chosen[2:]),
        snooped=max(over_all[2:]),
        accuracy=max(*(gain_test(part, horizon).p_value for part in chosen[:2]), *over_all[:2]),
        spa=snooping.from_draws(series[0], resampled[0], block=block).p_value,
        reality_check=snooping.from_draws(series[0], resampled[0], block=block, studentise=False).p_upper,
    )


def _without_best(sides: tuple[_Against, ...], best: int, horizon: int) -> _Rest:
    """Return the smaller gain and the larger p value of information without the best stretch."""
    length = min(_STRETCH, len(sides[0].plain) // _STRETCH_SHARE)
    gains, chances = [], []
    for side in sides:
        kept = _outside_best(side.plain[:, best], length)
        gains.append(float(side.plain[kept, best].mean()))
        chances.append(information_test(side.adjusted[kept, best], horizon).p_value)
    return _Rest(min(gains), max(chances), length)


def _outside_best(gains: Floats, length: int) -> NDArray[np.bool_]:
    """Return which dates lie outside the stretch of that length with the largest gain."""
    kept = np.ones(len(gains), dtype=bool)
    total = np.concatenate([[0.0], np.cumsum(gains)])
    begin = int(np.argmax(total[length:] - total[: len(total) - length]))
    kept[begin : begin + length] = False
    return kept


def _r2(parts: Floats, score: int) -> Floats:
    """Return an R2 from means of the parts of the scores; 0 where the benchmark makes no error."""
    own, naive = parts[..., score, 0], parts[..., score, 1]
    beatable = naive > _ROUNDING * parts[..., _R2, 1]
    return np.where(beatable, 1 - own / np.where(beatable, naive, 1), 0.0)
