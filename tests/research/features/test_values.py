"""Every feature against a plain loop over symbols and sessions, written from its formula."""

import math

import numpy as np
import pandas as pd
import pytest

from sta410kit.research.features import FEATURES, build_features
from sta410kit.research.targets import build_target
from tests.research.simulated import bars, simulate

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def prices():
    """Three symbols, one that starts late, one that misses sessions, one that splits."""
    frame = simulate(300, symbols=3, seed=5).drop(columns="adj_close")
    days = frame["date"].unique()
    frame = frame[(frame["symbol"] != "S1") | (frame["date"] >= days[40])]
    frame = frame[(frame["symbol"] != "S2") | ~frame["date"].isin(days[100:110])].reset_index(drop=True)
    factor = np.where((frame["symbol"] == "S0") & (frame["date"] < days[150]), 0.5, 1.0)
    return frame.assign(adj_close=frame["close"] * factor)


@pytest.fixture(scope="module")
def built(prices):
    return build_features(prices, "all")


def windows(values, size):
    """Yield the last `size` values at each place, or None while there are fewer."""
    for end in range(1, len(values) + 1):
        yield (
            values[end - size : end] if end >= size and not np.isnan(values[end - size : end]).any() else None
        )


def rolled(values, size, function):
    return np.array([np.nan if w is None else function(w) for w in windows(values, size)])


def lagged(values, n):
    return np.concatenate([np.full(n, np.nan), values[:-n]])


def averaged(values, alpha, least):
    """Return the exponential average from the first number on, empty for `least` - 1 of them."""
    out, mean, seen = [], math.nan, 0
    for value in values:
        if not math.isnan(value):
            mean = value if seen == 0 else (1 - alpha) * mean + alpha * value
            seen += 1
        out.append(mean if seen >= least else math.nan)
    return np.array(out)


def z(values, size):
    return rolled(values, size, lambda w: (w[-1] - w.mean()) / w.std(ddof=1))


def of_one_symbol(p):
    """Return the features that need only the symbol's own prices."""
    o, h, low, c, a, v = (
        p[n].to_numpy(float) for n in ("open", "high", "low", "close", "adj_close", "volume")
    )
    f = a / c
    ao, ah, al = o * f, h * f, low * f
    x = np.log(a)
    r = x - lagged(x, 1)
    out = {f"return_{n}": x - lagged(x, n) for n in (1, 5, 21, 63, 252)}
    out["momentum_252_21"] = lagged(x, 21) - lagged(x, 252)
    out["overnight_1"] = np.log(ao) - lagged(x, 1)
    out["intraday_1"] = np.log(c / o)
    out |= {f"ma_ratio_{n}": np.log(a / rolled(a, n, np.mean)) for n in (7, 21, 50, 200)}
    line = averaged(a, 2 / 13, 12) - averaged(a, 2 / 27, 26)
    out["macd"] = line / a
    out["macd_histogram"] = (line - averaged(line, 2 / 10, 9)) / a
    change = a - lagged(a, 1)
    gain, loss = (
        averaged(np.where(np.isnan(change), change, np.maximum(s * change, 0)), 1 / 14, 14) for s in (1, -1)
    )
    out["rsi_14"] = 100 * gain / (gain + loss)
    top, bottom = rolled(ah, 14, np.max), rolled(al, 14, np.min)
    out["williams_r_14"] = -100 * (top - a) / (top - bottom)
    out["volatility_21"] = rolled(r, 21, lambda w: w.std(ddof=1))
    out["range_1"] = np.log(h / low)
    out["parkinson_21"] = np.sqrt(rolled(np.log(h / low) ** 2, 21, np.mean) / (4 * math.log(2)))
    out["garman_klass_21"] = np.sqrt(
        rolled(0.5 * np.log(h / low) ** 2 - (2 * math.log(2) - 1) * np.log(c / o) ** 2, 21, np.mean)
    )
    rs = rolled(np.log(h / o) * np.log(h / c) + np.log(low / o) * np.log(low / c), 21, np.mean)
    k = 0.34 / (1.34 + 22 / 20)
    nights = rolled(out["overnight_1"], 21, lambda w: w.var(ddof=1))
    days = rolled(np.log(c / o), 21, lambda w: w.var(ddof=1))
    out["yang_zhang_21"] = np.sqrt(nights + k * days + (1 - k) * rs)
    before = lagged(a, 1)
    reach = np.array(
        [np.nanmax([hi, pa]) - np.nanmin([lo, pa]) for hi, lo, pa in zip(ah, al, before, strict=True)]
    )
    out["atr_14"] = averaged(reach, 1 / 14, 14) / a
    out["bollinger_width_20"] = rolled(a, 20, lambda w: 4 * w.std() / w.mean())
    out["dollar_volume_z_21"] = z(np.log(1 + c * v), 21)
    out["volume_z_21"] = z(np.log(1 + c * v / a), 21)
    out["amihud_21"] = np.log(rolled(np.abs(r) / ((1 + c * v) / 1e6), 21, np.mean))
    days = pd.DatetimeIndex(p["date"])
    days = days + pd.offsets.BDay(1)  # of the session that is predicted
    out["day_of_week"] = days.day_of_week.to_numpy(float)
    out["turn_of_month"] = np.array([float(turns(day)) for day in days])
    return pd.DataFrame(out, index=p.index)


