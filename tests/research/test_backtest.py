"""The backtest against a plain loop over cash and shares, and against arithmetic."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.config import TradingConfig
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs, Limits
from tests.research.simulated import bars, simulate

pytestmark = pytest.mark.unit


def predictions_of(prices, predicted, horizon=1, last=1):
    """Return predictions on every row but the last ones of each symbol."""
    frame = prices[["symbol", "date"]].assign(
        horizon=horizon, model="ridge", fold=0, predicted=predicted, actual=0.0, lower=-1.0, upper=1.0
    )
    return frame.groupby("symbol").head(prices["date"].nunique() - last).reset_index(drop=True)


def by_hand(predictions, prices, cost_bps, threshold):
    """Trade session by session with cash and shares; return the equity at each close."""
    horizon = int(predictions["horizon"].iloc[0])
    opens, closes = {}, {}
    for row in prices.itertuples():
        opens[row.symbol, row.date] = row.open * row.adj_close / row.close
        closes[row.symbol, row.date] = row.adj_close
    days = sorted(prices["date"].unique())
    symbols = sorted(prices["symbol"].unique())
    said = {(row.symbol, row.date): row.predicted for row in predictions.itertuples()}
    first, last = (days.index(day) for day in (predictions["date"].min(), predictions["date"].max()))
    cash, shares, path = 1.0, dict.fromkeys(symbols, 0.0), []
    for now in range(first + 1, min(last + horizon + 2, len(days))):
        price = {symbol: opens[symbol, days[now]] for symbol in symbols}
        wanted = dict.fromkeys(symbols, 0.0)
        for age in range(horizon):
            decided = days[now - 1 - age] if now - 1 - age >= 0 else None
            there = [symbol for symbol in symbols if (symbol, decided) in said]
            for symbol in there:
                view = said[symbol, decided]
                side = 1 if view > threshold else -1 if view < -threshold else 0
                wanted[symbol] += side / len(there) / horizon
        equity = cash + sum(shares[s] * price[s] for s in symbols)
        left = equity
        for _ in range(50):  # what is left after paying for the weights of what is left
            left = (
                equity
                - sum(abs(wanted[s] * left - shares[s] * price[s]) for s in symbols) * cost_bps / 10_000
            )
        shares = {s: wanted[s] * left / price[s] for s in symbols}
        cash = left - sum(shares[s] * price[s] for s in symbols)
        path.append(cash + sum(shares[s] * closes[s, days[now]] for s in symbols))
    return path


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("cost_bps", [0.0, 25.0])
@pytest.mark.parametrize("threshold", [0.0, 0.004])
def test_it_agrees_with_a_plain_loop(horizon, cost_bps, threshold):
    """The vectorised equity equals that of a loop over cash and shares to 1e-12."""
    prices = simulate(40, symbols=3, seed=1)
    predicted = np.random.default_rng(2).normal(0, 0.01, len(prices))
    predictions = predictions_of(prices, predicted, horizon, last=horizon)
    predictions = predictions.drop(predictions.index[[3, 50]])  # a symbol may have no prediction on a day
    ours = backtest(predictions, prices, costs=Costs(slippage_bps=cost_bps), threshold=threshold)
    assert ours.frame["equity"].tolist() == pytest.approx(
        by_hand(predictions, prices, cost_bps, threshold), abs=1e-12
    )


def test_three_sessions_by_hand():
    """Long at the open after the decision, short at the next, out at the third; 100 bps a trade."""
    opens, closes = np.array([9.0, 10.0, 11.0, 12.0]), np.array([9.0, 10.5, 11.5, 12.5])
    prices = bars(opens, closes)
    result = backtest(
        predictions_of(prices, [0.01, -0.01, 0.0, 0.0], last=2), prices, costs=Costs(slippage_bps=100.0)
    )
    frame = result.frame
    assert frame["date"].tolist() == prices["date"].tolist()[1:]
    assert frame["position"].tolist() == pytest.approx([1, -1, 0])
    shares = 1 / 1.01 / 10
    first = shares * 10.5
    sold = shares * 11 * 0.99 / 1.01  # what is left of which the short position is all
    second = 2 * sold - sold / 11 * 11.5
    third = 2 * sold - sold / 11 * 12 * 1.01
    assert frame["equity"].tolist() == pytest.approx([first, second, third])
    assert frame["turnover"].tolist() == pytest.approx(
        [1 / 1.01, 1 + 0.99 / 1.01, sold / 11 * 12 / (2 * sold - sold / 11 * 12)]
    )
    assert frame["net"].tolist() == pytest.approx([first - 1, second / first - 1, third / second - 1])
    assert frame["gross"].tolist() == pytest.approx((frame["net"] + frame["cost"]).tolist())
    assert frame["drawdown"].min() == pytest.approx(third / first - 1)
    assert frame["benchmark"].tolist() == pytest.approx([10.5 / 10.1, 11.5 / 10.1, 12.5 / 10.1])
    assert result.summary["total_return"] == pytest.approx(third - 1)
    # Bought 10 shares' worth; sold them and as many again as were then short; bought those back.
    paid = shares * 10 + (shares * 11 + sold) + sold / 11 * 12
    assert result.summary["costs"] == pytest.approx(0.01 * paid)  # a fraction of the capital
    assert result.summary["sessions"] == 3


def test_naive_trades_nothing(walks, walk_predictions):
    """A prediction of zero holds cash: no gain, no cost, no drawdown."""
    result = backtest(walk_predictions.assign(predicted=0.0), walks, costs=Costs(slippage_bps=50.0))
    assert (result.frame["equity"] == 1).all()
    assert result.summary["turnover"] == 0
    assert np.isnan(result.summary["sharpe"])


def test_costs_and_limits_are_applied():
    """Costs add up, half the gross weight is half the exposure, and settings are in basis points."""
    prices = simulate(40, symbols=2, seed=1)
    predictions = predictions_of(prices, 0.01)
    costs = Costs(commission_bps=1, spread_bps=2, slippage_bps=3)
    result = backtest(predictions, prices, costs=costs, limits=Limits(max_gross=0.5))
    assert result.costs.one_way_bps == pytest.approx(5, abs=0.01)
    assert result.strategy == f"limits={Limits(max_gross=0.5)!r}, threshold=0.0"
    assert result.frame["exposure"].tolist() == pytest.approx([0.5] * len(result.frame))
    assert backtest(predictions, prices, costs=Costs()).frame["cost"].max() == 0
    assert Costs.from_settings(TradingConfig(simulated_slippage=0.0007)) == Costs(slippage_bps=7.0)


def test_prices_after_a_session_change_nothing_before_it(walks, walk_predictions):
    """The frame up to session *t* is identical for any later prices."""
    cut = walk_predictions["date"].unique()[100]
    late = walks["date"] > cut
    names = ["open", "high", "low", "close", "adj_close"]
    other = walks.assign(**{name: walks[name].where(~late, walks[name] * 1.7) for name in names})
    frames = [backtest(walk_predictions, prices).frame for prices in (walks, other)]
    before = [frame[frame["date"] <= cut] for frame in frames]
    assert len(before[0]) == 100
    pd.testing.assert_frame_equal(*before, check_exact=True)


@pytest.mark.parametrize("wrong", [{"threshold": -0.1}, {"threshold": np.inf}, {"capital": 0}])
def test_thresholds_and_capital_out_of_range_are_refused(walks, walk_predictions, wrong):
    """The argument is named."""
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
