"""The verdict: whether the model is better than predicting no change, or could have been lucky."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING

from sta410kit.research import bootstrap
from sta410kit.research.frames import require_predictions

if TYPE_CHECKING:
    import pandas as pd

SKILL, NO_SKILL, TOO_FEW = "skill", "no skill shown", "not enough data"
MIN_SESSIONS = 250  # about a year
_MIN_SPANS = (
    25  # targets that do not overlap; below, a horizon of a month would be judged on a dozen outcomes
)
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class SkillEvidence:
    """The numbers behind a verdict.

    ``r2`` is 1 minus the squared error over that of predicting zero, out of sample; ``gain`` the mean over
    dates of (naive squared error minus the model's), averaged over the symbols of the date; ``p_value`` the
    one-sided chance of such a gain if there were none. Intervals are 95 %. Squared log return, unit 1.
    """

    model: str
    horizon: int
    sessions: int
    symbols: int
    predictions: int
    r2: float
    r2_low: float
    r2_high: float
    gain: float
    gain_low: float
    gain_high: float
    p_value: float
    block_length: float
    resamples: int


@dataclass(frozen=True)
class SkillVerdict:
    """What the predictions show about skill: one of three words, the numbers, and a sentence."""

    verdict: str
    evidence: SkillEvidence
    sentence: str

    def _repr_html_(self) -> str:
        """Return the verdict as a notebook shows it."""
        colour = {SKILL: "#007a59", NO_SKILL: "#9a5b00", TOO_FEW: "#555555"}[self.verdict]
        shown = {
            name: f"{value:.4g}" if isinstance(value, float) else value
            for name, value in asdict(self.evidence).items()
        }
        rows = "".join(
            f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{escape(str(value))}</td></tr>"
            for name, value in shown.items()
        )
        return (
            f'<div style="border-left:4px solid {colour};padding:0.3em 1em">'
            f'<p><strong style="color:{colour}">{escape(self.verdict)}</strong>: {escape(self.sentence)}</p>'
            f"<details><summary>the numbers</summary><table>{rows}</table></details></div>"
        )


def assess_skill(
    predictions: pd.DataFrame, *, resamples: int = bootstrap.RESAMPLES, seed: int = 42
) -> SkillVerdict:
    """Return whether the predictions beat naive beyond what chance explains.

    The loss differential of each date (naive squared error minus the model's, averaged over symbols) is
    tested against zero mean, one-sided at 5 %, with the stationary bootstrap over dates; blocks span the
    overlap of the targets. This is the test of Diebold and Mariano (1995) with resampled instead of
    asymptotic critical values. With a year of data the bootstrap's critical values are a little too small: a
    series of losses without any gain is taken for one in 6 to 7 % of cases instead of 5 %. The verdict on a
    model errs towards "no skill shown" all the same: under no skill a fitted model's expected gain is below
    zero. R2 has to be above zero as well.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    SkillVerdict
        ``"not enough data"`` below 250 sessions, or below 25 targets that do not overlap.

    Raises
    ------
    DataValidationError
        If the predictions are empty, mix models or horizons, or hold a value that is no number.
    """
    import numpy as np

    require_predictions(predictions)
    horizon = int(predictions["horizon"].iloc[0])
    naive = predictions["actual"] ** 2
    own = (predictions["actual"] - predictions["predicted"]) ** 2
    losses = predictions[["date"]].assign(naive=naive, own=own).groupby("date", sort=True)[["naive", "own"]]
    sums, means = losses.sum().to_numpy(), losses.mean().to_numpy()
    table = np.column_stack([means[:, 0] - means[:, 1], sums])
    block = bootstrap.block_length(len(table), horizon)
    draws = bootstrap.resampled_means(table, block=block, resamples=resamples, seed=seed)
    gain = float(table[:, 0].mean())
    exceeded = int(
        (draws[:, 0] - gain >= gain).sum()
    )  # centred: what the gain does when its true mean is zero
    r2, spread = _r2(table.mean(axis=0)), _r2(draws)
    (r2_low, r2_high), (low, high) = (
        np.quantile(spread, [0.025, 0.975]),
        np.quantile(draws[:, 0], [0.025, 0.975]),
    )
    evidence = SkillEvidence(
        model=str(predictions["model"].iloc[0]),
        horizon=horizon,
        sessions=len(table),
        symbols=int(predictions["symbol"].nunique()),
        predictions=len(predictions),
        r2=float(r2),
        r2_low=float(r2_low),
        r2_high=float(r2_high),
        gain=gain,
        gain_low=float(low),
        gain_high=float(high),
        p_value=(1 + exceeded) / (1 + resamples),
        block_length=block,
        resamples=resamples,
    )
    verdict = _decide(evidence)
    return SkillVerdict(verdict, evidence, _sentence(verdict, evidence))


def _r2(means: bootstrap.Floats) -> bootstrap.Floats:
    """Return R2 against naive from means of (gain, naive, own); 0 when nothing moved."""
    import numpy as np

    naive, own = means[..., 1], means[..., 2]
    return np.where(naive > 0, 1 - own / np.where(naive > 0, naive, 1), np.where(own > 0, -np.inf, 0.0))


def _needed(horizon: int) -> int:
    return max(MIN_SESSIONS, _MIN_SPANS * horizon)


def _decide(evidence: SkillEvidence) -> str:
    if evidence.sessions < _needed(evidence.horizon):
        return TOO_FEW
    # Both ways of averaging have to agree: over dates, and over all predictions as R2 does.
    better = evidence.gain > 0 and evidence.r2 > 0
    return SKILL if better and evidence.p_value <= SIGNIFICANCE else NO_SKILL


def _sentence(verdict: str, evidence: SkillEvidence) -> str:
    ahead = "the next session" if evidence.horizon == 1 else f"{evidence.horizon} sessions ahead"
    measured = (
        f"out-of-sample R2 against naive is {evidence.r2:+z.2%} "
        f"(95 % interval {evidence.r2_low:+z.2%} to {evidence.r2_high:+z.2%}, "
        f"one-sided p = {evidence.p_value:.3f}, {evidence.sessions:,} sessions)"
    )
    if verdict == TOO_FEW:
        return (
            f"{evidence.sessions} sessions are too few to tell skill from luck {_for(ahead)}; "
            f"it takes {_needed(evidence.horizon)}."
        )
    if verdict == SKILL:
        return (
            f"{evidence.model} beats the naive forecast of no change {_for(ahead)}: {measured}. "
            "One test of one model; a model found by trying many needs a harder one."
        )
    if evidence.model == "naive":
        return (
            f"This is the naive forecast of no change {_for(ahead)} itself; others are measured against it."
        )
    expected = " That is expected on daily returns." if evidence.horizon == 1 else ""
    return (
        f"{evidence.model} does not beat the naive forecast of no change {_for(ahead)}: {measured}.{expected}"
    )


def _for(ahead: str) -> str:
    return f"for {ahead}" if ahead.startswith("the") else ahead
