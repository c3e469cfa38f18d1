"""Targets, signals and when they are acted upon; memory; and other layouts of what a function returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import Case, by_frame, by_symbol, pair


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


class _Constant:
    """Scales by a constant of the class."""

    mean = 100.0

    @classmethod
    def scaled(cls, prices: pd.DataFrame) -> pd.DataFrame:
        return prices[["symbol", "date"]].assign(x=prices["close"] / cls.mean)


def _by_regime(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    close = prices.groupby("symbol", sort=False)["close"]
    regime = np.where(close.shift(sessions) > prices["close"], "up", "down")
    table = prices[["symbol", "date"]].assign(x=close.pct_change(), regime=regime)
    return table.set_index(["symbol", "date", "regime"])


def _array(prices: pd.DataFrame, sessions: int) -> Any:
    return prices.groupby("symbol", sort=False)["close"].shift(sessions).to_numpy()


def _indexed(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    keyed = prices.set_index(["symbol", "date"]).sort_index()
    return keyed.groupby(level="symbol")[["close", "volume"]].shift(sessions)


CASES = (
    *pair(
        "target inside a feature",
        "A tenth of the target is in the feature beside it.",
        lambda p: _with_target(p, inside=True),
        "The target is a column beside the feature and is declared.",
        lambda p: _with_target(p, inside=False),
        horizon=5,
    ),
    *pair(
        "target too far",
        "Declared to look five sessions ahead, it looks six.",
        lambda p: _target(p, 6),
        "Declared to look five sessions ahead, it does.",
        lambda p: _target(p, 5),
        horizon=5,
    ),
    *pair(
        "target inside X, beside y",
        "A tenth of y is in a feature of X; the horizon is meant for y.",
        lambda p: _beside_y(p, inside=True),
        "X knows nothing of y.",
        lambda p: _beside_y(p, inside=False),
        horizon=5,
    ),
    *pair(
        "chosen feature",
        "Of three momentums the one that went best with the next return of the whole sample.",
        lambda p: _chosen(p, None),
        "The momentum of five sessions, chosen beforehand.",
        lambda p: _chosen(p, 5),
    ),
    *pair(
        "stamped in the evening",
        "Tomorrow's close, dated 16:00 of today, which is no session.",
        lambda p: _stamped(p, -1),
        "Today's close, dated 16:00 of today.",
        lambda p: _stamped(p, 0),
    ),
    *pair(
        "direction of tomorrow",
        "True where tomorrow closes higher; where there is no tomorrow, false.",
        by_symbol(lambda s: s.shift(-1) > s),
        "True where today closed higher.",
        by_symbol(lambda s: s > s.shift(1)),
    ),
    *pair(
        "same-close execution",
        "Bought at the close of t because of that very close.",
        by_symbol(lambda s: np.sign(s - s.rolling(20).mean())),
        "Bought at the close of t because of the close before.",
        by_symbol(lambda s: (s - s.rolling(20).mean()).transform(np.sign).shift(1)),
        execution="close",
    ),
    *pair(
        "open after the close",
        "Bought at the close of t because of the range of t, which was not known.",
        by_frame(lambda p: (p["high"] - p["low"]) / p["open"]),
        "Bought at the close of t because of the gap at its open.",
        by_frame(lambda p: p["open"] / p.groupby("symbol", sort=False)["close"].shift(1) - 1),
        execution="close",
    ),
    *pair(
        "same-open execution",
        "Bought at the open of t because of that very open.",
        by_frame(lambda p: p["open"] / p.groupby("symbol", sort=False)["close"].shift(1) - 1),
        "Bought at the open of t because of the return before.",
        by_symbol(lambda s: s.pct_change().shift(1)),
        execution="open",
    ),
    *pair(
        "position from tomorrow",
        "Long, flat or short by the sign of tomorrow's move, as whole numbers.",
        by_symbol(lambda s: (s.shift(-1) - s).transform(np.sign).fillna(0).astype(int)),
        "Long, flat or short by the sign of today's move, as whole numbers.",
        by_symbol(lambda s: (s - s.shift(1)).transform(np.sign).fillna(0).astype(int)),
    ),
    *pair(
        "memory",
        "Scaled by the mean of the first prices it ever saw, which it keeps.",
        _Remembering(),
        "It counts its calls, and nothing depends on the count.",
        _Configured(),
    ),
    *pair(
        "memory of a class",
        "Scaled by the mean of the first prices, which the class keeps.",
        _Kept.scaled,
        "Scaled by a constant of the class.",
        _Constant.scaled,
    ),
    *pair(
        "an array",
        "Tomorrow's close, as a bare array in the order of the prices.",
        lambda p: _array(p, -1),
        "Yesterday's close, as a bare array.",
        lambda p: _array(p, 1),
    ),
    *pair(
        "two index levels",
        "Tomorrow's close and volume, on an index of symbol and date.",
        lambda p: _indexed(p, -1),
        "Yesterday's close and volume, on an index of symbol and date.",
        lambda p: _indexed(p, 1),
    ),
    *pair(
        "regime in the index",
        "A third level of the index tells whether tomorrow closes higher.",
        lambda p: _by_regime(p, -1),
        "A third level of the index tells whether yesterday closed higher.",
        lambda p: _by_regime(p, 1),
    ),
    Case(
        "warm-up dropped",
        leaks=False,
        sentence="Rows in which a window is not full yet are left out: on every prefix the same.",
        build=lambda p: by_symbol(lambda s: s.rolling(50).mean())(p).dropna(),
    ),
    Case(
        "latest rows",
        leaks=False,
        sentence="Only the last 200 sessions are returned, for a signal of today.",
        build=lambda p: by_symbol(lambda s: s.pct_change())(p).groupby("symbol").tail(200),
    ),
    Case(
        "empty",
        leaks=False,
        sentence="A window longer than any history: NaN in every row.",
        build=by_symbol(lambda s: s.rolling(10**6).mean()),
    ),
)
