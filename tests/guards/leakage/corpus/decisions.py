"""Targets, signals and when they are acted upon; memory; and other layouts of what a function returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import Case, by_frame, by_symbol, pair, pairs_by_symbol


def _target(prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    later = prices.groupby("symbol", sort=False)["close"].shift(-horizon)
    return prices[["symbol", "date"]].assign(target=np.log(later / prices["close"]))


def _with_target(prices: pd.DataFrame, *, inside: bool) -> pd.DataFrame:
    """Return a training table: a feature, which may hold the target, and the target."""
    table = _target(prices, 5)
    momentum = prices.groupby("symbol", sort=False)["close"].pct_change(5)
    table["momentum"] = momentum + (0.1 * table["target"].fillna(0) if inside else 0)
    return table


def _beside_y(prices: pd.DataFrame, *, inside: bool) -> dict[str, Any]:
    """Return features and a target as most models take them, in one mapping."""
    close = prices.groupby("symbol", sort=False)["close"]
    y = close.shift(-5) / prices["close"] - 1
    momentum = close.pct_change(5) + (0.1 * y.fillna(0) if inside else 0)
    return {"X": prices[["symbol", "date"]].assign(momentum=momentum), "y": y}


def _chosen(prices: pd.DataFrame, sessions: int | None) -> pd.DataFrame:
    """Return, by their correlation with the return after them, the best of three features, or always one."""
    close = prices.groupby("symbol", sort=False)["close"]
    choice = (1, 5, 20)
    table = pd.DataFrame({n: close.pct_change(n) for n in choice})
    if sessions is None:
        following = close.shift(-1) / prices["close"] - 1
        sessions = choice[int(table.corrwith(following).abs().fillna(0).to_numpy().argmax())]
    return prices[["symbol", "date"]].assign(x=table[sessions])


def _stamped(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    close = prices.groupby("symbol", sort=False)["close"].shift(sessions)
    return prices[["symbol"]].assign(date=prices["date"] + pd.Timedelta(hours=16), x=close)


class _Remembering:
    """Scales by the mean of the first prices it ever saw, as a cache without a key does."""

    def __init__(self) -> None:
        self.means: dict[str, Any] = {}

    def __call__(self, prices: pd.DataFrame) -> pd.DataFrame:
        if not self.means:
            self.means.update(prices.groupby("symbol")["close"].mean())
        return prices[["symbol", "date"]].assign(x=prices["close"] / prices["symbol"].map(self.means))


class _Configured:
    """Scales by what it was given once; what it remembers is no price of the frame."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, prices: pd.DataFrame) -> pd.DataFrame:
        self.calls += 1
        return prices[["symbol", "date"]].assign(x=prices["close"] / 100.0)


class _Kept:
    """Scales by a mean that the class itself keeps."""

    mean: float | None = None

    @classmethod
    def scaled(cls, prices: pd.DataFrame) -> pd.DataFrame:
        if cls.mean is None:
            cls.mean = float(prices["close"].mean())
        return prices[["symbol", "date"]].assign(x=prices["close"] / cls.mean)


class _Constant(_Kept):
    """Scales by a constant of the class."""

    mean = 100.0


def _by_regime(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    close = prices.groupby("symbol", sort=False)["close"]
    regime = np.where(close.shift(sessions) > prices["close"], "up", "down")
    table = prices[["symbol", "date"]].assign(x=close.pct_change(), regime=regime)
    return table.set_index(["symbol", "date", "regime"])


def _gap(prices: pd.DataFrame) -> Any:
    return prices["open"] / prices.groupby("symbol", sort=False)["close"].shift(1) - 1


def _array(prices: pd.DataFrame, sessions: int) -> Any:
    return prices.groupby("symbol", sort=False)["close"].shift(sessions).to_numpy()


def _indexed(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    keyed = prices.set_index(["symbol", "date"]).sort_index()
    return keyed.groupby(level="symbol")[["close", "volume"]].shift(sessions)


CASES = (
    # A tenth of the target is in the feature beside it, or none; the target is declared.
    *pair(
        "target inside a feature",
        lambda p: _with_target(p, inside=True),
        lambda p: _with_target(p, inside=False),
        horizon=5,
    ),
    *pair("target too far", lambda p: _target(p, 6), lambda p: _target(p, 5), horizon=5),
    # The horizon is meant for y.
    *pair(
        "target inside X, beside y",
        lambda p: _beside_y(p, inside=True),
        lambda p: _beside_y(p, inside=False),
        horizon=5,
    ),
    *pair("chosen feature", lambda p: _chosen(p, None), lambda p: _chosen(p, 5)),
    # 16:00 of today is no session.
    *pair("stamped in the evening", lambda p: _stamped(p, -1), lambda p: _stamped(p, 0)),
    *pair(
        "same-close execution",
        by_symbol(lambda s: np.sign(s - s.rolling(20).mean())),
        by_symbol(lambda s: (s - s.rolling(20).mean()).transform(np.sign).shift(1)),
        execution="close",
    ),
    # At the close the range of the day was not known, and the gap at its open was.
    *pair(
        "open after the close",
        by_frame(lambda p: (p["high"] - p["low"]) / p["open"]),
        by_frame(_gap),
        execution="close",
    ),
    *pair(
        "same-open execution", by_frame(_gap), by_symbol(lambda s: s.pct_change().shift(1)), execution="open"
    ),
    *pairs_by_symbol(
        # Where there is no tomorrow, false.
        direction_of_tomorrow=(lambda s: s.shift(-1) > s, lambda s: s > s.shift(1)),
        # As whole numbers.
        position_from_tomorrow=(
            lambda s: (s.shift(-1) - s).transform(np.sign).fillna(0).astype(int),
            lambda s: (s - s.shift(1)).transform(np.sign).fillna(0).astype(int),
        ),
    ),
    *pair("memory", _Remembering(), _Configured()),
    *pair("memory of a class", _Kept.scaled, _Constant.scaled),
    *pair("an array", lambda p: _array(p, -1), lambda p: _array(p, 1)),
    *pair("two index levels", lambda p: _indexed(p, -1), lambda p: _indexed(p, 1)),
    # A third level of the index tells whether another day closes higher.
    *pair("regime in the index", lambda p: _by_regime(p, -1), lambda p: _by_regime(p, 1)),
    # Rows in which a window is not full yet are left out: on every prefix the same.
    Case(
        "warm-up dropped", leaks=False, build=lambda p: by_symbol(lambda s: s.rolling(50).mean())(p).dropna()
    ),
    Case(
        "latest rows",
        leaks=False,
        build=lambda p: by_symbol(lambda s: s.pct_change())(p).groupby("symbol").tail(200),
    ),
    Case("empty", leaks=False, build=by_symbol(lambda s: s.rolling(10**6).mean())),
)
