"""Symbols together: leaders, universes and cross-sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.guards.leakage.corpus.case import by_frame, pair

if TYPE_CHECKING:
    import pandas as pd


def _wide(prices: pd.DataFrame) -> pd.DataFrame:
    return prices.pivot_table(index="date", columns="symbol", values="close")


def _daily(prices: pd.DataFrame) -> pd.Series[Any]:
    return prices.groupby("symbol", sort=False)["close"].pct_change()


def _leader(prices: pd.DataFrame, sessions: int) -> Any:
    """Return the first symbol's return, so many sessions back, on every symbol's row."""
    first = prices.loc[prices["symbol"] == prices["symbol"].min()].set_index("date")["close"]
    return prices["date"].map(first.pct_change().shift(sessions))


def _one_symbol(prices: pd.DataFrame) -> Any:
    close = prices.groupby("symbol", sort=False)["close"]
    return (close.shift(-1) / prices["close"]).where(
        prices["symbol"].isin(["FB", "BBB"]), prices["close"] / close.shift(1)
    )


def _survivors(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the returns of those symbols that end higher than they began."""
    ends = prices.groupby("symbol")["close"].agg(["first", "last"])
    good = ends.index[ends["last"] > ends["first"]]
    rows = prices[["symbol", "date"]].assign(x=_daily(prices))
    return rows[rows["symbol"].isin(good)]


def _rising(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the returns on the days on which a symbol is higher than it began."""
    rows = prices[["symbol", "date"]].assign(x=_daily(prices))
    return rows[prices["close"] > prices.groupby("symbol")["close"].transform("first")]


def _beta(prices: pd.DataFrame) -> Any:
    """Return each symbol's beta to the mean of all, estimated once, on everything."""
    returns = _wide(prices).pct_change(fill_method=None)
    market = returns.mean(axis=1)
    return prices["symbol"].map(returns.apply(lambda r: r.cov(market)) / market.var())


def _rolling_beta(prices: pd.DataFrame) -> Any:
    returns = _wide(prices).pct_change(fill_method=None)
    market = returns.mean(axis=1)
    return returns.apply(lambda r: r.rolling(60).cov(market)).div(market.rolling(60).var(), axis=0)


CASES = (
    *pair(
        "leader",
        "Every symbol gets tomorrow's return of the first one.",
        by_frame(lambda p: _leader(p, -1)),
        "Every symbol gets today's return of the first one.",
        by_frame(lambda p: _leader(p, 0)),
    ),
    *pair(
        "one symbol only",
        "Tomorrow's return, for one symbol alone; the others are honest.",
        by_frame(_one_symbol),
        "The symbol itself, as a category.",
        by_frame(lambda p: p["symbol"].astype("category")),
    ),
    *pair(
        "cross-section of tomorrow",
        "The rank among symbols of tomorrow's return.",
        by_frame(lambda p: _daily(p).groupby(p["symbol"], sort=False).shift(-1).groupby(p["date"]).rank()),
        "The rank among symbols of today's return.",
        by_frame(lambda p: _daily(p).groupby(p["date"]).rank()),
    ),
    *pair(
        "cross-section over time",
        "The close less the mean of all symbols on all days.",
        by_frame(lambda p: p["close"] - p["close"].mean()),
        "The close less the mean of all symbols on the day.",
        by_frame(lambda p: p["close"] - p.groupby("date")["close"].transform("mean")),
    ),
    *pair(
        "relative to the market ahead",
        "Tomorrow's return less the market's: what both have in common cancels.",
        by_frame(
            lambda p: (
                _daily(p)
                .groupby(p["symbol"], sort=False)
                .shift(-1)
                .pipe(lambda r: r - r.groupby(p["date"]).transform("mean"))
            )
        ),
        "Today's return less the market's.",
        by_frame(lambda p: _daily(p) - _daily(p).groupby(p["date"]).transform("mean")),
    ),
    *pair(
        "survivors",
        "Only symbols that end higher than they began have rows.",
        _survivors,
        "Only days on which a symbol is higher than on its first have rows.",
        _rising,
    ),
    *pair(
        "beta",
        "The beta of the whole sample, by symbol.",
        by_frame(_beta),
        "The beta of the last 60 sessions: a frame by date with a column a symbol.",
        _rolling_beta,
    ),
    *pair(
        "market mood",
        "One row a day: the mean return of all symbols tomorrow.",
        lambda p: _daily(p).groupby(p["date"]).mean().shift(-1),
        "One row a day: the mean return of all symbols today.",
        lambda p: _daily(p).groupby(p["date"]).mean(),
    ),
    *pair(
        "group mean",
        "The mean volume of the symbol over the whole sample.",
        by_frame(lambda p: p.groupby("symbol")["volume"].transform("mean")),
        "The symbol's share of the day's volume.",
        by_frame(lambda p: p["volume"] / p.groupby("date")["volume"].transform("sum")),
    ),
)
