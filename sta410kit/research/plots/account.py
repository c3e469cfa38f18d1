"""Figures of what a strategy would have earned, and of how else it could have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research.plots.style import (
    BLUE,
    GREEN,
    GREY,
    SKY,
    VERMILION,
    date_axis,
    drawing,
    plain_log_labels,
    require_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from sta410kit.research.backtest import Backtest
    from sta410kit.research.monte_carlo import MonteCarlo


def plot_equity(backtest: Backtest) -> Figure:
    """Return the equity of the strategy after costs beside buy and hold, and the drawdowns of both below.

    Raises
    ------
    DataValidationError
        If the backtest has no session.
    """
    frame = backtest.frame
    require_rows(frame, ("date", "equity", "benchmark", "gross", "drawdown"), "sessions of the backtest")
    before = (1 + frame["gross"]).cumprod()
    lowest = min(frame["equity"].min(), before.min(), frame["benchmark"].min())
    with drawing(2, 1, size=(9, 5.6), shared="x") as (figure, (upper, lower)):
        upper.plot(frame["date"], frame["benchmark"], color=GREY, label="buy and hold")
        upper.plot(frame["date"], before, color=SKY, linestyle="--", label="strategy before costs")
        upper.plot(
            frame["date"],
            frame["equity"],
            color=BLUE,
            linewidth=1.8,
            label=f"strategy after {backtest.cost_bps:.3g} bps a trade",
        )
        own, held = (each["annualised_return"] for each in (backtest.summary, backtest.benchmark))
        upper.set(
            title=f"Strategy {own:+.1%} a year, buy and hold {held:+.1%}",
            ylabel="equity, start = 1 (log)" if lowest > 0 else "equity, start = 1",
            yscale="log" if lowest > 0 else "linear",
        )
        plain_log_labels(upper)
        upper.legend(loc="upper left")
        fall = frame["benchmark"] / frame["benchmark"].cummax().clip(lower=1.0) - 1
        lower.fill_between(frame["date"], 100 * frame["drawdown"], 0, color=BLUE, alpha=0.35, lw=0)
        lower.plot(frame["date"], 100 * fall, color=GREY, linewidth=1)
        worst, theirs = backtest.summary["max_drawdown"], backtest.benchmark["max_drawdown"]
        lower.set(
            title=f"Worst fall from a peak: {worst:.0%}, buy and hold {theirs:.0%}", ylabel="drawdown, %"
        )
        date_axis(lower)
    return figure


def plot_stress(table: pd.DataFrame) -> Figure:
    """Return total return and worst drawdown in each scenario as bars, the value at each.

    Parameters
    ----------
    table : DataFrame
        From `stress.stress`.

    Raises
    ------
    DataValidationError
        If there is no scenario.
    """
    require_rows(table, ("scenario", "total_return", "max_drawdown"), "scenarios")
    names, places = table["scenario"].tolist(), range(len(table))
    ends, falls = 100 * table["total_return"], 100 * table["max_drawdown"]
    worst = table.iloc[int(table["total_return"].argmin())]
    with drawing(1, 2, size=(10, 1.5 + 0.5 * len(table)), shared="y") as (figure, (left, right)):
        for axes, values, what in (
            (left, ends, "total return, %"),
            (right, falls, "worst drawdown, %"),
        ):
            colours = [GREY] + [BLUE if value >= 0 else VERMILION for value in values.iloc[1:]]
            bars = axes.barh(places, values, color=colours, height=0.62)
            axes.bar_label(bars, fmt="%.0f", padding=4)
            axes.axvline(0, color="black", linewidth=0.8)
            axes.margins(x=0.16)
            axes.set_xlabel(what)
            axes.grid(visible=False, axis="y")
        left.set_yticks(places, names)
        left.invert_yaxis()
        right.tick_params(axis="y", length=0)
        left.set_title(f"Worst end: {worst['scenario']}, {worst['total_return']:+.0%}")
        right.set_title(f"Deepest fall: {falls.min():.0f} %")
    return figure


def plot_monte_carlo(paths: MonteCarlo) -> Figure:
    """Return the bands that hold 50 % and 90 % of the resampled paths of equity, on a log scale.

    The title says how many paths end in a loss and how many were ever down by half.
    """
    bands = paths.bands
    require_rows(bands, ("session", "5%", "25%", "50%", "75%", "95%"), "bands of the paths")
    years = bands["session"] / 252
    with drawing() as (figure, (axes,)):
        for low, high, shade, label in (
            ("5%", "95%", 0.25, "90 % of paths"),
            ("25%", "75%", 0.5, "50 % of paths"),
        ):
            axes.fill_between(years, bands[low], bands[high], color=SKY, alpha=shade, lw=0, label=label)
        axes.plot(years, bands["50%"], color=BLUE, linewidth=1.8, label="median")
        axes.axhline(1, color="black", linewidth=0.8)
        axes.set(
            title=(
                f"{paths.probability_of_loss():.0%} of {len(paths.paths):,} paths end in a loss, "
                f"{paths.probability_of_ruin():.0%} were down by half"
            ),
            xlabel="years of 252 sessions",
            ylabel="equity, start = 1 (log)",
            yscale="log" if bands["5%"].min() > 0 else "linear",
        )
        axes.margins(x=0)
        plain_log_labels(axes)
        axes.legend(loc="upper left", ncols=3)
    return figure


def plot_bootstrap(  # noqa: PLR0913 - what is drawn, and how it is called
    draws: ArrayLike,
    *,
    observed: float,
    what: str = "gain",
    unit: str = "1",
    null: float = 0.0,
    level: float = 0.95,
) -> Figure:
    """Return the distribution of a resampled statistic, the observed value and the interval around it.

    Parameters
    ----------
    draws : array of shape (resamples,)
        The statistic of each resample.
    observed : float
        Its value in the data.
    what, unit : str
        Name and unit for title and axis.
    null : float
        The value of no effect.
    level : float
        Share of draws inside the interval (percentiles).

    Raises
    ------
    DataValidationError
        If there are fewer than two draws, or one is no finite number.
    """
    import numpy as np

    values = np.asarray(draws, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite([*values, observed]).all():  # noqa: PLR2004
        message = "A distribution takes two or more finite draws of one statistic, and its observed value."
        raise DataValidationError(message)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    inside = low <= null <= high
    with drawing(size=(9, 3.8)) as (figure, (axes,)):
        axes.hist(values, bins=60, histtype="stepfilled", color=SKY, alpha=0.6)
        axes.axvspan(low, high, color=GREY, alpha=0.15, lw=0, label=f"{level:.0%} of resamples")
        axes.axvline(observed, color=BLUE, linewidth=2, label=f"observed: {observed:.3g}")
        axes.axvline(null, color=VERMILION if inside else GREEN, linestyle="--", label=f"no effect: {null:g}")
        verdict = "holds" if inside else "leaves out"
        axes.set(
            title=f"{what}: {low:.3g} to {high:.3g} {verdict} {null:g}",
            xlabel=what if unit == "1" else f"{what}, {unit}",
            ylabel="resamples",
        )
        axes.legend(loc="upper right")
    return figure
