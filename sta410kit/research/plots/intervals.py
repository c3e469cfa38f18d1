"""Figures of intervals: whether they hold, how wide they are, and where the price may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research.plots.style import (
    BLUE,
    GREY,
    MOST_LINES,
    SKY,
    VERMILION,
    date_axis,
    drawing,
    first_symbols,
    hide_unused,
    horizon_of,
    require_rows,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_DRAWN = ("symbol", "date", "horizon", "actual", "lower", "upper")


def plot_coverage_over_time(predictions: pd.DataFrame, window: int = 126, level: float = 0.9) -> Figure:
    """Return the share of outcomes inside their interval over rolling windows, and how wide intervals were.

    All symbols together. The band holds 95 % of windows of an interval that keeps its promise, if the
    outcomes of different dates are independent; they overlap over the horizon, so it is wider for a longer
    one.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame.
    window : int
        Sessions in a window.
    level : float
        The share the intervals were made for.

    Raises
    ------
    DataValidationError
        If there are no predictions.
    """
    require_rows(predictions, _DRAWN, "predictions")
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    daily = inside.groupby(predictions["date"]).agg(["sum", "count"]).sort_index()
    window = min(window, len(daily))
    rolling = daily.rolling(window).sum()
    share = (rolling["sum"] / rolling["count"]).dropna()
    # Symbols of one date move together, so dates are counted and not predictions.
    noise = 1.96 * (level * (1 - level) * int(predictions["horizon"].iloc[0]) / window) ** 0.5
    widths = (predictions["upper"] - predictions["lower"]).groupby(predictions["date"]).median()
    moves = predictions["actual"].abs().groupby(predictions["date"]).median()
    with drawing(2, 1, size=(9, 5.6), shared="x") as (figure, (upper, lower)):
        upper.axhspan(
            100 * (level - noise), 100 * min(level + noise, 1), color=GREY, alpha=0.15, lw=0, label="chance"
        )
        upper.plot(share.index, 100 * share, color=BLUE, label=f"rolling {window} sessions")
        upper.axhline(100 * level, color=VERMILION, linestyle="--", label=f"promised: {level:.0%}")
        low = min(float(share.min()), level - noise) - 0.02
        upper.set(
            title=f"Intervals held {inside.mean():.1%} of outcomes, {level:.0%} were promised",
            ylabel="outcomes inside, %",
            ylim=(100 * max(low, 0), 100),
        )
        upper.legend(ncols=3, loc="lower left")
        lower.plot(widths.index, 100 * widths, color=BLUE, label="width of the interval")
        calm = moves.rolling(min(21, len(moves))).median()
        lower.plot(calm.index, 100 * calm, color=VERMILION, label="size of moves, 21 sessions")
        lower.set(
            title=f"Width follows volatility: {100 * widths.min():.1f} % to {100 * widths.max():.1f} %",
            ylabel=f"log return over\n{horizon_of(predictions)}, %",
        )
        lower.set_ylim(0, 125 * widths.max())  # room for the legend
        lower.legend(ncols=2, loc="upper right")
        date_axis(lower)
    return figure


def plot_coverage_by_year(predictions: pd.DataFrame, level: float = 0.9) -> Figure:
    """Return coverage of each symbol and year as a heat map; a frame marks what chance hardly explains.

    Framed are cells further than two standard errors from `level`, counting outcomes that do not overlap.

    Raises
    ------
    DataValidationError
        If there are no predictions.
    """
    import numpy as np

    require_rows(predictions, _DRAWN, "predictions")
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    groups = inside.groupby([predictions["symbol"].astype(str), predictions["date"].dt.year])
    shares, counts = groups.mean().unstack(), groups.size().unstack()  # noqa: PD010 - one value each
    symbols = first_symbols(predictions["symbol"], 20)
    shares, counts = shares.loc[symbols], counts.loc[symbols]
    errors = (level * (1 - level) * int(predictions["horizon"].iloc[0]) / counts) ** 0.5
    far = ((shares - level).abs() > 2 * errors).to_numpy()
    known = int(counts.notna().to_numpy().sum())
    size = (2.4 + 0.75 * max(shares.shape[1], 5), 1.7 + 0.42 * len(symbols))
    with drawing(size=size) as (figure, (axes,)):
        image = axes.imshow(
            100 * shares, cmap="RdBu", vmin=100 * level - 12, vmax=100 * level + 12, aspect="auto"
        )
        for row, column in np.argwhere(counts.notna().to_numpy()):
            value = 100 * shares.to_numpy()[row, column]
            dark = abs(value - 100 * level) > 8  # noqa: PLR2004 - where the shade turns dark
            axes.text(
                column, row, f"{value:.0f}", ha="center", va="center", color="white" if dark else "black"
            )
            if far[row, column]:
                axes.add_patch(_frame(column, row))
        axes.set_xticks(range(shares.shape[1]), [str(year) for year in shares.columns])
        axes.set_yticks(range(len(symbols)), symbols)
        axes.grid(visible=False)
        axes.set_title(
            f"Coverage by year: {int(far.sum())} of {known} off {level:.0%} by more than 2 standard errors"
        )
        figure.colorbar(image, ax=axes, label="outcomes inside, %")
    return figure


def plot_reliability(table: pd.DataFrame) -> Figure:
    """Return promised against observed coverage at several levels, with two standard errors.

    Parameters
    ----------
    table : DataFrame
        From `reliability.reliability`: ``level, coverage, error, outcomes``.

    Raises
    ------
    DataValidationError
        If there is no row.
    """
    require_rows(table, ("level", "coverage", "error", "outcomes"), "reliability table")
    worst = (table["coverage"] - table["level"]).abs().max()
    with drawing(size=(5.4, 5)) as (figure, (axes,)):
        axes.plot([0, 100], [0, 100], color=GREY, linestyle="--", label="kept exactly")
        axes.errorbar(
            100 * table["level"],
            100 * table["coverage"],
            200 * table["error"],
            color=BLUE,
            marker="o",
            capsize=4,
            label="observed, 2 standard errors",
        )
        low = 100 * min(float(table["level"].min()), float(table["coverage"].min())) - 8
        axes.set(
            title=f"Promises are kept within {100 * worst:.1f} points",
            xlabel="promised, % of outcomes inside",
            ylabel="observed, % of outcomes inside",
            xlim=(max(low, 0), 101),
            ylim=(max(low, 0), 101),
        )
        axes.legend(loc="upper left")
    return figure


def plot_fan(fan: pd.DataFrame, prices: pd.DataFrame, last: int = 60) -> Figure:
    """Return the last closes of each symbol and the prices its next sessions may bring, as nested bands.

    Parameters
    ----------
    fan : DataFrame
        From `fan.fan`; at most eight symbols are drawn.
    prices : DataFrame
        The prices it was made from.
    last : int
        Sessions of the past to draw.

    Raises
    ------
    DataValidationError
        If there is no fan to draw, or its prices are not there.
    """
    require_rows(fan, ("symbol", "date", "horizon", "level", "lower", "upper"), "fan")
    symbols = first_symbols(fan["symbol"], MOST_LINES)
    columns = min(len(symbols), 3)
    rows = -(-len(symbols) // columns)
    levels = sorted(fan["level"].unique(), reverse=True)
    with drawing(rows, columns, size=(max(7.0, 3.4 * columns), 0.9 + 2.6 * rows)) as (figure, every):
        for axes, symbol in zip(every, symbols, strict=False):
            _draw_fan(axes, fan[fan["symbol"] == symbol], prices[prices["symbol"] == symbol], last)
        hide_unused(every, len(symbols))
        for number in range(0, len(symbols), columns):
            every[number].set_ylabel("close, quote currency")
        furthest = int(fan["horizon"].max())
        named = " and ".join(f"{level:.0%}" for level in reversed(levels))
        figure.suptitle(
            f"Where the next {furthest} sessions may go: {named} of outcomes", x=0.01, ha="left", fontsize=13
        )
    return figure


def _draw_fan(axes: Axes, part: pd.DataFrame, own: pd.DataFrame, last: int) -> None:
    import numpy as np

    day = part["date"].iloc[0]
    past = own[own["date"] <= day].tail(last)
    if past.empty:
        message = f"The prices hold no session of {part['symbol'].iloc[0]} up to {day:%Y-%m-%d}."
        raise DataValidationError(message)
    close = float(past["close"].iloc[-1])
    axes.plot(np.arange(1 - len(past), 1), past["close"], color=GREY)
    for shade, level in zip((0.3, 0.45, 0.6, 0.75), sorted(part["level"].unique())[::-1], strict=False):
        ordered = part[part["level"] == level].sort_values("horizon")
        steps = np.concatenate([[0], ordered["horizon"]])
        low, high = (close * np.exp(np.concatenate([[0.0], ordered[name]])) for name in ("lower", "upper"))
        axes.fill_between(steps, low, high, color=SKY, alpha=shade, lw=0)
    axes.plot([0, int(part["horizon"].max())], [close, close], color=BLUE, linestyle=":")
    widest = part.loc[part["level"] == part["level"].max()].sort_values("horizon").iloc[-1]
    low, high = np.exp(widest["lower"]) - 1, np.exp(widest["upper"]) - 1
    axes.set_title(f"{widest['symbol']}: {low:+.0%} to {high:+.0%}", fontsize=11)
    axes.set_xlabel(f"sessions from {day:%Y-%m-%d}")


def _frame(column: float, row: float) -> Patch:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, edgecolor="black", linewidth=2)