def turns(day):
    """Tell whether a day is among the first three weekdays of its month or the last."""
    month = pd.bdate_range(day.replace(day=1), day + pd.offsets.MonthEnd(0))
    return day in month[:3] or day == month[-1]


def across(frame):
    """Add ranks and means by session, one session at a time."""
    frame = frame.copy()
    ranks, means = {"rank_return_21": "return_21"}, {"market_return_1": "return_1"}
    for rows in frame.groupby("date").groups.values():
        for name, source in ranks.items():
            known = frame.loc[rows, source].dropna()
            below = known.apply(lambda value, all_=known: (all_ < value).sum() + (all_ == value).sum() / 2)
            frame.loc[known.index, name] = below / len(known) - 0.5
        for name, source in means.items():
            frame.loc[rows, name] = frame.loc[rows, source].mean()
    market = frame.groupby("date")["return_21"].transform("mean")
    return frame.assign(excess_return_21=frame["return_21"] - market)


@pytest.fixture(scope="module")
def expected(prices):
    parts = [of_one_symbol(part) for _, part in prices.groupby("symbol")]
    return across(pd.concat([prices[["symbol", "date"]], pd.concat(parts)], axis=1))


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_agrees_with_its_formula(built, expected, name):
    """Value by value to 1e-10 of its scale, and empty in the same rows."""
    ours, theirs = built[name].to_numpy(), expected[name].to_numpy(float)
    assert (np.isnan(ours) == np.isnan(theirs)).all()
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * max(1.0, np.nanmax(np.abs(theirs))))


def test_ranks_and_means_are_neutral_alone(prices):
    """A single symbol ranks in the middle and is the market."""
    alone = build_features(prices[prices["symbol"] == "S1"], "all").dropna()
    assert (alone[[n for n in alone if n.startswith("rank_")]] == 0).all().all()
    assert (alone["market_return_1"] == alone["return_1"]).all()
    assert (alone["excess_return_21"] == 0).all()


def test_literal_ranks(prices):
    """Three symbols rank -1/3, 0 and 1/3 of the way; two at a quarter to either side."""
    built = build_features(prices, ["rank_return_21"])
    last = built[built["date"] == built["date"].max()]["rank_return_21"]
    assert sorted(last) == pytest.approx([-1 / 3, 0, 1 / 3])
    second = built[built["date"] == built["date"].unique()[21]]["rank_return_21"]
    assert sorted(second) == [-0.25, 0.25]


def test_the_turn_of_a_month_by_hand():
    """After Thursday 29 December 2011 comes the last session of its month, after 3 January the third."""
    days = pd.to_datetime(["2011-12-28", "2011-12-29", "2011-12-30", "2012-01-03", "2012-01-04"])
    frame = bars([10.0] * 5).assign(date=days)
    assert build_features(frame, "turn_of_month")["turn_of_month"].tolist() == [0, 1, 1, 1, 0]
    assert build_features(frame, "day_of_week")["day_of_week"].tolist() == [3, 4, 0, 2, 3]


def test_a_planted_turn_of_the_month_is_separated_in_full():
    """15.3 basis points on the sessions of the turn are the difference of the targets by the feature."""
    days = pd.bdate_range("2000-01-03", periods=1000)
    gains = np.array([0.00153 if turns(day) else 0.0 for day in days])
    frame = bars(100 * np.exp(np.cumsum(gains)), start="2000-01-03")
    target = build_target(frame, 1)["target"]
    means = target.groupby(build_features(frame, "turn_of_month")["turn_of_month"]).mean()
    assert means.tolist() == pytest.approx([0, 0.00153])
