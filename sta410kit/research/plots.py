"""The figures of the notebooks, one function each, all in one style.

Each returns a closed Figure: shown as the last value of a cell it appears once, and a long run leaks none. Colours
are those of Okabe and Ito, which colour-blind readers tell apart.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sta410kit.research.backtest import Backtest

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
)
GREY = "#666666"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY, "#000000")
_STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "font.size": 10,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
}
_MOST = len(PALETTE)  # lines that can be told apart in one chart


@contextmanager
def _drawing(rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (9, 4)) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure and its axes in the kit's style, and close it again, whatever happens."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt
    from cycler import cycler

    with mpl.rc_context({**_STYLE, "axes.prop_cycle": cycler(color=PALETTE)}):
        figure, axes = plt.subplots(rows, columns, figsize=size, dpi=100, layout="constrained", squeeze=False)
        try:
            yield figure, list(axes.flat)
        finally:
            plt.close(figure)


def plot_prices(prices: pd.DataFrame, splits: pd.DataFrame | None = None) -> Figure:
    """Return closing prices as traded and adjusted, relative to the first, with the splits marked.

    Parameters
    ----------
    prices : DataFrame
        A prices frame; at most eight symbols are drawn, the first in order.
    splits : DataFrame, optional
        From `market.adjustment.find_splits`: ``symbol, date, ratio``.
    """
    with _drawing(1, 2, size=(10, 4)) as (figure, (traded, adjusted)):
        symbols = _first(prices["symbol"])
        for number, symbol in enumerate(symbols):
            part = prices[prices["symbol"] == symbol]
            for axes, name in ((traded, "close"), (adjusted, "adj_close")):
                usable = part[part[name] > 0]
                if usable.empty:
                    continue
                relative = usable[name] / usable[name].iloc[0]
                axes.plot(usable["date"], relative, label=symbol, color=PALETTE[number])
                if splits is not None:
                    days = splits.loc[splits["symbol"] == symbol, "date"]
                    marks = relative[usable["date"].isin(days)]
                    axes.scatter(usable.loc[marks.index, "date"], marks, color=PALETTE[number], marker="v", s=45, zorder=3)
        for axes, title in ((traded, "As traded: splits look like crashes"), (adjusted, "Adjusted: what an owner earned")):
            axes.set(title=title, yscale="log", ylabel="price, first session = 1 (log scale)")
            _plain_log(axes)
            _dates(axes)
        handles, labels = traded.get_legend_handles_labels()
        if splits is not None and len(splits):
            handles.append(traded.scatter([], [], color=GREY, marker="v", s=45))
            labels.append("split")
        adjusted.legend(handles, labels, ncols=2, fontsize=9)
    return figure


def plot_coverage(prices: pd.DataFrame) -> Figure:
    """Return when each symbol has sessions; a red tick is one that others traded on and it did not."""
    import numpy as np

    symbols = _first(prices["symbol"], 40)
    with _drawing(size=(9, 1.4 + 0.4 * len(symbols))) as (figure, (axes,)):
        calendar = np.sort(prices["date"].dropna().unique())
        total = 0
        for height, symbol in enumerate(reversed(symbols)):
            own = np.sort(prices.loc[prices["symbol"] == symbol, "date"].dropna().unique())
            if not len(own):
                continue
            axes.plot([own[0], own[-1]], [height, height], color=BLUE, linewidth=9, solid_capstyle="butt")
            inside = calendar[(calendar >= own[0]) & (calendar <= own[-1])]
            gaps = np.setdiff1d(inside, own)
            total += len(gaps)
            axes.plot(gaps, np.full(len(gaps), height), "|", color=VERMILION, markersize=14, markeredgewidth=2)
            axes.annotate(f" {len(own):,}", (own[-1], height), va="center", fontsize=9)
        axes.set_yticks(range(len(symbols)), list(reversed(symbols)))
        axes.set(ylim=(-0.6, len(symbols) - 0.4), title=f"Sessions of each symbol: {total:,} missing between first and last")
        axes.margins(x=0.08)
        axes.grid(visible=False, axis="y")
        _dates(axes)
    return figure


def plot_features(features: pd.DataFrame) -> Figure:
    """Return the distribution of every feature, the middle 99 %, all symbols together."""
    names = _numeric(features)
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    with _drawing(rows, columns, size=(10, 0.6 + 1.9 * rows)) as (figure, every):
        for axes, name in zip(every, names, strict=False):
            values = features[name].dropna()
            if len(values):
                axes.hist(values.clip(values.quantile(0.005), values.quantile(0.995)), bins=50, color=BLUE)
            axes.set_title(name, fontsize=10)
            axes.set_yticks([])
            axes.tick_params(labelsize=8)
            axes.locator_params(axis="x", nbins=4)
        for axes in every[len(names) :]:
            axes.set_visible(False)
        figure.suptitle("Distribution of each feature (the outer 1 % is drawn at the edge)", x=0.01, ha="left")
    return figure


def plot_correlation(features: pd.DataFrame) -> Figure:
    """Return the rank correlation between the features (Spearman), all symbols together."""
    names = _numeric(features)
    table = features[names].rank().corr().to_numpy()  # Pearson of ranks; ties share their mean rank
    side = 1.8 + 0.5 * len(names)
    with _drawing(size=(side + 1.5, side)) as (figure, (axes,)):
        image = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.grid(visible=False)
        for row in range(len(names)):
            for column in range(len(names)):
                value = table[row, column]
                colour = "white" if abs(value) > 0.6 else "black"  # noqa: PLR2004 - where the shade turns dark
                axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=8, color=colour)
        figure.colorbar(image, ax=axes, label="rank correlation", shrink=0.8)
        axes.set_title("Features that say the same thing are dark")
    return figure


def plot_predictions(predictions: pd.DataFrame, symbol: str, last: int = 120) -> Figure:
    """Return what was predicted for a symbol, with its interval, and what happened, over the last sessions."""
    part = predictions[predictions["symbol"] == symbol].sort_values("date").tail(last)
    if part.empty:
        message = f"There are no predictions of {symbol!r}; there are {', '.join(_first(predictions['symbol'], 20))}."
        raise ConfigurationError(message)
    inside = part["actual"].between(part["lower"], part["upper"])
    with _drawing() as (figure, (axes,)):
        axes.fill_between(part["date"], 100 * part["lower"], 100 * part["upper"], color=SKY, alpha=0.35, lw=0, label="interval")
        axes.plot(part["date"], 100 * part["predicted"], color=BLUE, label="predicted")
        axes.scatter(part["date"][inside], 100 * part["actual"][inside], s=12, color=GREY, label="happened, inside")
        axes.scatter(part["date"][~inside], 100 * part["actual"][~inside], s=22, color=VERMILION, marker="X", label="happened, outside")
        axes.set(
            title=f"{symbol}: {inside.mean():.0%} of the last {len(part)} outcomes lie inside their interval",
            ylabel=f"log return over {_ahead(part)}, %",
        )
        axes.legend(ncols=4, fontsize=9)
        _dates(axes)
    return figure


def plot_coverage_over_time(predictions: pd.DataFrame, window: int = 126, level: float = 0.9) -> Figure:
    """Return the share of outcomes inside their interval over rolling windows of sessions, all symbols together.

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
    with _drawing() as (figure, (axes,)):
        axes.plot(share.index, 100 * share, color=BLUE, label=f"rolling {min(window, len(daily))} sessions")
        axes.axhline(100 * level, color=VERMILION, linestyle="--", label=f"promised: {level:.0%}")
        low = min(float(share.min()), level) - 0.03
        axes.set(
            title=f"Intervals held {inside.mean():.1%} of outcomes, {level:.0%} were promised",
            ylabel="outcomes inside, %",
            ylim=(100 * max(low, 0), 100),
        )
        axes.legend(ncols=2, loc="lower left")
        _dates(axes)
    return figure


