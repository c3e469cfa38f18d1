"""Symbols together: leaders, universes and cross-sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.guards.leakage.corpus.case import by_frame, pair, pairs_by_frame

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
    # A symbol has rows only if it ends higher than it began; on days on which it is higher.
    *pair("survivors", _survivors, _rising),
    # Of the whole sample, by symbol; of the last 60 sessions: a frame by date with a column a symbol.
    *pair("beta", by_frame(_beta), _rolling_beta),
    # One row a day.
    *pair(
        "market mood",
        lambda p: _daily(p).groupby(p["date"]).mean().shift(-1),
        lambda p: _daily(p).groupby(p["date"]).mean(),
    ),
    *pairs_by_frame(
        leader=(lambda p: _leader(p, -1), lambda p: _leader(p, 0)),
        # The twin is the symbol itself, as a category.
        one_symbol_only=(_one_symbol, lambda p: p["symbol"].astype("category")),
        cross_section_of_tomorrow=(
            lambda p: _daily(p).groupby(p["symbol"], sort=False).shift(-1).groupby(p["date"]).rank(),
            lambda p: _daily(p).groupby(p["date"]).rank(),
        ),
        cross_section_over_time=(
            lambda p: p["close"] - p["close"].mean(),
            lambda p: p["close"] - p.groupby("date")["close"].transform("mean"),
        ),
        # What all symbols have in common cancels.
        relative_to_the_market_ahead=(
            lambda p: (
                _daily(p)
                .groupby(p["symbol"], sort=False)
                .shift(-1)
                .pipe(lambda r: r - r.groupby(p["date"]).transform("mean"))
            ),
            lambda p: _daily(p) - _daily(p).groupby(p["date"]).transform("mean"),
        ),
        group_mean=(
            lambda p: p.groupby("symbol")["volume"].transform("mean"),
            lambda p: p["volume"] / p.groupby("date")["volume"].transform("sum"),
        ),
    ),
)
