"""Figures of the evaluation: the verdict, the equity curve, stress scenarios and resampled paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit._internal.text import percent
from sta410kit.research.plots.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    SKY,
    VERMILION,
    date_axis,
    drawing,
    only_words,
    plain_log_labels,
    require_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sta410kit.research.backtest import Backtest
    from sta410kit.research.monte_carlo import MonteCarlo
    from sta410kit.research.verdict import SkillVerdict


def plot_verdict(verdict: SkillVerdict) -> Figure:
    """Plot the squared error saved against naive, cumulated over time, beside the bootstrap of R².

    The best stretch of sessions, without which skill has to remain, is shaded.
    """
    title = f"{verdict.evidence.model}: {verdict.verdict}"
    if not verdict.gains.any():
        return only_words(f"{title}. Every prediction is 0: no squared error is saved or lost against naive.")
    with drawing(1, 2, size=(11, 4)) as (figure, (left, right)):
        _draw_gains(left, verdict)
        _draw_resamples(right, verdict)
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def _draw_gains(axes: Axes, verdict: SkillVerdict) -> None:
    total = 100 * verdict.gains.cumsum()
    axes.plot(total.index, total, color=BLUE)
    for where, colour, label in (
        (total > 0, GREEN, "ahead of naive"),
        (total < 0, VERMILION, "behind naive"),
    ):
        axes.fill_between(total.index, total, 0, where=where, color=colour, alpha=0.25, lw=0, label=label)
    axes.axhline(0, color=GREY, linewidth=1)
    length = verdict.evidence.stretch
    if 0 < length < len(total):
        begin = int(verdict.gains.rolling(length).sum().to_numpy()[length - 1 :].argmax())
        first, last = total.index[begin], total.index[begin + length - 1]
        axes.axvspan(first, last, color=SKY, alpha=0.25, lw=0, label=f"best {length} sessions")
    axes.set(
        title="Squared error saved so far",
        ylabel="% of naive's total",
        xlim=(total.index[0], total.index[-1]),
    )
    axes.legend(fontsize=9, loc="best")
    date_axis(axes)


def _draw_resamples(axes: Axes, verdict: SkillVerdict) -> None:
    evidence = verdict.evidence
    low, high = 100 * evidence.r2_low, 100 * evidence.r2_high
    axes.hist(100 * verdict.draws, bins=40, histtype="stepfilled", color=SKY)
    axes.axvspan(low, high, color=BLUE, alpha=0.12, lw=0, label="95 % interval")
    axes.axvline(100 * evidence.r2, color=BLUE, linewidth=2, label=f"R² {percent(evidence.r2, '+z.2%')}")
    axes.axvline(0, color=VERMILION, linestyle="--", label="naive")
    axes.set(
        title=f"R² in {evidence.resamples:,} resamples of dates",
        xlabel="out-of-sample R², %",
        ylabel="resamples",
    )
    axes.legend(fontsize=9)


def plot_equity(backtest: Backtest) -> Figure:
    """Plot the equity of the strategy after costs beside buy and hold, and both drawdowns."""
    frame = backtest.frame
    require_rows(frame, ("date", "equity", "benchmark", "gross", "drawdown"), "sessions of the backtest")
    before = (1 + frame["gross"]).cumprod()
    positive = min(frame["equity"].min(), before.min(), frame["benchmark"].min()) > 0
    held, ours = backtest.benchmark, backtest.summary
    fall = frame["benchmark"] / frame["benchmark"].cummax().clip(lower=1.0) - 1
    after = f"strategy after {backtest.costs.one_way_bps:.3g} bps a trade"
    with drawing(2, 1, size=(9, 5.6), shared="x") as (figure, (upper, lower)):
        upper.plot(frame["date"], frame["benchmark"], color=GREY, label="buy and hold")
        upper.plot(frame["date"], before, color=SKY, linestyle="--", label="strategy before costs")
        upper.plot(frame["date"], frame["equity"], color=BLUE, linewidth=1.8, label=after)
        upper.set(
            title=(
                f"Strategy {percent(ours['annualised_return'], '+.1%')} a year, "
                f"buy and hold {percent(held['annualised_return'], '+.1%')}"
            ),
            ylabel="equity, start = 1 (log)" if positive else "equity, start = 1",
            yscale="log" if positive else "linear",
        )
        plain_log_labels(upper)
        upper.legend(loc="upper left")
        lower.fill_between(frame["date"], 100 * frame["drawdown"], 0, color=BLUE, alpha=0.35, lw=0)
        lower.plot(frame["date"], 100 * fall, color=GREY, linewidth=1)
        lower.set(
            title=(
                f"Maximum drawdown {percent(ours['max_drawdown'])}, "
                f"buy and hold {percent(held['max_drawdown'])}"
            ),
            ylabel="drawdown, %",
        )
        date_axis(lower)
    return figure


def plot_stress(table: pd.DataFrame) -> Figure:
    """Plot total return and maximum drawdown per scenario; `table` is from `stress.stress`."""
    require_rows(table, ("scenario", "total_return", "max_drawdown"), "scenarios")
    if not table[["total_return", "max_drawdown"]].round(12).any(axis=None):  # beyond is rounding
        return only_words("Stress: the strategy never trades, so no scenario changes its return of 0 %.")
    places = range(len(table))
    worst = table.iloc[int(table["total_return"].argmin())]
    with drawing(1, 2, size=(10, 1.5 + 0.5 * len(table)), shared="y") as (figure, (left, right)):
        for axes, name, label in (
            (left, "total_return", "total return, %"),
            (right, "max_drawdown", "maximum drawdown, %"),
        ):
            values = 100 * table[name]
            colours = [GREY] + [BLUE if value >= 0 else VERMILION for value in values.iloc[1:]]
            axes.bar_label(axes.barh(places, values, color=colours, height=0.62), fmt="%.0f", padding=4)
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.margins(x=0.16)
            axes.set_xlabel(label)
            axes.grid(visible=False, axis="y")
        left.set_yticks(places, table["scenario"].tolist())
        left.invert_yaxis()
        right.tick_params(axis="y", length=0)
        left.set_title(f"Lowest return: {worst['scenario']}, {percent(worst['total_return'], '+.0%')}")
        right.set_title(f"Deepest drawdown: {100 * table['max_drawdown'].min():.0f} %")
    return figure


def plot_monte_carlo(paths: MonteCarlo) -> Figure:
    """Plot the bands that hold 50 % and 90 % of the resampled equity paths, on a log scale."""
    bands = paths.bands
    require_rows(bands, ("session", "5%", "25%", "50%", "75%", "95%"), "bands of the paths")
    if (bands[["5%", "95%"]] == 1).all(axis=None):
        return only_words("Resampled paths: the strategy never trades, so every path stays at its start.")
    years = bands["session"] / 252
    with drawing() as (figure, (axes,)):
        for low, high, shade, label in (
            ("5%", "95%", 0.25, "90 % of paths"),
            ("25%", "75%", 0.5, "50 % of paths"),
        ):
            axes.fill_between(years, bands[low], bands[high], color=SKY, alpha=shade, lw=0, label=label)
        axes.plot(years, bands["50%"], color=BLUE, linewidth=1.8, label="median")
        axes.axhline(1, color=INK, linewidth=0.8)
        axes.set(
            title=(
                f"{percent(paths.probability_of_loss())} of {len(paths.paths):,} paths end in a loss, "
                f"{percent(paths.probability_of_ruin())} were down by half"
            ),
            xlabel="years of 252 sessions",
            ylabel="equity, start = 1 (log)",
            yscale="log" if bands["5%"].min() > 0 else "linear",
        )
        axes.margins(x=0)
        plain_log_labels(axes)
        axes.legend(loc="upper left", ncols=3)
    return figure


def plot_importance(table: pd.DataFrame) -> Figure:
    """Plot the R² lost without each feature, with two standard errors, beside that of noise features.

    Parameters
    ----------
    table : DataFrame
        From `importance.permutation_importance`.
    """
    require_rows(table, ("feature", "r2_lost", "error", "noise"), "importances")
    noise, shown = table[table["noise"]], table[~table["noise"]]
    require_rows(noise, ("feature",), "noise features")
    above = shown["r2_lost"] - 2 * shown["error"] > noise["r2_lost"].max()
    with drawing(size=(9, 1.4 + 0.3 * len(shown))) as (figure, (axes,)):
        low, high = 100 * noise["r2_lost"].min(), 100 * noise["r2_lost"].max()
        axes.axvspan(
            low, high, color=VERMILION, alpha=0.2, lw=0, label=f"range of {len(noise)} noise features"
        )
        for part, colour in ((above, BLUE), (~above, GREY)):
            rows = shown[part]
            axes.errorbar(
                100 * rows["r2_lost"], rows["feature"], xerr=200 * rows["error"],
                color=colour, fmt="o", capsize=3, label=None,
            )  # fmt: skip
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.set(
            title=f"{int(above.sum())} of {len(shown)} features lie two standard errors above all noise",
            xlabel="out-of-sample R² lost without the feature, points, with 2 standard errors",
        )
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.legend(loc="lower right")
    return figure
