"""Figures of the inputs: prices, their coverage, the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.exceptions import DataValidationError
from sta410kit.research.plots.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALETTE,
    VERMILION,
    date_axis,
    drawing,
    first_symbols,
    hide_unused,
    plain_log_labels,
    require_rows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_NUMBERED = 16  # features whose correlations are written into the cells
_SAME = 0.8  # rank correlation above which two features are nearly collinear


def plot_prices(prices: pd.DataFrame, splits: pd.DataFrame | None = None) -> Figure:
    """Plot closing prices as traded and adjusted, relative to the first, with the splits marked.

    Parameters
    ----------
    prices : DataFrame
        A prices frame; the first eight symbols are drawn.
    splits : DataFrame, optional
        From `market.adjustment.find_splits`: ``symbol, date, ratio``.
    """
    require_rows(prices, ("symbol", "date", "close", "adj_close"), "prices")
    with drawing(1, 2, size=(10, 4.4)) as (figure, (traded, adjusted)):
        symbols = first_symbols(prices["symbol"])
        for number, symbol in enumerate(symbols):
            part = prices[prices["symbol"] == symbol]
            for axes, name in ((traded, "close"), (adjusted, "adj_close")):
                usable = part[name].where(part[name] > 0)  # a gap stays one
                relative = usable / usable.bfill().iloc[0]
                axes.plot(part["date"], relative, label=symbol, color=PALETTE[number])
                if splits is not None:
                    days = splits.loc[splits["symbol"] == symbol, "date"]
                    marks = part["date"].isin(days)
                    axes.scatter(
                        part["date"][marks], relative[marks],
                        color=PALETTE[number], marker="v", s=50, zorder=3,
                    )  # fmt: skip
        for axes, title in (
            (traded, "As traded: splits look like crashes"),
            (adjusted, "Adjusted: what an owner earned"),
        ):
            axes.set(title=title, yscale="log", ylabel="price, first session = 1 (log scale)")
            plain_log_labels(axes)
            date_axis(axes)
        handles, labels = traded.get_legend_handles_labels()
        if splits is not None and len(splits):
            handles.append(traded.scatter([], [], color=GREY, marker="v", s=50))
            labels.append("split")
        figure.legend(handles, labels, ncols=9, loc="outside lower center")
    return figure


def plot_coverage(prices: pd.DataFrame) -> Figure:
    """Plot the completeness of each symbol and month as a heat map.

    A session is missing where another symbol traded and this one, between its first and its last, did not, or
    its row has no close.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap

    require_rows(prices, ("symbol", "date", "close"), "prices")
    known = prices.dropna(subset=["symbol", "date", "close"])[["symbol", "date"]]
    require_rows(known.drop_duplicates(), ("symbol", "date"), "sessions")
    symbols = first_symbols(known["symbol"], 40)
    there = pd.crosstab(known["date"], known["symbol"].astype(str)).clip(upper=1)[symbols]
    first, last = there.idxmax(), there[::-1].idxmax()
    days = there.index.to_numpy()[:, None]
    listed = (days >= first.to_numpy()) & (days <= last.to_numpy())
    missing = listed & (there.to_numpy() == 0)
    month = pd.PeriodIndex(there.index, freq="M")
    holes = pd.DataFrame(missing, columns=symbols).groupby(month).sum()
    share = 1 - holes / pd.DataFrame(listed, columns=symbols).groupby(month).sum()  # NaN: not listed
    span = pd.period_range(month.min(), month.max(), freq="M")
    share = share.reindex(span)
    colours = [VERMILION, ORANGE, BLUE]
    with drawing(size=(9, 1.5 + 0.42 * len(symbols))) as (figure, (axes,)):
        axes.pcolormesh(
            np.append(span.start_time.to_numpy(), span[-1:].end_time.to_numpy()),
            np.arange(len(symbols) + 1) - 0.5,
            np.ma.masked_invalid(share.T.to_numpy(dtype=float)),
            cmap=ListedColormap(colours),
            norm=BoundaryNorm([0, 0.5, 1 - 1e-9, 1.1], 3),
        )
        axes.set_yticks(range(len(symbols)), [f"{name}  {int(there[name].sum()):,}" for name in symbols])
        axes.set_ylim(len(symbols) - 0.5, -0.5)
        for edge in np.arange(len(symbols) - 1) + 0.5:
            axes.axhline(edge, color=INK, linewidth=1)
        axes.set(title=f"Sessions of each symbol: {int(missing.sum()):,} missing between first and last")
        axes.grid(visible=False)
        handles = [axes.scatter([], [], marker="s", s=60, color=c) for c in colours[::-1]]
        labels = ["whole month", "some sessions missing", "more than half"]
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        date_axis(axes)
    return figure


