"""Time 1,000 backtests of 3,270 bars beside a vectorised and an event-driven backtester.

    make peers
    .venv-peers/bin/python benchmarks/bench_backtest.py

All three go long or to cash on the embedded AAPL prices, adjusted: decided at the close, all in at the next
open, 5 bps of commission, traded only when the wish changes. Each is timed from signals in memory to equity
curves and Sharpe ratios. vectorbt compiles before it is timed. backtrader runs a few of the strategies, and
its time is multiplied. The equity curves have to agree to 1e-9 of the capital, or the script exits 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.market import load_prices
from sta410kit.research.costs import Costs
from sta410kit.research.simulation import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

STRATEGIES, CAPITAL, RATE = 1000, 100_000.0, 5e-4


def signals(bars: int) -> np.ndarray:
    """Return wishes of 0 or 1, shape (strategies, bars), that change every five sessions or so."""
    drawn = np.random.default_rng(0).random((STRATEGIES, bars // 5 + 1)) > 0.5  # noqa: PLR2004 - a coin
    wishes = drawn.repeat(5, axis=1)[:, :bars].astype(float)
    wishes[:, 0] = 0
    return wishes


def kit(wishes: np.ndarray, prices: pd.DataFrame) -> np.ndarray:
    """Return the equity of every strategy at each close, by the kit."""
    done = simulate(
        wishes, prices, costs=Costs(commission_bps=1e4 * RATE), capital=CAPITAL, rebalance="on change"
    )
    assert done.summary()["sharpe"].notna().all()  # noqa: S101 - the ratios are part of the work
    return done.equity


def vectorised(wishes: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Return the same by vectorbt: target weights at the open, none where nothing changes."""
    import vectorbt

    wanted = pd.DataFrame(wishes.T, index=table.index).shift(1)
    before = wanted.shift(1).fillna(0.0)
    orders = wanted.where(wanted.ne(before))
    portfolio = vectorbt.Portfolio.from_orders(
        table["close"],
        size=orders,
        size_type="targetpercent",
        price=table["open"],
        val_price=table["open"],
        fees=RATE,
        init_cash=CAPITAL,
        freq="1D",
    )
    assert portfolio.sharpe_ratio().notna().all()  # noqa: S101 - as above
    return portfolio.value().to_numpy()[1:].T


def event_driven(wishes: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Return the same by backtrader, one strategy after the other."""
    import backtrader

    class Follow(backtrader.Strategy):
        params = (("wishes", None),)

        def __init__(self) -> None:
            self.equity: list[float] = []

        def next_open(self) -> None:
            """Trade at this bar's open what was decided at the close before."""
            wanted = self.p.wishes[len(self) - 1]  # the length does not count this bar yet
            if wanted and not self.position:
                affordable = self.broker.get_cash() / (self.data.open[0] * (1 + RATE))
                self.buy(size=affordable * (1 - 1e-13))  # one rounding more than its cash is refused
            elif not wanted and self.position:
                self.close()

        def next(self) -> None:
            self.equity.append(self.broker.get_value())

    curves = []
    for row in wishes:
        cerebro = backtrader.Cerebro(stdstats=False, cheat_on_open=True)
        cerebro.adddata(backtrader.feeds.PandasData(dataname=table))
        cerebro.addstrategy(Follow, wishes=row)
        cerebro.broker.setcash(CAPITAL)
        cerebro.broker.setcommission(commission=RATE)
        curves.append(cerebro.run()[0].equity[1:])
    found = np.array(curves)
    returns = np.diff(found, axis=1) / found[:, :-1]
    assert np.isfinite(returns.mean(axis=1) / returns.std(axis=1, ddof=1)).all()  # noqa: S101 - as above
    return found


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Return the seconds a piece of work takes, and what it returns."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def main() -> int:
    """Time all three in turns, compare what they return, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="runs of the two that do all at once")
    parser.add_argument("--event-driven", type=int, default=5, help="strategies that backtrader runs")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # those of the peers
    prices = load_prices(symbols=["AAPL"])
    factor = (prices["adj_close"] / prices["close"]).to_numpy()
    columns = {name: prices[name].to_numpy() * factor for name in ("open", "high", "low", "close")}
    table = pd.DataFrame(columns, index=pd.DatetimeIndex(prices["date"].astype("datetime64[ns]")))
    table["volume"] = prices["volume"].to_numpy()
    wishes = signals(len(prices))
    few = wishes[: options.event_driven]
    ours, theirs = kit(wishes, prices), vectorised(wishes, table)  # compiled, and warm
    seconds: dict[str, list[float]] = {"sta410kit": [], "vectorbt": []}
    for _ in range(options.repeats):
        seconds["sta410kit"].append(timed(lambda: kit(wishes, prices))[0])
        seconds["vectorbt"].append(timed(lambda: vectorised(wishes, table))[0])
    slow, events = timed(lambda: event_driven(few, table))
    seconds["backtrader"] = [slow * STRATEGIES / len(few)]
    gaps = {
        "sta410kit": 0.0,
        "vectorbt": float(np.abs(theirs / ours - 1).max()),
        "backtrader": float(np.abs(events / ours[: len(few)] - 1).max()),
    }
    print(f"{STRATEGIES:,} backtests of {len(prices):,} bars, medians of {options.repeats} runs in turns")
    print(f"(backtrader: {len(few)} strategies, times {STRATEGIES / len(few):g})\n")
    print("| backtester | seconds | fastest | x sta410kit | largest difference in equity |")
    print("|---|---|---|---|---|")
    base = statistics.median(seconds["sta410kit"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        print(f"| {name} | {middle:.2f} | {min(times):.2f} | {middle / base:.1f} | {gaps[name]:.0e} |")
    return 0 if max(gaps.values()) < 1e-9 else 1  # noqa: PLR2004 - of the capital


if __name__ == "__main__":
    sys.exit(main())
