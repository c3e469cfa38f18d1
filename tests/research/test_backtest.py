"""The backtest against a plain loop over cash and shares, and against arithmetic."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.backtest import backtest

pytestmark = pytest.mark.unit


def predictions_of(prices, predicted, horizon=1, last=1):
    """Return predictions on every row but the last ones of each symbol."""
    frame = prices[["symbol", "date"]].assign(
        horizon=horizon, model="ridge", fold=0, predicted=predicted, actual=0.0, lower=-1.0, upper=1.0
    )
    return frame.groupby("symbol").head(prices["date"].nunique() - last).reset_index(drop=True)


def by_hand(predictions, prices, cost_bps, threshold):
    """Trade session by session with cash and shares; return the equity at each next open."""
    horizon = int(predictions["horizon"].iloc[0])
    opens = {}
    for row in prices.itertuples():
        opens[row.symbol, row.date] = row.open * row.adj_close / row.close
    days = sorted(prices["date"].unique())
    symbols = sorted(prices["symbol"].unique())
    said = {(row.symbol, row.date): row.predicted for row in predictions.itertuples()}
    first, last = (days.index(day) for day in (predictions["date"].min(), predictions["date"].max()))
    equity, shares, path = 1.0, dict.fromkeys(symbols, 0.0), []
    end = min(last + horizon, len(days) - 2)
    for now in range(first + 1, end + 1):
        price = {symbol: opens[symbol, days[now]] for symbol in symbols}
        wanted = dict.fromkeys(symbols, 0.0)
        for age in range(horizon):
            decided = days[now - 1 - age] if now - 1 - age >= 0 else None
            there = [symbol for symbol in symbols if (symbol, decided) in said]
            for symbol in there:
                view = said[symbol, decided]
                side = 1 if view > threshold else -1 if view < -threshold else 0
                wanted[symbol] += side / len(there) / horizon
        traded = sum(abs(wanted[s] * equity - shares[s] * price[s]) for s in symbols)
        equity -= traded * cost_bps / 10_000
        shares = {s: wanted[s] * equity / price[s] for s in symbols}
        cash = equity - sum(shares[s] * price[s] for s in symbols)
        equity = cash + sum(shares[s] * opens[s, days[now + 1]] for s in symbols)
        if now == end:
            equity -= sum(abs(shares[s] * opens[s, days[now + 1]]) for s in symbols) * cost_bps / 10_000
        path.append(equity)
    return path


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("cost_bps", [0.0, 25.0])
@pytest.mark.parametrize("threshold", [0.0, 0.004])
def test_it_agrees_with_a_plain_loop(simulate, horizon, cost_bps, threshold):
    """Vectors and a loop over cash and shares give the same equity to 1e-12."""
    prices = simulate(40, symbols=3, seed=1)
    predicted = np.random.default_rng(2).normal(0, 0.01, len(prices))
    predictions = predictions_of(prices, predicted, horizon, last=horizon)
    predictions = predictions.drop(predictions.index[[3, 50]])  # a symbol may have no prediction on a day
    ours = backtest(predictions, prices, cost_bps=cost_bps, threshold=threshold)
    assert ours.frame["equity"].tolist() == pytest.approx(
        by_hand(predictions, prices, cost_bps, threshold), abs=1e-12
    )


def test_three_sessions_by_hand():
    """Long at the open after the decision, out at the next: 10 to 11, then short 11 to 12, at 100 bps."""
    opens = np.array([9.0, 10.0, 11.0, 12.0])
    prices = pd.DataFrame(
        {"symbol": "A", "date": pd.bdate_range("2012-01-02", periods=4, unit="us"), "open": opens}
        | dict.fromkeys(("high", "low", "close", "adj_close"), opens)
        | {"volume": 1}
    )
    result = backtest(predictions_of(prices, [0.01, -0.01, 0.0, 0.0], last=2), prices, cost_bps=100.0)
    frame = result.frame
    assert frame["date"].tolist() == prices["date"].tolist()[1:3]
    assert frame["position"].tolist() == [1, -1]
    assert frame["gross"].tolist() == pytest.approx([0.1, -1 / 11])
    left = -(12 / 11) / (1 - 1 / 11)  # the short's weight after the rise
    assert frame["turnover"].tolist() == pytest.approx([1, 2 + abs(left)])
    first = 0.99 * 1.1
    second = first * (1 - 0.02) * (1 - 1 / 11) * (1 - 0.01 * abs(left))
    assert frame["equity"].tolist() == pytest.approx([first, second])
    assert frame["drawdown"].tolist() == pytest.approx([0, second / first - 1])
    assert frame["benchmark"].tolist() == pytest.approx([0.99 * 1.1, 0.99 * 1.2 * 0.99])
    assert result.summary["total_return"] == pytest.approx(second - 1)
    assert result.summary["sessions"] == 2


def test_naive_trades_nothing(walks, walk_predictions):
    """A prediction of zero holds cash: no gain, no cost, no drawdown."""
    result = backtest(walk_predictions.assign(predicted=0.0), walks, cost_bps=50.0)
    assert (result.frame["equity"] == 1).all()
    assert result.summary["turnover"] == 0
    assert result.summary["sharpe"] == 0


def test_knowing_the_future_pays_and_costs_take_from_it(simulate):
    """The right signs gain, the opposite ones lose, and costs lower both."""
    prices = simulate(300, symbols=2, seed=3)
    opens = prices.groupby("symbol")["open"]
    ahead = np.log(opens.shift(-2) / opens.shift(-1)).fillna(0.0)
    right, wrong = (predictions_of(prices, sign * ahead, last=2) for sign in (1, -1))
    free, paid = backtest(right, prices, cost_bps=0), backtest(right, prices, cost_bps=10)
    assert free.summary["total_return"] > 3
    assert paid.summary["total_return"] < free.summary["total_return"]
    assert (paid.frame["cost"] >= 0).all()
    assert backtest(wrong, prices, cost_bps=0).summary["total_return"] < -0.5


def test_a_split_earns_nothing(sample):
    """Holding AAPL over its split returns the true move, not minus half."""
    prices = sample[(sample["symbol"] == "AAPL") & sample["date"].between("2005-02-01", "2005-03-31")]
    result = backtest(predictions_of(prices.reset_index(drop=True), 0.01), prices, cost_bps=0)
    assert result.frame["gross"].abs().max() < 0.1
    assert result.summary["total_return"] == pytest.approx(result.benchmark["total_return"])


def test_losing_everything_is_the_end(simulate):
    """A short that more than doubles leaves zero, not debts or NaN."""
    prices = simulate(10, symbols=1)
    columns = ["open", "high", "low", "close", "adj_close"]
    jump = np.where(np.arange(10) >= 5, 3.0, 1.0)
    prices = prices.assign(**{name: prices[name] * jump for name in columns})
    result = backtest(predictions_of(prices, -0.01), prices)
    assert result.frame["equity"].iloc[-1] == 0
    assert result.summary["total_return"] == -1
    assert result.summary["max_drawdown"] == -1
    assert not result.frame.isna().any().any()


@pytest.mark.parametrize(
    "wrong", [{"cost_bps": -1}, {"cost_bps": np.nan}, {"threshold": -0.1}, {"threshold": np.inf}]
)
def test_costs_and_thresholds_are_not_negative(walks, walk_predictions, wrong):
    """A cost below zero would pay for trading."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        backtest(walk_predictions, walks, **wrong)


def test_frames_that_do_not_belong_together_are_refused(walks, walk_predictions):
    """Predictions of other sessions or symbols, or without a session after them, cannot be traded."""
    with pytest.raises(DataValidationError, match="the prices do not"):
        backtest(walk_predictions, walks[walks["symbol"] == "S0"])
    with pytest.raises(DataValidationError, match="the prices do not"):
        backtest(walk_predictions, walks[walks["date"] > walks["date"].unique()[400]])
    last = predictions_of(walks, 0.01, last=0)
    with pytest.raises(DataValidationError, match="nothing can be traded"):
        backtest(last[last["date"] == last["date"].max()], walks)
    with pytest.raises(DataValidationError, match="predicted of S0"):
        backtest(walk_predictions.assign(predicted=np.nan), walks)
