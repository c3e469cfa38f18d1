"""Figures of the two tear sheets: the factor, and the returns of its strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.research.plots.style import (
    BLUE,
    GREY,
    INK,
    SKY,
    VERMILION,
    date_axis,
    drawing,
    only_words,
    require_rows,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sta410kit.research.backtest import Backtest
    from sta410kit.research.factor import FactorTearSheet
    from sta410kit.research.tear_sheet import ReturnsTearSheet

_ENDS = 8  # symbols with the largest and the smallest contributions
_MONTH = 21  # sessions
_ROUNDING = 1e-9  # percent
_LEAST_SCALE = 0.01  # of the colours: a month of 1 % is pale


def plot_factor(sheet: FactorTearSheet) -> Figure:
    """Plot the rank IC by horizon, the mean return of each quantile, and the spread over time."""
    if sheet.rank_ic.empty:
        return only_words("Ranking: not defined, no date has 3 symbols with different predictions.")
    with drawing(1, 3, size=(13, 3.8)) as (figure, (left, middle, right)):
        _draw_decay(left, sheet)
        table = sheet.quantiles
        percent = 1e4 * table["mean"]
        colours = [BLUE if value >= 0 else VERMILION for value in percent]
        middle.bar(table["quantile"], percent, color=colours, width=0.7)
        middle.axhline(0, color=INK, linewidth=0.8)
        middle.set(title="Return by quantile", xlabel="quantile of the prediction", xticks=table["quantile"])
        middle.set_ylabel("basis points over the date's mean")
        total = 100 * sheet.spread.cumsum() / sheet.horizon
        right.plot(total.index, total, color=BLUE)
        right.axhline(0, color=GREY, linewidth=1)
        right.set(title=f"Highest less lowest, t = {sheet.spread_t:.1f}", ylabel="cumulated, %, before costs")
        date_axis(right)
    return figure


def _draw_decay(axes: Axes, sheet: FactorTearSheet) -> None:
    table = sheet.information
    places = np.arange(len(table))
    own = table["horizon"] == sheet.horizon
    axes.bar(places, table["rank_ic"], color=np.where(own, BLUE, SKY), width=0.7)
    ends = [table["rank_ic"] - table["rank_ic_low"], table["rank_ic_high"] - table["rank_ic"]]
    axes.errorbar(places, table["rank_ic"], yerr=ends, fmt="none", ecolor=GREY, capsize=3)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(places, table["horizon"].astype(str))
    axes.set(title="Rank IC by horizon", xlabel="sessions ahead", ylabel="mean, 95 % interval")


def plot_returns(sheet: ReturnsTearSheet) -> Figure:
    """Plot the return of each month as a table, and the rolling Sharpe ratio."""
    if sheet.exposure.loc["all", "gross"] == 0:
        return only_words("Returns: the strategy never trades, so its Sharpe ratio is not defined.")
    months = 100 * sheet.monthly
    height = 1.2 + 0.28 * len(months)
    with drawing(1, 2, size=(13, max(3.8, height))) as (figure, (left, right)):
        scale = max(100 * _LEAST_SCALE, float(np.nanpercentile(np.abs(months.drop(columns="Year")), 95)))
        left.imshow(months, cmap="RdBu", vmin=-scale, vmax=scale, aspect="auto")
        for (row, column), value in np.ndenumerate(months.to_numpy()):
            if np.isfinite(value):
                colour = "white" if abs(value) > 0.7 * scale else "black"
                left.text(column, row, f"{value:z.1f}", ha="center", va="center", fontsize=8, color=colour)
        left.set_xticks(range(len(months.columns)), months.columns, fontsize=9)
        left.set_yticks(range(len(months)), months.index, fontsize=9)
        left.axvline(len(months.columns) - 1.5, color=INK, linewidth=1)
        left.grid(visible=False)
        left.spines[:].set_visible(False)
        left.set_title("Return by month after costs, %")
        name = f"Sharpe ratio of the last {sheet.window} sessions"
        if sheet.rolling_sharpe.notna().any():
            right.plot(sheet.rolling_sharpe.index, sheet.rolling_sharpe, color=BLUE)
            right.axhline(0, color=GREY, linewidth=1)
            right.set(title=name, ylabel="annualised")
            date_axis(right)
        else:
            right.set_axis_off()
            right.set_title(f"{name}: there are fewer")
    return figure


def plot_contribution(backtest: Backtest) -> Figure:
    """Plot what each symbol added to the total return, and the mean exposure of the last 21 sessions."""
    frame, gains = backtest.frame, backtest.contribution
    require_rows(gains, ("symbol", "strategy"), "contributions")
    if not frame["exposure"].any():
        return only_words("Contribution and exposure: the strategy never trades, so both are 0.")
    rows = gains.set_index("symbol")["strategy"].mul(100).sort_values()
    rows = rows[(rows.abs() > _ROUNDING) | (rows.index != "cash")]
    if len(rows) > 2 * _ENDS + 1:
        low, rest, high = rows.iloc[:_ENDS], rows.iloc[_ENDS:-_ENDS], rows.iloc[-_ENDS:]
        rows = pd.concat([low, pd.Series({f"{len(rest)} others": rest.sum()}), high])
    with drawing(1, 2, size=(13, max(3.8, 1.2 + 0.24 * len(rows)))) as (figure, (left, right)):
        bars = left.barh(rows.index, rows, color=np.where(rows >= 0, BLUE, VERMILION), height=0.7)
        left.bar_label(bars, labels=[f"{value:+z.1f}" for value in rows], padding=3, fontsize=9)
        left.axvline(0, color=INK, linewidth=0.8)
        left.margins(x=0.15)
        left.set(title="Contribution by symbol after costs", xlabel="% of the capital at the start")
        smooth = (
            frame.set_index("date")[["position", "exposure"]].mul(100).rolling(_MONTH, min_periods=1).mean()
        )
        net, gross = smooth["position"], smooth["exposure"]
        for part, colour, name in (
            ((gross + net) / 2, BLUE, "long"),
            ((net - gross) / 2, VERMILION, "short"),
        ):
            right.fill_between(net.index, part, color=colour, alpha=0.35, lw=0, label=name)
        right.plot(net.index, net, color=INK, linewidth=1.2, label="net")
        right.set(title=f"Exposure, mean of {_MONTH} sessions", ylabel="% of equity")
        right.legend(loc="best", fontsize=9)
        date_axis(right)
    return figure