def plot_skill(predictions: pd.DataFrame) -> Figure:
    """Return the squared error saved against naive, added up over time; only a lasting rise is skill."""
    gain = predictions["actual"] ** 2 - (predictions["actual"] - predictions["predicted"]) ** 2
    total = gain.groupby(predictions["date"]).sum().sort_index().cumsum()
    final, whole = float(total.iloc[-1]), float((predictions["actual"] ** 2).sum())
    share = final / whole if whole > 0 else 0.0
    word = "ends ahead of" if final > 0 else "ends behind" if final < 0 else "ends level with"
    with _drawing() as (figure, (axes,)):
        relative = 100 * total / whole if whole > 0 else total
        axes.plot(total.index, relative, color=BLUE)
        axes.fill_between(total.index, relative, 0, where=(relative > 0), color=GREEN, alpha=0.25, lw=0, label="ahead of naive")
        axes.fill_between(total.index, relative, 0, where=(relative < 0), color=VERMILION, alpha=0.25, lw=0, label="behind naive")
        axes.axhline(0, color=GREY, linewidth=1)
        axes.set(
            title=f"{predictions['model'].iloc[0]} {word} naive: {share:+z.2%} of its squared error",
            ylabel="squared error saved so far,\n% of naive's total",
        )
        axes.legend(loc="lower left")
        _dates(axes)
    return figure


