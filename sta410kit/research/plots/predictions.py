"""Figures of predictions and forecasts, and of how well their intervals hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.text import percent
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.plots.style import (
    BLUE,
    GREY,
    MOST_LINES,
    SKY,
    VERMILION,
    date_axis,
    drawing,
    first_symbols,
    grid_of_symbols,
    horizon_of,
    outcome_of,
    require_rows,
)
from sta410kit.research.target_names import RELATIVE, target_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INTERVALS = ("symbol", "date", "horizon", "actual", "lower", "upper")


def plot_predictions(predictions: pd.DataFrame, symbol: str | None = None, last: int = 120) -> Figure:
    """Plot predictions, intervals and outcomes of one symbol over its last sessions.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame.
    symbol : str, optional
        The first in alphabetical order by default.
    last : int
        Number of sessions.

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
    date, scaled = part["date"], 100 * part[["lower", "upper", "predicted", "actual"]]
    sessions = predictions["date"].unique()
    sessions = sessions[(sessions >= date.min()) & (sessions <= date.max())]
    line = scaled.set_axis(date).reindex(sessions)  # what lacks a prediction is drawn as a gap
    with drawing() as (figure, (axes,)):
        axes.fill_between(
            line.index, line["lower"], line["upper"], color=SKY, alpha=0.35, lw=0, label="interval"
        )
        axes.plot(line.index, line["predicted"], color=BLUE, label="predicted")
        for chosen, colour, size, marker, label in (
            (inside, GREY, 12, "o", "outcome inside"),
            (~inside, VERMILION, 22, "X", "outcome outside"),
        ):
            outcome = scaled["actual"][chosen]
            axes.scatter(date[chosen], outcome, s=size, color=colour, marker=marker, label=label)
        axes.set(
            title=(
                f"{symbol}: {percent(inside.mean())} of the last {len(part)} outcomes "
                "lie inside their interval"
            ),
            ylabel=outcome_of(part),
        )
        figure.legend(loc="outside lower center", ncols=4)
        date_axis(axes)
    return figure


def plot_coverage_over_time(predictions: pd.DataFrame, window: int = 126, level: float = 0.9) -> Figure:
    """Plot the share of outcomes inside their interval over rolling windows, and the interval width.

    All symbols together. The grey band holds 95 % of windows of an exact interval if outcomes of different
    dates are independent; it widens with the horizon, over which targets overlap.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame.
    window : int
        Sessions per window.
    level : float
        Nominal coverage.
    """
    require_rows(predictions, _INTERVALS, "predictions")
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    daily = inside.groupby(predictions["date"]).agg(["sum", "count"]).sort_index()
    window = min(window, len(daily))
    rolling = daily.rolling(window).sum()
    share = (rolling["sum"] / rolling["count"]).dropna()
    # Symbols of one date move together, so dates are counted, not predictions.
    noise = 1.96 * (level * (1 - level) * int(predictions["horizon"].iloc[0]) / window) ** 0.5
    widths = (predictions["upper"] - predictions["lower"]).groupby(predictions["date"]).median()
    moves = predictions["actual"].abs().groupby(predictions["date"]).median()
    typical = moves.rolling(min(21, len(moves))).median()
    low, high = level - noise, min(level + noise, 1)
    with drawing(2, 1, size=(9, 5.6), shared="x") as (figure, (upper, lower)):
        upper.axhspan(100 * low, 100 * high, color=GREY, alpha=0.15, lw=0, label="chance")
        upper.plot(share.index, 100 * share, color=BLUE, label=f"rolling {window} sessions")
        upper.axhline(100 * level, color=VERMILION, linestyle="--", label=f"nominal: {percent(level)}")
        upper.set(
            title=f"Intervals held {percent(inside.mean(), '.1%')} of outcomes, nominal {percent(level)}",
            ylabel="outcomes inside, %",
            ylim=(100 * max(min(float(share.min()), low) - 0.02, 0), 100),
        )
        upper.legend(ncols=3, loc="lower left")
        lower.plot(widths.index, 100 * widths, color=BLUE, label="width of the interval")
        lower.plot(typical.index, 100 * typical, color=VERMILION, label="size of moves, 21 sessions")
        lower.set(
            title=f"Width follows volatility: {100 * widths.min():.1f} % to {100 * widths.max():.1f} %",
            ylabel=outcome_of(predictions, "\n"),
            ylim=(0, 125 * widths.max()),  # room for the legend
        )
        lower.legend(ncols=2, loc="upper right")
        date_axis(lower)
    return figure


