"""The returns tear sheet: a strategy by month and year, its worst drawdowns, and what the market explains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.text import percent
from sta410kit.exceptions import DataValidationError
from sta410kit.research.costs import SESSIONS_A_YEAR
from sta410kit.research.frames import require_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sta410kit.research.backtest import Backtest
    from sta410kit.research.factor import FactorTearSheet

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FEWEST = 3  # sessions, for a regression on the benchmark
_FLAT = 1e-14  # a variance below this is rounding


@dataclass(frozen=True)
class ReturnsTearSheet:
    """A strategy after costs beside its benchmark; simple returns, unit 1.

    Attributes
    ----------
    monthly : DataFrame
        Compounded return of each month: one row per year, columns ``Jan`` to ``Dec`` and ``Year``; NaN where
        the strategy had no session.
    yearly : DataFrame
        One row per year: ``strategy``, ``benchmark`` and ``excess``, the difference.
    drawdowns : DataFrame
        The deepest drawdowns, the worst first: ``start`` (last session at the high), ``trough``, ``end``
        (first session back at the high; NaT while it lasts), ``depth`` (0 or below), ``sessions``.
    rolling_sharpe : Series
        Annualised Sharpe ratio of the last `window` sessions, by session.
    window : int
        Sessions of the rolling ratios.
    relative : dict
        ``alpha`` (annualised: mean daily intercept times 252), ``beta``, ``correlation``, and the
        ``information_ratio`` (mean over standard deviation of the excess over the benchmark, annualised),
        all of returns in excess of the riskless rate; ``tracking_error`` (annualised).
    contribution : DataFrame
        ``symbol``, ``strategy``, ``benchmark``: gains after costs as fractions of the capital at the start,
        which sum to the total return; the largest of the strategy first, ``cash`` last.
    exposure : DataFrame
        One row per year and a last row ``all``: means of the weights after trading, ``long``, ``short`` (0 or
        above), ``net``, ``gross``, the ``largest`` gross weight, and ``invested``, the share of sessions with
        a position.
    """

    monthly: pd.DataFrame
    yearly: pd.DataFrame
    drawdowns: pd.DataFrame
    rolling_sharpe: pd.Series[float] = field(repr=False)
    window: int
    relative: dict[str, float]
    contribution: pd.DataFrame
    exposure: pd.DataFrame


def returns_tear_sheet(
    backtest: Backtest, *, riskless: float | None = None, window: int = 126, worst: int = 5
) -> ReturnsTearSheet:
    """Break down the returns of a backtest.

    Parameters
    ----------
    backtest : Backtest
        From `backtest.backtest`; returns are those after costs.
    riskless : float, optional
        Riskless rate a year, as a fraction, simple; subtracted per session from strategy and benchmark. By
        default the interest on cash of the backtest.
    window : int
        Sessions of the rolling Sharpe ratio.
    worst : int
        How many drawdowns to list.

    Returns
    -------
    ReturnsTearSheet

    Raises
    ------
    ConfigurationError
        If `window` or `worst` is out of range.
    DataValidationError
        If there are no sessions.
    """
    window, worst = require_whole("window", window, 2, "sessions"), require_whole("worst", worst)
    frame = backtest.frame
    needed = ("date", "net", "equity", "benchmark", "position", "exposure")
    require_columns(frame, needed, "backtest", DataValidationError)
    dates = pd.DatetimeIndex(frame["date"])
    net = pd.Series(frame["net"].to_numpy(float), dates)
    held = pd.Series(frame["benchmark"].to_numpy(float), dates)
    market = held / held.shift(fill_value=1.0) - 1
    rate = backtest.costs.riskless if riskless is None else riskless / SESSIONS_A_YEAR
    return ReturnsTearSheet(
        monthly=_monthly(net),
        yearly=_yearly(net, market),
        drawdowns=_worst_drawdowns(pd.Series(frame["equity"].to_numpy(float), dates), worst),
        rolling_sharpe=_rolling_sharpe(net - rate, window),
        window=window,
        relative=_relative(net - rate, market - rate),
        contribution=_ordered(backtest.contribution),
        exposure=_exposure(frame.set_index(dates)),
    )


def key_figures(backtest: Backtest, returns: ReturnsTearSheet, factor: FactorTearSheet) -> dict[str, Any]:
    """Return the figures of both tear sheets that a report shows, as plain JSON values; None if undefined.

    Returns
    -------
    dict
        ``rank_ic``, at the horizon of the predictions, and ``decay``, over horizons: rows of ``horizon``,
        ``dates``, ``rank_ic``, ``rank_ic_low`` and ``rank_ic_high`` (95 %); ``sharpe``,
        ``benchmark_sharpe``, ``annualised_return``, ``benchmark_return``, ``turnover`` (per session) and
        ``costs`` (of the capital at the start), all after costs; ``worst_drawdown``: ``depth``, ``start``,
        ``trough``, ``end``; ``yearly`` and ``contribution`` as in `ReturnsTearSheet`.
    """
    columns = ["horizon", "dates", "rank_ic", "rank_ic_low", "rank_ic_high"]
    decay = _records(factor.information[columns])
    worst = _records(returns.drawdowns[["depth", "start", "trough", "end"]].head(1))
    ours, theirs = backtest.summary, backtest.benchmark
    figures = {
        "sharpe": ours["sharpe"],
        "benchmark_sharpe": theirs["sharpe"],
        "annualised_return": ours["annualised_return"],
        "benchmark_return": theirs["annualised_return"],
        "turnover": ours["turnover"],
        "costs": ours["costs"],
    }
    return {
        "rank_ic": next(row for row in decay if row["horizon"] == factor.horizon),
        "decay": decay,
        **{name: _plain(value) for name, value in figures.items()},
        "worst_drawdown": worst[0] if worst else {"depth": 0.0, "start": None, "trough": None, "end": None},
        "yearly": _records(returns.yearly.reset_index()),
        "contribution": _records(returns.contribution),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:  # noqa: ANN401 - of any column
    if pd.isna(value):
        return None
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value


def as_percent(table: pd.DataFrame, columns: Iterable[str] | None = None, digits: int = 2) -> pd.DataFrame:
    """Return a table with its fractions as text in percent, for reading: of all numbers, or some columns."""
    numbers = table.select_dtypes("number").columns
    names = numbers if columns is None else columns
    text = {
        name: table[name].map(lambda value: percent(value, f"z,.{digits}%"), na_action="ignore")
        for name in names
    }
    return table.assign(**text).fillna(dict.fromkeys(numbers, "not defined")).fillna("")


def _ordered(contribution: pd.DataFrame) -> pd.DataFrame:
    if contribution.empty:
        return contribution
    symbols = contribution.iloc[:-1].sort_values("strategy", ascending=False, kind="stable")
    return pd.concat([symbols, contribution.iloc[-1:]], ignore_index=True)


def _exposure(frame: pd.DataFrame) -> pd.DataFrame:
    net, gross = frame["position"], frame["exposure"]
    parts = {"long": (gross + net) / 2, "short": (gross - net) / 2, "net": net, "gross": gross}
    parts |= {"largest": gross, "invested": (gross > 0).astype(float)}
    table, how = pd.DataFrame(parts), dict.fromkeys(parts, "mean") | {"largest": "max"}
    by_year = table.groupby(pd.DatetimeIndex(frame.index).year).agg(how)
    return pd.concat([by_year, table.agg(how).to_frame("all").T]).rename_axis("year")


def _compounded(returns: pd.Series[float]) -> float:
    return float(np.prod(1 + returns.to_numpy()) - 1)


def _monthly(net: pd.Series[float]) -> pd.DataFrame:
    days = pd.DatetimeIndex(net.index)
    table = net.groupby([days.year, days.month]).apply(_compounded).unstack()  # noqa: PD010 - a table for people
    table = table.reindex(columns=range(1, 13)).set_axis([*MONTHS], axis=1)
    table["Year"] = net.groupby(days.year).apply(_compounded)
    return table.rename_axis(index="year", columns=None)


def _yearly(net: pd.Series[float], market: pd.Series[float]) -> pd.DataFrame:
    years = pd.DatetimeIndex(net.index).year
    table = pd.DataFrame(
        {
            name: part.groupby(years).apply(_compounded)
            for name, part in (("strategy", net), ("benchmark", market))
        }
    )
    return table.assign(excess=table["strategy"] - table["benchmark"]).rename_axis("year")


def _worst_drawdowns(equity: pd.Series[float], worst: int) -> pd.DataFrame:
    """Return the deepest stretches below the highest equity so far, the start at 1 included."""
    high = equity.cummax().clip(lower=1.0)
    below = (equity < high).to_numpy()
    number = np.cumsum(np.diff(below.astype(np.int8), prepend=0) == 1)
    rows = []
    for stretch in range(1, int(number.max(initial=0)) + 1):
        inside = np.flatnonzero(below & (number == stretch))
        depth = (equity / high - 1).to_numpy()[inside]
        first, last = int(inside[0]), int(inside[-1])
        rows.append(
            {
                "start": equity.index[max(first - 1, 0)],
                "trough": equity.index[int(inside[depth.argmin()])],
                "end": equity.index[last + 1] if last + 1 < len(equity) else pd.NaT,
                "depth": float(depth.min()),
                "sessions": len(inside),
            }
        )
    table = pd.DataFrame(rows, columns=["start", "trough", "end", "depth", "sessions"])
    return table.sort_values("depth", kind="stable").head(worst).reset_index(drop=True)


def _rolling_sharpe(returns: pd.Series[float], window: int) -> pd.Series[float]:
    rolled = returns.rolling(window)
    spread = rolled.std()
    ratio: pd.Series[float] = rolled.mean() / spread.where(spread > _FLAT) * SESSIONS_A_YEAR**0.5
    return ratio.rename("rolling_sharpe")


def _relative(net: pd.Series[float], market: pd.Series[float]) -> dict[str, float]:
    """Return what a regression on the benchmark says (Jensen 1968), and the information ratio."""
    ours, theirs = net.to_numpy(), market.to_numpy()
    excess = ours - theirs
    figures = dict.fromkeys(("alpha", "beta", "correlation", "information_ratio", "tracking_error"), np.nan)
    if len(ours) < _FEWEST:
        return figures
    covariance = np.cov(ours, theirs)
    spread = float(excess.std(ddof=1))
    figures["tracking_error"] = spread * SESSIONS_A_YEAR**0.5
    if spread > _FLAT:
        figures["information_ratio"] = float(excess.mean()) / spread * SESSIONS_A_YEAR**0.5
    if covariance[1, 1] > _FLAT:
        beta = float(covariance[0, 1] / covariance[1, 1])
        figures["beta"] = beta
        figures["alpha"] = float(ours.mean() - beta * theirs.mean()) * SESSIONS_A_YEAR
        if covariance[0, 0] > _FLAT:
            figures["correlation"] = float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return figures