def plot_equity(backtest: Backtest) -> Figure:
    """Return the equity of the strategy after costs beside buy and hold, and its drawdown below."""
    frame = backtest.frame
    with _drawing(2, 1, size=(9, 5.5)) as (figure, (upper, lower)):
        upper.plot(frame["date"], frame["benchmark"], color=GREY, label="buy and hold")
        upper.plot(frame["date"], frame["equity"], color=BLUE, label=f"strategy after {backtest.cost_bps:g} bps a trade")
        before = (1 + frame["gross"]).cumprod()
        upper.plot(frame["date"], before, color=SKY, linestyle=":", label="strategy before costs")
        own, held = backtest.summary, backtest.benchmark
        upper.set(
            title=f"Strategy {own['annualised_return']:+.1%} a year, buy and hold {held['annualised_return']:+.1%}",
            ylabel="equity, start = 1 (log)",
            yscale="log" if min(frame["equity"].min(), before.min()) > 0 else "linear",
        )
        _plain_log(upper)
        upper.legend(loc="upper left", fontsize=9)
        lower.fill_between(frame["date"], 100 * frame["drawdown"], 0, color=VERMILION, alpha=0.4, lw=0)
        lower.set(title=f"Worst fall from a peak: {own['max_drawdown']:.1%}", ylabel="drawdown, %")
        for axes in (upper, lower):
            _dates(axes)
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

    drawn = forecasts.head(_MOST)
    if drawn.empty:
        message = "There are no forecasts to draw."
        raise DataValidationError(message)
    columns = min(len(drawn), 3)
    rows = -(-len(drawn) // columns)
    with _drawing(rows, columns, size=(max(5.0, 3.3 * columns), 0.6 + 2.5 * rows)) as (figure, every):
        for axes, row in zip(every, drawn.itertuples(index=False), strict=False):
            past = prices[(prices["symbol"] == row.symbol) & (prices["date"] <= row.date)].tail(last)
            close = float(past["close"].iloc[-1])
            low, middle, high = (close * float(np.exp(value)) for value in (row.lower, row.predicted, row.upper))
            ahead = [0, row.horizon]
            axes.plot(np.arange(1 - len(past), 1), past["close"], color=GREY)
            reach = max(row.horizon, 4)  # a horizon of one session would be a sliver
            axes.fill_between([0, reach], [close, low], [close, high], color=SKY, alpha=0.5, lw=0)
            axes.plot([0, reach], [close, middle], color=BLUE, marker="o", markevery=[1], markersize=4)
            axes.set_title(f"{row.symbol}: {100 * row.predicted:+.2f} % ({100 * row.lower:+.1f} to {100 * row.upper:+.1f})", fontsize=10)
            axes.set_xlabel(f"sessions from {row.date:%Y-%m-%d}", fontsize=9)
            axes.tick_params(labelsize=8)
            del ahead
        for axes in every[len(drawn) :]:
            axes.set_visible(False)
        for number in range(0, len(drawn), columns):
            every[number].set_ylabel("close", fontsize=9)
        figure.suptitle(f"Forecast over {_ahead(drawn)} with its interval, and the last {last} closes", x=0.01, ha="left")
    return figure


def _first(symbols: pd.Series[str], most: int = _MOST) -> list[str]:
    return sorted(str(symbol) for symbol in symbols.dropna().unique())[:most]


def _numeric(features: pd.DataFrame) -> list[str]:
    names = [str(name) for name in features.columns if name not in {"symbol", "date", "target"}]
    if not names or features.empty:
        message = "There are no features to draw."
        raise DataValidationError(message)
    return names


def _ahead(frame: pd.DataFrame) -> str:
    horizon = int(frame["horizon"].iloc[0])
    return "one session" if horizon == 1 else f"{horizon} sessions"


def _plain_log(axes: Axes) -> None:
    """Label a log axis with plain numbers: 0.5, 1, 2 instead of powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())


def _dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