def plot_coverage_by_year(predictions: pd.DataFrame, level: float = 0.9) -> Figure:
    """Plot coverage per symbol and year as a heat map.

    A frame marks cells more than two standard errors from `level`, counting outcomes that do not overlap.
    """
    from matplotlib.patches import Rectangle

    require_rows(predictions, _INTERVALS, "predictions")
    inside = predictions["actual"].between(predictions["lower"], predictions["upper"])
    groups = inside.groupby([predictions["symbol"].astype(str), predictions["date"].dt.year])
    symbols = first_symbols(predictions["symbol"], 20)
    shares, counts = (table.unstack().loc[symbols] for table in (groups.mean(), groups.size()))  # noqa: PD010 - one value each
    errors = (level * (1 - level) * int(predictions["horizon"].iloc[0]) / counts) ** 0.5
    far = ((shares - level).abs() > 2 * errors).to_numpy()
    known, scaled = counts.notna().to_numpy(), 100 * shares.to_numpy()
    size = (2.4 + 0.75 * max(shares.shape[1], 5), 1.7 + 0.42 * len(symbols))
    with drawing(size=size) as (figure, (axes,)):
        image = axes.imshow(scaled, cmap="RdBu", vmin=100 * level - 12, vmax=100 * level + 12, aspect="auto")
        for row, column in np.argwhere(known):
            value = scaled[row, column]
            dark = abs(value - 100 * level) > 8  # noqa: PLR2004 - where the colour map turns dark
            colour = "white" if dark else "black"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour)
        for row, column in np.argwhere(far):
            corner = (column - 0.46, row - 0.44)
            axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor="black", linewidth=2))
        axes.set_xticks(range(shares.shape[1]), [str(year) for year in shares.columns])
        axes.set_yticks(range(len(symbols)), symbols)
        axes.grid(visible=False)
        axes.set_title(
            f"Coverage by year: {int(far.sum())} of {int(known.sum())} off {percent(level)} "
            "by more than 2 standard errors"
        )
        figure.colorbar(image, ax=axes, label="outcomes inside, %")
    return figure


def plot_forecasts(forecasts: pd.DataFrame, prices: pd.DataFrame, last: int = 40) -> Figure:
    """Plot the last closes of each symbol and the interval of its forecast price.

    Forecasts that compare symbols say nothing about a price and are drawn side by side.

    Parameters
    ----------
    forecasts : DataFrame
        A forecasts frame; at most eight symbols are drawn.
    prices : DataFrame
        The prices they start from.
    last : int
        Past sessions to draw.
    """
    require_rows(forecasts, ("symbol", "date", "horizon", "predicted", "lower", "upper"), "forecasts")
    drawn = forecasts.head(MOST_LINES)
    if target_of(drawn) in RELATIVE:
        return _plot_compared(drawn)
    title = f"Forecast over {horizon_of(drawn)} with its interval, and the last {last} closes"
    with grid_of_symbols(len(drawn), title) as (figure, every):
        for axes, row in zip(every, drawn.to_dict("records"), strict=False):
            close = _draw_past(axes, prices, row["symbol"], row["date"], last)
            low, middle, high = (close * float(np.exp(row[name])) for name in ("lower", "predicted", "upper"))
            axes.fill_between([0, row["horizon"]], [close, low], [close, high], color=SKY, alpha=0.5, lw=0)
            spread = [[middle - low], [high - middle]]  # a bar too: one session ahead is a sliver
            axes.errorbar(row["horizon"], middle, spread, color=BLUE, marker="o", markersize=4, capsize=5)
            axes.set_title(
                f"{row['symbol']}: {percent(row['predicted'], '+.2%')} "
                f"({percent(row['lower'], '+.1%')} to {percent(row['upper'], '+.1%')})",
                fontsize=11,
            )
    return figure


