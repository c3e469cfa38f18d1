"""Figures of what comes out: predictions, skill, forecasts, and what more data teach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.plots.style import (
    BLUE,
    GREEN,
    GREY,
    MOST_LINES,
    ORANGE,
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
    from matplotlib.figure import Figure


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
    require_rows(predictions, ("symbol", "date", "predicted", "actual", "lower", "upper"), "predictions")
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
            ylabel=f"log return over {horizon_of(part)}, %",
        )
        figure.legend(loc="outside lower center", ncols=4)
        date_axis(axes)
    return figure


def plot_skill(predictions: pd.DataFrame) -> Figure:
    """Return the squared error saved against naive, added up over time; only a lasting rise is skill."""
    require_rows(predictions, ("date", "model", "predicted", "actual"), "predictions")
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

    require_rows(forecasts, ("symbol", "date", "horizon", "predicted", "lower", "upper"), "forecasts")
    drawn = forecasts.head(MOST_LINES)
    columns = min(len(drawn), 3)
    rows = -(-len(drawn) // columns)
    with drawing(rows, columns, size=(max(7.0, 3.5 * columns), 0.7 + 2.6 * rows)) as (figure, every):
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
                fontsize=11,
            )
            axes.set_xlabel(f"sessions from {row['date']:%Y-%m-%d}")
        hide_unused(every, len(drawn))
        for number in range(0, len(drawn), columns):
            every[number].set_ylabel("close, quote currency")
        figure.suptitle(
            f"Forecast over {horizon_of(drawn)} with its interval, and the last {last} closes",
            x=0.01,
            ha="left",
            fontsize=13,
        )
    return figure


def plot_learning_curve(table: pd.DataFrame) -> Figure:
    """Return the error of a model relative to naive by the length of its training, in and out of sample.

    Parameters
    ----------
    table : DataFrame
        From `learning.learning_curve`: ``sessions, train, test, model``.
    """
    require_rows(table, ("sessions", "train", "test", "model"), "trainings")
    model, ordered = table["model"].iloc[0], table.sort_values("sessions")
    final, length = float(ordered["test"].iloc[-1]), int(ordered["sessions"].iloc[-1])
    with drawing() as (figure, (axes,)):
        axes.axhline(100, color=GREY, linestyle="--", label="naive")
        axes.plot(ordered["sessions"], 100 * ordered["train"], color=ORANGE, marker="s", label="in sample")
        axes.plot(ordered["sessions"], 100 * ordered["test"], color=BLUE, marker="o", label="out of sample")
        axes.set(
            title=f"{model} on {length:,} sessions: error {100 * (final - 1):+z.2f} % against naive's",
            xlabel="sessions in the training, the last before the test",
            ylabel="root mean squared error,\n% of naive's",
        )
        axes.legend(loc="best", ncols=3)
    return figure
