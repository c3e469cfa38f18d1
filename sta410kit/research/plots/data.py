"""Figures of what goes in: prices, their coverage, the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataValidationError
from sta410kit.research.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    PALETTE,
    VERMILION,
    date_axis,
    drawing,
    first_symbols,
    plain_log_labels,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def plot_prices(prices: pd.DataFrame, splits: pd.DataFrame | None = None) -> Figure:
    """Return closing prices as traded and adjusted, relative to the first, with the splits marked.

    Parameters
    ----------
    prices : DataFrame
        A prices frame; at most eight symbols are drawn, the first in order.
    splits : DataFrame, optional
        From `market.adjustment.find_splits`: ``symbol, date, ratio``.
    """
    with drawing(1, 2, size=(10, 4)) as (figure, (traded, adjusted)):
        symbols = first_symbols(prices["symbol"])
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
                    axes.scatter(
                        usable.loc[marks.index, "date"],
                        marks,
                        color=PALETTE[number],
                        marker="v",
                        s=45,
                        zorder=3,
                    )
        for axes, title in (
            (traded, "As traded: splits look like crashes"),
            (adjusted, "Adjusted: what an owner earned"),
        ):
            axes.set(title=title, yscale="log", ylabel="price, first session = 1 (log scale)")
            plain_log_labels(axes)
            date_axis(axes)
        handles, labels = traded.get_legend_handles_labels()
        if splits is not None and len(splits):
            handles.append(traded.scatter([], [], color=GREY, marker="v", s=45))
            labels.append("split")
        adjusted.legend(handles, labels, ncols=2, fontsize=9)
    return figure


def plot_coverage(prices: pd.DataFrame) -> Figure:
    """Return when each symbol has sessions; a red tick is one that others traded on and it did not."""
    import numpy as np

    symbols = first_symbols(prices["symbol"], 40)
    with drawing(size=(9, 1.4 + 0.4 * len(symbols))) as (figure, (axes,)):
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
            axes.plot(
                gaps, np.full(len(gaps), height), "|", color=VERMILION, markersize=14, markeredgewidth=2
            )
            axes.annotate(f" {len(own):,}", (own[-1], height), va="center", fontsize=9)
        axes.set_yticks(range(len(symbols)), list(reversed(symbols)))
        axes.set(
            ylim=(-0.6, len(symbols) - 0.4),
            title=f"Sessions of each symbol: {total:,} missing between first and last",
        )
        axes.margins(x=0.08)
        axes.grid(visible=False, axis="y")
        date_axis(axes)
    return figure


def plot_features(features: pd.DataFrame) -> Figure:
    """Return the distribution of every feature, the middle 99 %, all symbols together."""
    names = _feature_columns(features)
    columns = min(5, len(names))
    rows = -(-len(names) // columns)
    with drawing(rows, columns, size=(10, 0.6 + 1.9 * rows)) as (figure, every):
        for axes, name in zip(every, names, strict=False):
            values = features[name].dropna()
            if len(values):
                axes.hist(
                    values.clip(*(float(values.quantile(share)) for share in (0.005, 0.995))),
                    bins=50,
                    color=BLUE,
                )
            axes.set_title(name, fontsize=10)
            axes.set_yticks([])
            axes.tick_params(labelsize=8)
            axes.locator_params(axis="x", nbins=4)
        for axes in every[len(names) :]:
            axes.set_visible(False)
        figure.suptitle(
            "Distribution of each feature (the outer 1 % is drawn at the edge)", x=0.01, ha="left"
        )
    return figure


def plot_correlation(features: pd.DataFrame) -> Figure:
    """Return the rank correlation between the features (Spearman), all symbols together."""
    names = _feature_columns(features)
    table = features[names].rank().corr().to_numpy()  # Pearson of ranks; ties share their mean rank
    side = 1.8 + 0.5 * len(names)
    with drawing(size=(side + 1.5, side)) as (figure, (axes,)):
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


def plot_stationarity(table: pd.DataFrame) -> Figure:
    """Return what the two tests say: a mark for each series and symbol, its shape and colour the reading.

    Parameters
    ----------
    table : DataFrame
        From `stationarity.stationarity`.
    """
    from sta410kit.research.stationarity import STATIONARY, TOO_SHORT, UNCLEAR, UNIT_ROOT

    marks = {
        STATIONARY: ("o", BLUE),
        UNCLEAR: ("D", ORANGE),
        UNIT_ROOT: ("X", VERMILION),
        TOO_SHORT: (".", GREY),
    }
    names, symbols = list(dict.fromkeys(table["series"])), first_symbols(table["symbol"], 20)
    size = (3.2 + 0.7 * len(symbols), 1.6 + 0.33 * len(names))
    with drawing(size=size) as (figure, (axes,)):
        for reading, (marker, colour) in marks.items():
            part = table[(table["reading"] == reading) & table["symbol"].isin(symbols)]
            if len(part):
                across = [symbols.index(symbol) for symbol in part["symbol"]]
                down = [names.index(name) for name in part["series"]]
                axes.scatter(across, down, marker=marker, color=colour, s=70, label=reading)
        axes.set_xticks(range(len(symbols)), symbols)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.margins(x=0.15, y=0.06)
        axes.set_title("What keeps its mean")
        figure.legend(loc="outside right upper", fontsize=9)
    return figure


def _feature_columns(features: pd.DataFrame) -> list[str]:
    names = [str(name) for name in features.columns if name not in {"symbol", "date", "target"}]
    if not names or features.empty:
        message = "There are no features to draw."
        raise DataValidationError(message)
    return names