def plot_features(features: pd.DataFrame) -> Figure:
    """Plot the distribution of every feature, the middle 99 %, all symbols together."""
    names = _feature_columns(features)
    few = len(names) <= _MOST_NUMBERED
    columns = min(5 if few else 6, len(names))
    rows = -(-len(names) // columns)
    with drawing(rows, columns, size=(10, 0.6 + (1.9 if few else 1.6) * rows)) as (figure, every):
        for axes, name in zip(every, names, strict=False):
            values = features[name].dropna()
            if len(values):
                middle = values.clip(*(float(values.quantile(share)) for share in (0.005, 0.995)))
                # One shape instead of fifty bars: drawn in a third of the time.
                axes.hist(middle, bins=50, histtype="stepfilled", color=BLUE)
            axes.set_title(name, fontsize=10)
            axes.set_yticks([])
            axes.tick_params(labelsize=9)
            axes.locator_params(axis="x", nbins=3)
        hide_unused(every, len(names))
        title = "Distribution of each feature (the outer 1 % is drawn at the edge)"
        figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    return figure


def plot_correlation(features: pd.DataFrame) -> Figure:
    """Plot the rank correlation between the features (Spearman), with numbers for up to 16 features."""
    names = _feature_columns(features)
    table = features[names].rank().corr().to_numpy()  # Pearson of ranks; ties share their mean rank
    cell = 0.52 if len(names) <= _MOST_NUMBERED else min(0.24, 11 / len(names))
    side = 2.2 + cell * max(len(names), 5)
    pairs = int((np.abs(table[np.triu_indices(len(names), 1)]) > _SAME).sum())
    with drawing(size=(side + 1.2, side)) as (figure, (axes,)):
        image = axes.imshow(table, cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(labelsize=10 if len(names) <= _MOST_NUMBERED else 9)
        axes.grid(visible=False)
        for row, column in np.ndindex(table.shape if len(names) <= _MOST_NUMBERED else (0, 0)):
            value = table[row, column]
            colour = "white" if abs(value) > 0.6 else "black"  # noqa: PLR2004 - where the shade turns dark
            text = axes.text(column, row, f"{value:z.1f}", ha="center", va="center", fontsize=9, color=colour)
            text.set_in_layout(False)  # it fits its cell: no layout needed
        figure.colorbar(image, ax=axes, label="rank correlation", shrink=0.8)
        axes.set_title(f"{pairs} pairs of features are nearly collinear (above {_SAME:g})")
    return figure


def plot_stationarity(table: pd.DataFrame) -> Figure:
    """Plot the reading of the two stationarity tests for each series and symbol.

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
    require_rows(table, ("symbol", "series", "reading"), "test results")
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
        axes.set_title("Stationarity")
        figure.legend(loc="outside right upper")
    return figure


def _feature_columns(features: pd.DataFrame) -> list[str]:
    names = [str(name) for name in features.columns if name not in {"symbol", "date", "target"}]
    if not names or features.empty:
        message = "There are no features to draw."
        raise DataValidationError(message)
    return names
