"""The figure of the verdict: what was saved against naive over time, and how much of it could be chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.research.plots.style import BLUE, GREEN, GREY, SKY, VERMILION, date_axis, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sta410kit.research.skill import SkillVerdict

_BINS = 40


def plot_verdict(verdict: SkillVerdict) -> Figure:
    """Return the squared error saved against naive, added up over time, beside the bootstrap of R2.

    Only a rise that lasts is skill: the best stretch, without which skill has to remain, is shaded. On the
    right the R2 of each resample of dates, with its 95 % interval.

    Parameters
    ----------
    verdict : SkillVerdict
        From `assess_skill`.
    """
    with drawing(1, 2, size=(11, 4)) as (figure, (left, right)):
        _draw_gains(left, verdict)
        _draw_resamples(right, verdict)
        figure.suptitle(f"{verdict.evidence.model}: {verdict.verdict}", x=0.01, ha="left", fontsize=13)
    return figure


def _draw_gains(axes: Axes, verdict: SkillVerdict) -> None:
    total = 100 * verdict.gains.cumsum()
    axes.plot(total.index, total, color=BLUE)
    sides = ((total > 0, GREEN, "ahead of naive"), (total < 0, VERMILION, "behind naive"))
    for where, colour, label in sides:
        axes.fill_between(total.index, total, 0, where=where, color=colour, alpha=0.25, lw=0, label=label)
    axes.axhline(0, color=GREY, linewidth=1)
    length = verdict.evidence.stretch
    if 0 < length < len(total):
        over = verdict.gains.rolling(length).sum().to_numpy()[length - 1 :]
        begin = int(over.argmax())
        axes.axvspan(
            total.index[begin],
            total.index[begin + length - 1],
            color=SKY,
            alpha=0.25,
            lw=0,
            label=f"best {length} sessions",
        )
    axes.set(
        title="Squared error saved so far",
        ylabel="% of naive's total",
        xlim=(total.index[0], total.index[-1]),
    )
    axes.legend(fontsize=9, loc="best")
    date_axis(axes)


def _draw_resamples(axes: Axes, verdict: SkillVerdict) -> None:
    evidence = verdict.evidence
    draws = 100 * verdict.draws
    axes.hist(draws, bins=_BINS, histtype="stepfilled", color=SKY)
    axes.axvspan(
        100 * evidence.r2_low, 100 * evidence.r2_high, color=BLUE, alpha=0.12, lw=0, label="95 % interval"
    )
    axes.axvline(100 * evidence.r2, color=BLUE, linewidth=2, label=f"R2 {evidence.r2:+z.2%}")
    axes.axvline(0, color=VERMILION, linestyle="--", label="naive")
    axes.set(
        title=f"R2 in {evidence.resamples:,} resamples of dates",
        xlabel="out-of-sample R2, %",
        ylabel="resamples",
    )
    axes.legend(fontsize=9)
