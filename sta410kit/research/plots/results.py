"""Figures of what comes out: predictions, their intervals, skill, equity, forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.plots.style import (
    BLUE,
    GREEN,
    GREY,
    MOST_LINES,
    SKY,
    VERMILION,
    date_axis,
    drawing,
    first_symbols,
    plain_log_labels,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sta410kit.research.backtest import Backtest


def plot_predictions(predictions: pd.DataFrame, symbol: str | None = None, last: int = 120) -> Figure:
    """Return what was predicted for a symbol, with its interval, and what happened, over the last sessions.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame.
    symbol : str, optional
        Which symbol; the first in order when omitted.
    last : int
        How many sessions.

    Raises
    ------
    ConfigurationError
        If there are no predictions of that symbol.
    """
    symbol = first_symbols(predictions["symbol"], 1)[0] if symbol is None else symbol
    part = predictions[predictions["symbol"] == symbol].sort_values("date").tail(last)
    if part.empty:
        known = ", ".join(first_symbols(predictions["symbol"], 20))
        message = f"There are no predictions of {symbol!r}; there are some of {known}."
        raise ConfigurationError(message)
    inside = part["actual"].between(part["lower"], part["upper"])
    with drawing() as (figure, (axes,)):
        axes.fill_between(
            part["date"],
            100 * part["lower"],
            100 * part["upper"],
            color=SKY,
            alpha=0.35,
            lw=0,
            label="interval",
        )
        axes.plot(part["date"], 100 * part["predicted"], color=BLUE, label="predicted")
        axes.scatter(
            part["date"][inside], 100 * part["actual"][inside], s=12, color=GREY, label="happened, inside"
        )
        axes.scatter(
            part["date"][~inside],
            100 * part["actual"][~inside],
            s=22,
            color=VERMILION,
            marker="X",
            label="happened, outside",
        )
        axes.set(
            title=f"{symbol}: {inside.mean():.0%} of the last {len(part)} outcomes lie inside their interval",
            ylabel=f"log return over {_span(part)}, %",
        )
        figure.legend(loc="outside lower center", ncols=4, fontsize=9)
        date_axis(axes)
    return figure


def plot_coverage_over_time(predictions: pd.DataFrame, window: int = 126, level: float = 0.9) -> Figure:
    """Return the share of outcomes inside their interval over rolling windows, all symbols together.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame.
    window : int
        Sessions in a window.
    level : float
        The share the intervals were made for.
    """
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    daily = inside.groupby(predictions["date"]).agg(["sum", "count"]).sort_index()
    rolling = daily.rolling(min(window, len(daily))).sum()
    share = (rolling["sum"] / rolling["count"]).dropna()
    with drawing() as (figure, (axes,)):
        axes.plot(share.index, 100 * share, color=BLUE, label=f"rolling {min(window, len(daily))} sessions")
        axes.axhline(100 * level, color=VERMILION, linestyle="--", label=f"promised: {level:.0%}")
        low = min(float(share.min()), level) - 0.03
        axes.set(
            title=f"Intervals held {inside.mean():.1%} of outcomes, {level:.0%} were promised",
            ylabel="outcomes inside, %",
            ylim=(100 * max(low, 0), 100),
        )
        axes.legend(ncols=2, loc="lower left")
        date_axis(axes)
    return figure


def plot_skill(predictions: pd.DataFrame) -> Figure:
    """Return the squared error saved against naive, added up over time; only a lasting rise is skill."""
    gain = predictions["actual"] ** 2 - (predictions["actual"] - predictions["predicted"]) ** 2
    total = gain.groupby(predictions["date"]).sum().sort_index().cumsum()
    final, whole = float(total.iloc[-1]), float((predictions["actual"] ** 2).sum())
    share = final / whole if whole > 0 else 0.0
    word = "ends ahead of" if final > 0 else "ends behind" if final < 0 else "ends level with"
    with drawing() as (figure, (axes,)):
        relative = 100 * total / whole if whole > 0 else total
        axes.plot(total.index, relative, color=BLUE)
        axes.fill_between(
            total.index,
            relative,
            0,
            where=(relative > 0),
            color=GREEN,
            alpha=0.25,
            lw=0,
            label="ahead of naive",
        )
        axes.fill_between(
            total.index,
            relative,
            0,
            where=(relative < 0),
            color=VERMILION,
            alpha=0.25,
            lw=0,
            label="behind naive",
        )
        axes.axhline(0, color=GREY, linewidth=1)
        axes.set(
            title=f"{predictions['model'].iloc[0]} {word} naive: {share:+z.3%} of its squared error",
            ylabel="squared error saved so far,\n% of naive's total",
        )
        axes.legend(loc="lower left")
        date_axis(axes)
    return figure


def plot_equity(backtest: Backtest) -> Figure:
    """Return the equity of the strategy after costs beside buy and hold, and its drawdown below."""
    frame = backtest.frame
    with drawing(2, 1, size=(9, 5.5)) as (figure, (upper, lower)):
        upper.plot(frame["date"], frame["benchmark"], color=GREY, label="buy and hold")
        upper.plot(
            frame["date"],
            frame["equity"],
            color=BLUE,
            label=f"strategy after {backtest.cost_bps:g} bps a trade",
        )
        before = (1 + frame["gross"]).cumprod()
        upper.plot(frame["date"], before, color=SKY, linestyle=":", label="strategy before costs")
        own, held = (each["annualised_return"] for each in (backtest.summary, backtest.benchmark))
        upper.set(
            title=f"Strategy {own:+.1%} a year, buy and hold {held:+.1%}",
            ylabel="equity, start = 1 (log)",
            yscale="log" if min(frame["equity"].min(), before.min()) > 0 else "linear",
        )
        plain_log_labels(upper)
        upper.legend(loc="upper left", fontsize=9)
        lower.fill_between(frame["date"], 100 * frame["drawdown"], 0, color=VERMILION, alpha=0.4, lw=0)
        lower.set(
            title=f"Worst fall from a peak: {backtest.summary['max_drawdown']:.1%}", ylabel="drawdown, %"
        )
        for axes in (upper, lower):
            date_axis(axes)
    return figure


def plot_forecasts(forecasts: pd.DataFrame, prices: pd.DataFrame, last: int = 40) -> Figure:
    """Return the last sessions of each symbol and the interval its next price is expected in.

    Parameters
    ----------
    forecasts : DataFrame
        A forecasts frame; at most eight symbols are drawn.
    prices : DataFrame
        The prices they start from.
    last : int
        Sessions of the past to draw.
    """
    import numpy as np

    drawn = forecasts.head(MOST_LINES)
    if drawn.empty:
        message = "There are no forecasts to draw."
        raise DataValidationError(message)
    columns = min(len(drawn), 3)
    rows = -(-len(drawn) // columns)
    with drawing(rows, columns, size=(max(5.0, 3.3 * columns), 0.6 + 2.5 * rows)) as (figure, every):
        for axes, row in zip(every, drawn.to_dict("records"), strict=False):
            past = prices[(prices["symbol"] == row["symbol"]) & (prices["date"] <= row["date"])].tail(last)
            close = float(past["close"].iloc[-1])
            low, middle, high = (
                close * float(np.exp(value)) for value in (row["lower"], row["predicted"], row["upper"])
            )
            axes.plot(np.arange(1 - len(past), 1), past["close"], color=GREY)
            axes.fill_between([0, row["horizon"]], [close, low], [close, high], color=SKY, alpha=0.5, lw=0)
            spread = [[middle - low], [high - middle]]  # drawn as a bar too: one session ahead is a sliver
            axes.errorbar(row["horizon"], middle, spread, color=BLUE, marker="o", markersize=4, capsize=5)
            axes.set_title(
                f"{row['symbol']}: {row['predicted']:+.2%} ({row['lower']:+.1%} to {row['upper']:+.1%})",
                fontsize=10,
            )
            axes.set_xlabel(f"sessions from {row['date']:%Y-%m-%d}", fontsize=9)
            axes.tick_params(labelsize=8)
        for axes in every[len(drawn) :]:
            axes.set_visible(False)
        for number in range(0, len(drawn), columns):
            every[number].set_ylabel("close", fontsize=9)
        figure.suptitle(
            f"Forecast over {_span(drawn)} with its interval, and the last {last} closes", x=0.01, ha="left"
        )
    return figure


def _span(frame: pd.DataFrame) -> str:
    horizon = int(frame["horizon"].iloc[0])
    return "one session" if horizon == 1 else f"{horizon} sessions"