def _plot_compared(forecasts: pd.DataFrame) -> Figure:
    """Plot each symbol's forecast of how it does among the others, the best at the top."""
    ordered = forecasts.sort_values("predicted", ignore_index=True)
    low, middle, high = (100 * ordered[name] for name in ("lower", "predicted", "upper"))
    with drawing(size=(9, 1.6 + 0.4 * len(ordered))) as (figure, (axes,)):
        axes.errorbar(middle, ordered.index, xerr=[middle - low, high - middle], color=SKY, ecolor=SKY, ls="")
        axes.scatter(middle, ordered.index, color=BLUE, zorder=3)
        axes.axvline(0, color=GREY, linewidth=1)
        axes.set_yticks(
            ordered.index,
            [f"{row['symbol']}: {percent(row['predicted'], '+.2%')}" for row in ordered.to_dict("records")],
        )
        axes.set(title="Forecast of each symbol among the others", xlabel=outcome_of(ordered))
    return figure


def plot_quantile_forecast(quantiles: pd.DataFrame, prices: pd.DataFrame, last: int = 60) -> Figure:
    """Plot the last closes of each symbol and nested bands of its next prices.

    Parameters
    ----------
    quantiles : DataFrame
        From `quantile_forecast.quantile_forecast`; at most eight symbols are drawn.
    prices : DataFrame
        The prices it was made from.
    last : int
        Past sessions to draw.
    """
    require_rows(quantiles, ("symbol", "date", "horizon", "level", "lower", "upper"), "quantile forecasts")
    symbols = first_symbols(quantiles["symbol"], MOST_LINES)
    levels = " and ".join(percent(level) for level in sorted(quantiles["level"].unique()))
    title = f"Next {int(quantiles['horizon'].max())} sessions: bands that hold {levels} of outcomes"
    with grid_of_symbols(len(symbols), title) as (figure, every):
        for axes, symbol in zip(every, symbols, strict=False):
            _draw_bands(axes, quantiles[quantiles["symbol"] == symbol], prices, last)
    return figure


def _draw_bands(axes: Axes, part: pd.DataFrame, prices: pd.DataFrame, last: int) -> None:
    close = _draw_past(axes, prices, part["symbol"].iloc[0], part["date"].iloc[0], last)
    ordered = part.sort_values("horizon")
    for shade, level in zip((0.3, 0.45, 0.6, 0.75), sorted(part["level"].unique())[::-1], strict=False):
        band = ordered[ordered["level"] == level]
        steps = np.concatenate([[0], band["horizon"]])
        low, high = (close * np.exp(np.concatenate([[0.0], band[name]])) for name in ("lower", "upper"))
        axes.fill_between(steps, low, high, color=SKY, alpha=shade, lw=0)
    axes.plot([0, int(part["horizon"].max())], [close, close], color=BLUE, linestyle=":")
    widest = ordered[ordered["level"] == part["level"].max()].iloc[-1]
    low, high = np.exp(widest["lower"]) - 1, np.exp(widest["upper"]) - 1
    axes.set_title(f"{widest['symbol']}: {percent(low, '+.0%')} to {percent(high, '+.0%')}", fontsize=11)


def _draw_past(axes: Axes, prices: pd.DataFrame, symbol: str, day: pd.Timestamp, last: int) -> float:
    """Draw the closes of a symbol up to a session and return the last of them."""
    past = prices[(prices["symbol"] == symbol) & (prices["date"] <= day)].tail(last)
    if past.empty:
        message = f"The prices hold no session of {symbol} up to {day:%Y-%m-%d}."
        raise DataValidationError(message)
    axes.plot(np.arange(1 - len(past), 1), past["close"], color=GREY)
    axes.set_xlabel(f"sessions from {day:%Y-%m-%d}")
    return float(past["close"].iloc[-1])
