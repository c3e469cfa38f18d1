"""Bars within the day: the suite `minute_bars`."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import data_docs
from sta410kit.guards.suites import read_suite

PRICES = ["open", "high", "low", "close", "adj_close"]
SESSION = 390  # minutes


def minutes(kind, seed=0, symbols=4, days=10):
    """Give made-up minutes: random walks, or those of an exchange.

    The latter are in cents, with GARCH, Student-t shocks with four degrees of freedom, a common factor, the
    U-shaped volatility of a session, overnight gaps, auctions, minutes without a trade and a thin symbol.
    """
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2024-01-02", periods=days).to_numpy()
    clock = pd.to_timedelta(np.arange(570, 570 + SESSION), unit="min").to_numpy()
    stamps = (dates[:, None] + clock).ravel().astype("datetime64[us]")
    count, minute = len(stamps), np.arange(len(stamps)) % SESSION
    shape = 0.7 + 1.3 * np.tile(np.linspace(-1, 1, SESSION) ** 2, days)
    exchange = kind == "exchange"
    market = _garch(rng, shape) if exchange else np.zeros(count)
    parts = []
    for number in range(symbols):
        move = 0.6 * market + _garch(rng, shape) if exchange else 6e-4 * rng.normal(size=count)
        gap = np.where(minute == 0, 0.008 * rng.standard_t(4, count) / np.sqrt(2), 0)
        close = rng.uniform(20, 150) * np.exp(np.cumsum(move + gap))
        ends = 1.5e-4 * shape * np.abs(rng.standard_t(5, (2, count)))
        volume = np.exp(rng.uniform(7, 10) + np.log(shape) + rng.normal(0, 0.6, count)).astype(np.int64)
        volume = np.where((minute == 0) | (minute == SESSION - 1), 12 * volume, volume)
        idle = np.zeros(count, bool)
        if exchange:
            idle = (rng.random(count) < [0, 0.01, 0.05, 0.25][number % 4]) & (np.arange(count) > 0)
            close = pd.Series(np.where(idle, np.nan, close)).ffill().to_numpy()
            volume = np.maximum(volume // 1000, 1) * 100 if number == 3 else volume
        opened = np.r_[close[0], close[:-1]] * np.exp(np.where(idle, 0, gap + 1e-4 * rng.normal(size=count)))
        bar = {
            "open": opened,
            "high": np.maximum(opened, close) * np.exp(np.where(idle, 0, ends[0])),
            "low": np.minimum(opened, close) * np.exp(-np.where(idle, 0, ends[1])),
            "close": close,
        }
        bar = {name: np.round(values, 2 if exchange else 9) for name, values in bar.items()}
        bar |= {"adj_close": bar["close"], "volume": np.where(idle, 0, volume)}
        parts.append(pd.DataFrame({"symbol": f"S{number}", "date": stamps, **bar}))
    return pd.concat(parts, ignore_index=True)


def _garch(rng, shape):
    shocks, variance = rng.standard_t(4, len(shape)) / np.sqrt(2), 1.0
    for place, shock in enumerate(shocks):
        shocks[place] = np.sqrt(variance) * shock
        variance = 0.02 + 0.08 * min(shocks[place] ** 2, 25 * variance) + 0.9 * variance
    return 5e-4 * shape * shocks


@pytest.fixture(scope="module")
def clean():
    """Give clean minutes of four symbols; copy before changing them."""
    return minutes("exchange")


@pytest.mark.parametrize("kind", ["random walk", "exchange"])
@pytest.mark.parametrize("seed", [1, 2])
def test_clean_minutes_are_accepted(kind, seed):
    """Nothing is found in either kind of made-up data."""
    result = guards.validate(minutes(kind, seed), "minute_bars")
    assert result.passed
    assert not result.failures


def found(frame):
    """Give what is left out: symbol and time of each bar, and the expectations."""
    result = guards.validate(frame, "minute_bars")
    assert result.passed, result.summary()
    table = result.quarantined
    return set(zip(table["symbol"], map(str, table["date"]), strict=True)), " ".join(table["expectation"])


def test_a_bar_ten_times_too_high_is_found_at_its_minute(clean):
    """Row 4,999 is S1 on the third session, 4,999 - 3,900 - 780 = 319 minutes after 9:30.

    The bar after it is left out as well, as in daily prices: it is the one that jumps back.
    """
    frame = clean.copy()
    frame.loc[4999, PRICES] *= 10
    bars, kinds = found(frame)
    assert bars == {("S1", "2024-01-04 14:49:00"), ("S1", "2024-01-04 14:50:00")}
    assert "expect_prices_in_one_unit" in kinds


def test_a_spike_of_four_percent_is_found_at_its_minute(clean):
    """Less than a daily suite looks at."""
    frame = clean.copy()
    frame.loc[4999, PRICES] *= 1.04
    assert found(frame)[0] == {("S1", "2024-01-04 14:49:00")}


def test_a_high_below_its_low_is_found_at_its_minute(clean):
    """Also in the first minute of a session."""
    frame = clean.copy()
    frame.loc[780, "high"] = 1.0
    bars, kinds = found(frame)
    assert bars == {("S0", "2024-01-04 09:30:00")}
    assert "expect_column_pair_values_a_to_be_greater_than_b" in kinds


def test_a_stale_run_is_found_at_its_minutes(clean):
    """The bar that is repeated is not among them."""
    frame = clean.copy()
    frame.loc[4001:4020, [*PRICES, "volume"]] = frame.loc[4000, [*PRICES, "volume"]].to_numpy()
    bars, kinds = found(frame.astype({"volume": "int64"}))
    expected = pd.date_range("2024-01-02 11:11", periods=20, freq="min")
    assert bars == {("S1", str(time)) for time in expected}
    assert "expect_no_stale_bars" in kinds


def test_a_pasted_stretch_is_found_at_its_minutes():
    """Both copies: the gate cannot know which is real."""
    frame = minutes("random walk")
    columns = [*PRICES, "volume"]
    frame.loc[4000:4029, columns] = frame.loc[1000:1029, columns].to_numpy()
    bars, kinds = found(frame.astype({"volume": "int64"}))
    pasted = {("S1", str(time)) for time in pd.date_range("2024-01-02 11:11", periods=29, freq="min")}
    assert pasted <= bars
    assert "expect_no_pasted_bars" in kinds


def test_the_time_is_shown_everywhere(clean, tmp_path):
    """In findings, in what is left out, in the data docs and their file."""
    frame = clean.copy()
    frame.loc[4999, "high"] = 1.0
    result = guards.validate(frame, "minute_bars")
    failure = result.failures[0]
    assert failure.rows[0]["date"] == "2024-01-04T14:49:00"
    assert "S1 2024-01-04T14:49:00 (high=1.0, low=" in str(failure)
    assert result.named[0].startswith("quarantined S1 2024-01-04T14:49:00: high=1.0, low=")
    page = data_docs.publish(result, tmp_path, frame=frame)
    assert "2024-01-04T14:49:00" in page.read_text()
    assert "S1,2024-01-04 14:49:00," in (page.parent / data_docs.QUARANTINE).read_text()
    usable = result.usable
    assert usable.loc[usable["close"].isna(), "date"].tolist() == [pd.Timestamp("2024-01-04 14:49")]


def test_a_finding_is_accepted_by_its_day(clean, tmp_path):
    """An entry of a day covers the minutes of that day, and no others."""
    (tmp_path / "minute_bars.json").write_text(read_suite("minute_bars").path.read_text())
    entry = (
        '[[finding]]\nsuite = "minute_bars"\nexpectation = "expect_no_reverting_spikes"\nsymbol = "S1"\n'
        'date = 2024-01-04\nreason = "News."\nby = "R. Eviewer"\nexpires = 2999-01-01\n'
    )
    (tmp_path / "accepted.toml").write_text(entry)
    frame = clean.copy()
    frame.loc[[4999, 5500], PRICES] *= 1.04
    result = guards.validate(frame, tmp_path / "minute_bars.json")
    assert [str(date) for date in result.quarantined["date"]] == ["2024-01-08 10:10:00"]
    assert len(result.accepted) == 1


def test_repeated_and_unsorted_minutes_are_found(clean):
    """The same minute twice is left out; minutes out of order are refused."""
    twice = pd.concat([clean.iloc[:100], clean.iloc[99:]], ignore_index=True)
    assert found(twice)[0] == {("S0", "2024-01-02 11:09:00")}
    order = np.r_[1, 0, 2 : len(clean)]
    result = guards.validate(clean.iloc[order].reset_index(drop=True), "minute_bars")
    assert [check.expectation for check in result.stopping] == ["expect_rows_in_order"]


def test_minutes_of_days_to_come_are_refused(clean):
    """The day counts, not the number of the bar; a time that is missing is named by its row."""
    frame = clean.copy()
    frame.loc[3899, "date"] = pd.Timestamp("2999-01-02 10:00")
    frame.loc[7000, "date"] = pd.NaT
    stopping = {check.expectation: check for check in guards.validate(frame, "minute_bars").stopping}
    assert stopping["expect_dates_not_in_future"].rows[0]["date"] == "2999-01-02T10:00:00"
    assert stopping["expect_column_values_to_not_be_null"].evidence.positions.tolist() == [7000]


def test_daily_prices_read_the_same_in_both_numberings(make_walk):
    """A frame of whole days has the findings of its days."""
    frame = make_walk(rows=300)
    frame.loc[150, "high"] = 1.0
    rows = [
        guards.validate(frame, name).critical[0].evidence.positions.tolist()
        for name in ("prices", "minute_bars")
    ]
    assert rows == [[150], [150]]


@pytest.mark.parametrize("asked", [{"max_age": 1}, {"exchange": "XLON"}, {"snapshot": "kept.parquet"}])
def test_what_is_about_sessions_is_refused(clean, asked):
    """It names the argument."""
    with pytest.raises(ConfigurationError, match=next(iter(asked))):
        guards.validate(clean, "minute_bars", **asked)


@pytest.mark.parametrize(
    ("meta", "message"), [({"intraday": True}, "expect_dates_without_time"), ({"intraday": "yes"}, "'yes'")]
)
def test_a_suite_of_sessions_is_not_intraday(tmp_path, meta, message):
    """The daily suite with the mark of the other is refused when it is read."""
    content = json.loads(read_suite("prices").path.read_text())
    (tmp_path / "prices.json").write_text(json.dumps(content | {"meta": meta}))
    with pytest.raises(ConfigurationError, match=message):
        read_suite(tmp_path / "prices.json")
