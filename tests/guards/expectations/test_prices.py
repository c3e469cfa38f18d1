"""Each expectation catches what it is there for, alone, and lets clean prices through."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.corruptions import CATALOGUE
from sta410kit.guards.corruptions.corruption import changed
from sta410kit.guards.evaluation import evaluate
from sta410kit.guards.suites import read_suite
from sta410kit.market import load_prices

pytestmark = pytest.mark.unit

OWN = {item["type"]: item for item in read_suite("prices").expectations if not item["type"].startswith(
    ("expect_column", "expect_table", "expect_compound")
)}  # fmt: skip
BAR = ["open", "high", "low", "close"]
PRICES = [*BAR, "adj_close"]
BY_NAME = {one.name: one for one in CATALOGUE["prices"]}


def alone(kind, **changed):
    """Return the suite that holds one expectation of the kit, as the prices suite asks it."""
    item = OWN[kind]
    return [{**item, "kwargs": {**item["kwargs"], **changed}}]


def found(frame, kind, **changed):
    """Evaluate one expectation and return its result."""
    return evaluate("one", alone(kind, **changed), frame)[0][0]


CATCHES = {
    "expect_sessions_to_match_calendar": (
        "session_lost weeks_lost end_lost file_cut_short weekend_row dates_a_day_off"
    ),
    "expect_symbols_in_step": "symbol_a_session_off",
    "expect_dates_not_in_future": "dates_in_future",
    "expect_dates_without_time": "time_of_day",
    "expect_rows_in_order": "rows_shuffled rows_reversed two_rows_swapped",
    "expect_symbols_spelled_alike": "symbol_in_other_case symbol_with_space invisible_sign",
    "expect_symbols_to_differ": "same_series",
    "expect_jumps_to_be_explained": "split_forgotten reverse_split_forgotten",
    "expect_adjusted_close_to_follow_close": "split_invented adj_close_away_and_back adj_close_steps_down",
    "expect_prices_in_one_unit": "cents_for_dollars cents_but_adj_close digit_too_many one_bar_in_other_unit",
    "expect_no_reverting_spikes": "spike open_misread close_spike close_misread",
    "expect_open_to_follow_close": "open_and_close_swapped",
    "expect_prices_within_bar": "bar_out_of_order",
    "expect_no_stale_bars": "bars_repeated prices_repeated close_carried_forward session_filled",
    "expect_no_pasted_bars": "stretch_pasted stretch_pasted_to_fit",
    "expect_no_runs_of_zero_volume": "zero_volume_run symbol_without_volume",
    "expect_volume_in_one_unit": (
        "volume_in_lots volume_unit_changes symbol_in_other_units one_volume_too_large"
    ),
    "expect_whole_shares": "parts_of_shares",
}


def days_found(frame, kind):
    """Return the sessions that one expectation names."""
    return [row["date"] for row in found(frame, kind).rows]


@pytest.mark.parametrize(
    ("corruption", "kind"), [(name, kind) for kind, names in CATCHES.items() for name in names.split()]
)
def test_a_corruption_is_caught_by_the_expectation_made_for_it(crisis, corruption, kind):
    """Three draws of size and place: this expectation alone refuses each, and names symbol and date."""
    drawn = [BY_NAME[corruption].apply(crisis, np.random.default_rng([7, number])) for number in range(8)]
    broken = [frame for frame in drawn if frame is not None][:3]
    assert len(broken) == 3
    for frame in broken:
        result = found(frame, kind)
        assert not result.held
        assert result.rows[0]["symbol"]
        assert result.rows[0]["date"] >= "2006-12-01"


def test_the_crash_of_2000_is_no_split():
    """AAPL fell by 52 % on 2000-09-29 with twelve times its volume; a split leaves the volume as it was."""
    prices = load_prices(symbols=["AAPL"], start="2000-08-01", end="2000-12-29")
    assert found(prices, "expect_jumps_to_be_explained").held
    quiet = prices.assign(volume=prices["volume"].clip(upper=9_000_000))
    quiet.loc[quiet["date"] == "2000-09-29", ["open", "high", "low", "close"]] = [26.8, 27.2, 26.1, 26.6]
    assert "2000-09-29" in days_found(quiet, "expect_jumps_to_be_explained")


def test_a_close_that_the_next_open_takes_back_is_found_from_a_few_per_cent_on():
    """IBM closes 6 % too high on a calm day; a real move of that size does not vanish overnight."""
    prices = load_prices(symbols=["IBM"], start="2004-01-02", end="2006-12-29")
    row = prices.index[prices["date"] == "2006-03-15"][0]
    prices.loc[row, ["high", "close", "adj_close"]] *= 1.06
    assert days_found(prices, "expect_no_reverting_spikes") == ["2006-03-15"]
    assert found(prices, "expect_no_reverting_spikes", undone_sigmas=99).held


def test_one_bar_that_repeats_prices_is_found_where_chance_repeats_none():
    """IBM's bar spans 130 cents; AAPL's prices of 2003-01-29, within 53 cents, stand twice in the source."""
    prices = load_prices(symbols=["AAPL", "IBM"], start="2003-01-02", end="2003-12-31")
    assert found(prices, "expect_no_stale_bars").held
    row = prices.index[(prices["symbol"] == "IBM") & (prices["date"] == "2003-07-10")][0]
    prices.loc[row, PRICES] = prices.loc[row - 1, PRICES].to_numpy()
    assert days_found(prices, "expect_no_stale_bars") == ["2003-07-10"]
    assert found(prices, "expect_no_stale_bars", wide=1000).held


def test_one_session_without_trade_is_ordinary_where_there_are_more(make_walk):
    """A filled session of a busy symbol is found, with or without volume; a thin symbol has such ones."""
    busy = make_walk(symbols=1)

    def filled(prices, rows):
        prices = prices.copy()
        for row in rows:
            prices.loc[row, PRICES] = prices.loc[row - 1, "close"]
        return prices

    assert not found(filled(busy, [100]), "expect_no_stale_bars").held
    assert not found(filled(busy, [100]).assign(volume=0), "expect_no_stale_bars", idle=0.01).held
    assert found(filled(busy, range(100, 120, 4)), "expect_no_stale_bars").held


def test_lots_read_as_shares_on_a_quiet_day_are_told_by_their_zeros():
    """FB's volume of 2012-07-05 a hundred times too large is but 30 times the usual one."""
    prices = load_prices(symbols=["FB"])
    prices.loc[prices["date"] == "2012-07-05", "volume"] *= 100
    assert days_found(prices, "expect_volume_in_one_unit") == ["2012-07-05"]
    assert found(prices, "expect_volume_in_one_unit", zeros=3).held


@pytest.mark.parametrize("ratio", [2, 3, 1.5, 10, 0.1, 1 / 35, 1 / 200])
def test_a_split_that_adj_close_knows_is_accepted(make_walk, ratio):
    """The honest twin: the close falls by the ratio, adj_close does not."""
    prices = make_walk(symbols=1)
    later = prices.index >= 200
    prices.loc[later, ["open", "high", "low", "close"]] /= ratio
    assert guards.validate(prices, "prices").failures == ()


@pytest.mark.parametrize(
    "shape",
    [
        {"seed": 1},
        {"seed": 2, "shocks": "garch", "rows": 1500},
        {"seed": 3, "shocks": "t5", "rows": 1500},
        {"seed": 4, "price": 1.0, "cents": True},
        {"seed": 5, "price": 500_000.0},
        {"seed": 6, "symbols": 1, "rows": 60},
        {"seed": 7, "symbols": 12, "rows": 60},
        {"seed": 8, "sigma": 0.003},
        {"seed": 9, "sigma": 0.05},
        {"seed": 10, "rows": 16},
    ],
    ids=str,
)
def test_made_up_clean_prices_are_accepted(make_walk, shape):
    """Random walks of many kinds, long and short, cheap and dear, are no reason to refuse."""
    assert guards.validate(make_walk(**shape), "prices").failures == ()


@pytest.mark.parametrize("source", ["sp500", "nasdaq"])
def test_real_index_data_of_another_package_are_accepted(source):
    """Twenty years of two indices, as the package arch ships them."""
    import importlib

    data = importlib.import_module(f"arch.data.{source}").load()
    names = {name: name.lower().replace(" ", "_") for name in data.columns}
    prices = data.rename(columns=names).rename_axis("date").reset_index()
    assert guards.validate(prices.assign(symbol=source.upper()), "prices").passed


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_old_prices_in_eighths_repeat_themselves_by_chance(make_walk, seed):
    """Quoted in eighths and divided by later splits, bars agree for a while; pasted ones are found."""
    rng = np.random.default_rng(seed)
    rows, columns = 3000, ["open", "high", "low", "close"]
    close = np.cumsum(rng.integers(-3, 4, rows))
    close += 160 - close.min()
    opened = np.r_[close[0], close[:-1]] + rng.integers(-1, 2, rows)
    prices = make_walk(symbols=1, rows=rows, start="2000-03-01").assign(
        open=opened,
        high=np.maximum(opened, close) + rng.integers(0, 3, rows),
        low=np.minimum(opened, close) - rng.integers(0, 3, rows),
        close=close,
    )
    prices[columns] = (prices[columns] / 8 / 144).round(5)
    assert found(prices, "expect_no_pasted_bars").held
    prices.loc[2000:2024, columns] = prices.loc[1000:1024, columns].to_numpy()
    assert not found(prices, "expect_no_pasted_bars").held


def test_parts_of_the_embedded_prices_are_accepted():
    """A symbol, a year, a month."""
    prices = load_prices()
    parts = [part for _, part in prices.groupby("symbol")]
    parts += [prices[prices["date"].dt.year == year] for year in (2000, 2008, 2012)]
    parts.append(prices[prices["date"].between("2008-10-01", "2008-10-31")])
    assert [len(part) for part in parts if not guards.validate(part, "prices").passed] == []


def test_a_symbol_can_have_thresholds_of_its_own(make_walk):
    """The override loosens one symbol and leaves the others as strict as before."""
    prices = make_walk()
    rows = prices.index[(prices["symbol"] != "S2") & prices["date"].between("2015-06-01", "2015-06-09")]
    prices.loc[rows, "volume"] = 0
    kind = "expect_no_runs_of_zero_volume"
    own = {"S0": {"max_run": 10, "max_moved": 10}}
    assert found(prices, kind).count == 14
    result = found(prices, kind, overrides=own)
    assert result.count == 7
    assert {row["symbol"] for row in result.rows} == {"S1"}
    with pytest.raises(ConfigurationError, match="does not have: runs"):
        found(prices, kind, overrides={"S0": {"runs": 10}})


def test_another_exchange_has_other_sessions(make_walk):
    """Prices of New York do not fit Tokyo's calendar; an unknown exchange is refused with a suggestion."""
    kind = "expect_sessions_to_match_calendar"
    refused = found(make_walk(rows=120), kind, calendar="XTKS")
    assert not refused.held
    assert "of XTKS" in refused.message
    assert "--exchange XASX" in refused.message
    with pytest.raises(ConfigurationError, match="no exchange calendar called 'XNYZ'"):
        found(make_walk(rows=20), kind, calendar="XNYZ")


def test_a_symbol_may_end_before_the_others_when_the_suite_says_so(make_walk):
    """A company that was bought has an end of its own."""
    prices = make_walk()
    ended = prices[(prices["symbol"] != "S1") | (prices["date"] <= "2016-03-01")].reset_index(drop=True)
    kind = "expect_sessions_to_match_calendar"
    assert "missing at the end" in found(ended, kind).message
    assert found(ended, kind, ends={"S1": "2016-03-01"}).held
    assert not found(ended, kind, starts={"S0": "2014-12-01"}, ends={"S1": "2016-03-02"}).held


def test_freshness_is_counted_in_sessions(make_walk):
    """The weekend does not age a frame; a session does."""
    prices = make_walk(symbols=1, rows=5, start="2024-01-02")  # up to Monday, 2024-01-08
    kind = "expect_last_session_to_be_recent"
    assert found(prices, kind, max_age=0, as_of="2024-01-09").held
    assert not found(prices, kind, max_age=0, as_of="2024-01-10").held
    assert found(prices, kind, max_age=1, as_of="2024-01-10").held
    failure = guards.validate(prices, "prices", max_age=3).critical[0]
    assert failure.expectation == "expect_last_session_to_be_recent"


def test_a_short_gap_of_one_row_does_not_mislead_the_others(crisis):
    """Rows without values are left to the expectation that names them."""
    holed = crisis.copy()
    holed.loc[[100, 101, 5000], PRICES] = np.nan
    assert {failure.expectation for failure in guards.validate(holed, "prices").critical} == {
        "expect_column_values_to_not_be_null"
    }


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"symbol": ["A"], "date": [pd.Timestamp("1700-01-03")], "close": [1.0]}),
        pd.DataFrame({"symbol": ["A", None], "date": [pd.NaT, pd.NaT], "close": [1.0, 2.0]}),
        pd.DataFrame(
            {"symbol": ["A"], "date": [pd.Timestamp("2024-01-02")], "volume": [2**62], "close": [1e308]}
        ),
        pd.DataFrame({"symbol": [["x"]], "date": [pd.Timestamp("2024-01-02")]}),
        pd.DataFrame({"symbol": pd.Categorical(["A"]), "date": pd.to_datetime(["2024-01-02"], utc=True)}),
    ],
    ids=["old", "no dates", "huge", "lists", "zoned"],
)
def test_strange_frames_are_judged_without_a_traceback(frame):
    """Dates before any calendar, no dates at all, huge numbers, lists: evidence, not exceptions."""
    bars = dict.fromkeys(["open", "high", "low", "close", "adj_close", "volume"], 1.0)
    full = pd.DataFrame({**bars, **frame.to_dict("series")})
    result = guards.validate(full, "prices")
    assert isinstance(result.passed, bool)
    assert "could not be judged" not in str(result.failures)
    json.dumps(result.to_dict())


def test_three_bars_alike_are_stale_where_bars_are_hardly_ever_alike(crisis):
    """Two alike are chance, with another volume each; of three, the two that repeat the first are named."""
    kind = "expect_no_stale_bars"
    two, three = crisis.copy(), crisis.copy()
    two.loc[[100, 101], PRICES] = crisis.loc[100, PRICES].to_numpy()
    three.loc[[100, 101, 102], PRICES] = crisis.loc[100, PRICES].to_numpy()
    assert found(two, kind, wide=1e6).held
    rows = found(three, kind, wide=1e6).rows
    assert [row["date"] for row in rows] == [str(day)[:10] for day in crisis["date"][[101, 102]]]


def test_three_bars_alike_are_chance_in_a_quiet_and_cheap_share(crisis):
    """Every tenth bar repeats the one before it there, so that one does twice is no wonder."""
    quiet = crisis.copy()
    rows = list(range(100, 400, 10))
    for row in rows:
        quiet.loc[row + 1, PRICES] = quiet.loc[row, PRICES].to_numpy()
    quiet.loc[rows[5] + 2, PRICES] = quiet.loc[rows[5], PRICES].to_numpy()
    assert found(quiet, "expect_no_stale_bars", wide=1e6).held
    quiet.loc[rows[5] + 3, PRICES] = quiet.loc[rows[5], PRICES].to_numpy()
    assert not found(quiet, "expect_no_stale_bars", wide=1e6).held


@pytest.mark.parametrize(
    ("left", "volume", "busiest_only"), [(0.74, 3_500_000, False), (0.6, 5_000_000, True)]
)
def test_a_fall_on_a_busy_day_is_news(left, volume, busiest_only):
    """A fall of 26 % on a busy day passes, one of 40 % on the busiest near; a quiet day explains neither."""
    prices = make_calm()
    fallen = prices["date"] >= "2015-03-02"
    prices.loc[fallen, PRICES] *= left
    on_the_day = prices["date"] == "2015-03-02"
    prices.loc[on_the_day, "volume"] = volume
    assert found(prices, "expect_jumps_to_be_explained").held
    assert not found(prices, "expect_jumps_to_be_explained", news_volume=99).held
    assert found(prices, "expect_jumps_to_be_explained", busiest=99).held is not busiest_only
    prices.loc[on_the_day, "volume"] = 1_000_000
    assert days_found(prices, "expect_jumps_to_be_explained") == ["2015-03-02"]


@pytest.mark.parametrize(
    ("first", "volumes", "excusing", "held"),
    [
        # A class of shares before its issue, as GOOG's in 2014, and a stretch in hundreds.
        (40, [2627, 8242, 2165, 1584, 29420], {"ragged": 99}, True),
        (40, [10_300, 9_500, 10_000, 9_800, 11_000], None, False),
        # When-issued trade on the first days.
        (0, [900, 120, 1400, 3300], {"listing": 0, "ragged": 99}, True),
        # An offering; 250 times the usual volume; and as much as lots would show.
        (60, [50_123_456], None, True),
        (60, [250_123_456], None, False),
        (60, [100_000_000], None, False),
    ],
)
def test_odd_volumes_are_told_from_another_unit(first, volumes, excusing, held):
    """By how uneven, how early, how large and how round they are."""
    prices, kind = make_calm(), "expect_volume_in_one_unit"
    prices.loc[first : first + len(volumes) - 1, "volume"] = volumes
    assert found(prices, kind).held is held
    assert excusing is None or not found(prices, kind, **excusing).held


def test_news_explains_any_volume():
    """With a move of 30 per cent, 250 times the usual volume is no other unit."""
    prices = make_calm()
    prices.loc[60, "volume"] = 250_123_456
    prices.loc[60:, PRICES] *= np.exp(0.3)
    assert found(prices, "expect_volume_in_one_unit").held


def test_exact_volumes_beside_rounded_ones_are_found_where_they_would_be_lots():
    """A source that rounds three symbols and not the fourth passes, unless the fourth trades a hundredth."""
    prices = pd.concat([make_calm(number) for number in range(4)], ignore_index=True)
    exact = prices["symbol"] == "S3"
    prices.loc[~exact, "volume"] = prices.loc[~exact, "volume"] // 100 * 100
    assert found(prices, "expect_volume_in_one_unit").held
    prices.loc[exact, "volume"] //= 100
    notes = found(prices, "expect_volume_in_one_unit").evidence.notes
    assert notes[0] == "S3: volumes end in 0 zeros, others in 2"


def test_an_open_that_its_own_session_takes_back_is_found():
    """IBM opens 20 % too high on a calm day; AAPL's open of 2008-07-22, 8 % down and back, passes."""
    prices = load_prices(symbols=["AAPL", "IBM"], start="2004-01-02", end="2008-12-31")
    assert found(prices, "expect_no_reverting_spikes").held
    row = prices.index[(prices["symbol"] == "IBM") & (prices["date"] == "2006-03-15")][0]
    prices.loc[row, ["open", "high"]] = prices.loc[row, "open"] * 1.2
    assert days_found(prices, "expect_no_reverting_spikes") == ["2006-03-15"]
    assert found(prices, "expect_no_reverting_spikes", open_sigmas=99).held


def make_calm(number=0):
    """Give one symbol a year of calm prices whose volumes are near a million."""
    rng = np.random.default_rng(number)
    days = np.busday_offset("2015-01-02", np.arange(120))
    close = 100 * np.exp(np.cumsum(0.01 * rng.normal(size=120)))
    opened = np.r_[100, close[:-1]] * np.exp(0.002 * rng.normal(size=120))
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    return pd.DataFrame(
        {
            "symbol": f"S{number}",
            "date": days.astype("datetime64[us]"),
            "open": opened,
            "high": top * 1.003,
            "low": bottom * 0.997,
            "close": close,
            "adj_close": close,
            "volume": (1_000_000 * np.exp(0.3 * rng.normal(size=120))).astype(int),
        }
    )


def pasted(prices, length, *, volume=True):
    """Give IBM bars of MSFT, multiplied to fit and rounded to cents."""
    source = np.flatnonzero(prices["symbol"] == "MSFT")[100 : 100 + length]
    rows = np.flatnonzero(prices["symbol"] == "IBM")[700 : 700 + length]
    frame = prices.copy()
    factor = prices["close"].iloc[rows[0] - 1] / prices["open"].iloc[source[0]]
    adjusted = (prices["adj_close"] / prices["close"]).to_numpy()[rows]
    frame.loc[rows, BAR] = (prices.loc[source, BAR] * factor).round(2).to_numpy()
    frame.loc[rows, "adj_close"] = frame.loc[rows, "close"] * adjusted
    if volume:
        frame.loc[rows, "volume"] = prices.loc[source, "volume"].to_numpy()
    return frame


def test_a_rounded_stretch_is_told_by_its_volumes(crisis):
    """Ten bars, whose volumes nobody changed: both copies are named."""
    result = guards.validate(pasted(crisis, 10), "prices")
    found = {failure.expectation: failure for failure in result.critical}["expect_no_pasted_bars"]
    assert found.count == 20
    assert "the bars of IBM up to" in found.message
    assert "are those of MSFT up to" in found.message


def test_the_volume_of_a_whole_exchange_may_stand_in_two_of_its_indices(make_walk):
    """Two symbols with the same volume in every session are no pasted stretch."""
    prices = make_walk(symbols=2, rows=300)
    rows = prices.groupby("symbol").indices
    one, other = rows.values()
    prices.loc[other, "volume"] = prices.loc[one, "volume"].to_numpy()
    assert guards.validate(prices, "prices").passed


def test_round_and_small_volumes_that_come_again_are_chance(make_walk):
    """Volumes of 100 to 2,000 shares in hundreds repeat each other all the time."""
    prices = make_walk(symbols=2, rows=1500, price=20.0)
    prices["volume"] = 100 * np.random.default_rng(5).integers(10, 20, len(prices))
    failed = {failure.expectation for failure in guards.validate(prices, "prices").critical}
    assert "expect_no_pasted_bars" not in failed


def times(prices, symbol, part, factor, columns):
    """Multiply columns in a part of a symbol's rows."""
    return changed(prices, np.flatnonzero(prices["symbol"] == symbol)[part], columns, factor)


def caught(frame):
    """Return the critical expectations that fail."""
    return {failure.expectation for failure in guards.validate(frame, "prices").critical}


@pytest.mark.parametrize(
    ("symbol", "part", "factor"),
    [
        ("MSFT", slice(-26, None), 10),
        ("IBM", slice(-36, None), 10),
        ("AAPL", slice(0, 57), 0.1),
        ("MSFT", slice(400, 1400), 0.1),
        ("IBM", slice(400, 1300), 10),
    ],
)
def test_a_factor_of_ten_that_adj_close_does_not_share_is_refused(crisis, symbol, part, factor):
    """Near an end, or for years; it would be a split on paper, but the money traded steps as well."""
    assert "expect_prices_in_one_unit" in caught(times(crisis, symbol, part, factor, BAR))


def test_a_split_of_ten_for_one_passes_with_its_volume(crisis):
    """The close falls to a tenth, shares traded rise tenfold, adj_close goes on."""
    for begin in (600, -20):
        frame = times(crisis, "AAPL", slice(begin, None), 0.1, BAR)
        frame = times(frame, "AAPL", slice(begin, None), 10, ["volume"])
        assert caught(frame) == set()


def test_a_column_in_other_units_for_a_stretch_is_refused(crisis):
    """A hundred highs in cents, or lows a tenth of what they were, are no usual range of the symbol."""
    assert "expect_no_extreme_wicks" in caught(times(crisis, "GOOG", slice(130, 230), 100, ["high"]))
    assert "expect_no_extreme_wicks" in caught(times(crisis, "GOOG", slice(130, 230), 0.1, ["low"]))


def test_one_session_without_volume_at_the_last_close_is_stale_in_a_busy_symbol(crisis):
    """FB never had such a session; where little is traded, one is nothing odd."""
    rows = np.flatnonzero(crisis["symbol"] == "FB")
    frame = crisis.copy()
    frame.loc[rows[65], BAR] = crisis["close"].iloc[rows[64]]
    frame.loc[rows[65], ["adj_close", "volume"]] = [crisis["adj_close"].iloc[rows[64]], 0]
    assert "expect_no_stale_bars" in caught(frame)
    thin = frame[frame["symbol"] == "FB"].assign(volume=lambda fb: (fb["volume"] // 20_000).astype(int))
    assert "expect_no_stale_bars" not in caught(thin)


def test_an_open_a_tick_outside_its_bar_is_a_warning_and_a_dollar_is_critical(crisis):
    """The size decides; an override lets a symbol with a coarser step be."""
    frame = crisis.copy()
    row = frame.index[frame["symbol"] == "IBM"][50]
    frame.loc[row, "open"] = frame.loc[row, "high"] + 0.02
    result = guards.validate(frame, "prices")
    assert [failure.severity for failure in result.failures] == ["warning"]
    assert result.quarantined.empty
    frame.loc[row, "open"] = frame.loc[row, "high"] + 1
    assert caught(frame) == {"expect_prices_within_bar"}
    assert found(frame, "expect_prices_within_bar", overrides={"IBM": {"ticks": 100}}).held


def make_heavy(freedom, *, open_follows=True, seed=0, symbols=100, rows=2520):
    """Give a clean universe: GARCH, Student-t shocks and a common factor; volumes evenly distributed."""
    from sta410kit._internal.calendars import sessions

    rng = np.random.default_rng(seed)
    shape, scale = (symbols + 1, rows), np.sqrt((freedom - 2) / freedom)
    shocks, variance = scale * rng.standard_t(freedom, shape), np.ones(symbols + 1)
    for day in range(rows):
        shocks[:, day] *= np.sqrt(variance)
        variance = np.minimum(0.02 + 0.08 * shocks[:, day] ** 2 + 0.9 * variance, 50)
    usual = rng.uniform(0.01, 0.03, (symbols, 1))
    moves = usual * (0.7 * shocks[:1] + 0.7 * shocks[1:])
    close = np.cumsum(moves - moves.mean(axis=1, keepdims=True), axis=1)
    overnight = (
        0.3 * rng.normal(size=moves.shape) if open_follows else 0.5 * rng.standard_t(freedom, moves.shape)
    )
    opened = np.c_[np.zeros(symbols), close[:, :-1]] + usual * overnight
    ends = usual * np.abs(0.4 * rng.normal(size=(2, *moves.shape)))
    bar = {"open": opened, "high": np.maximum(opened, close) + ends[0]}
    bar |= {"low": np.minimum(opened, close) - ends[1], "close": close, "adj_close": close}
    days = sessions("XNYS", 12_053, 12_053 + 2 * rows)[:rows].astype("datetime64[D]").astype("datetime64[us]")
    frame = pd.DataFrame({name: 50 * np.exp(values.ravel()) for name, values in bar.items()})
    frame["volume"] = rng.integers(100_000, 10_000_000, symbols * rows)
    frame.insert(0, "symbol", pd.Index([f"S{n:03}" for n in range(symbols)], dtype="str").repeat(rows))
    frame.insert(1, "date", np.tile(days, symbols))
    return frame


@pytest.mark.parametrize(("freedom", "most"), [(3, 3), (4, 1), (6, 0)])
@pytest.mark.parametrize("open_follows", [True, False])
def test_a_clean_universe_with_heavy_tails_is_hardly_touched(freedom, most, open_follows):
    """Of 100 symbols over ten years, at most 1 with Student-t(4) shocks and 3 with Student-t(3) ones."""
    result = guards.validate(make_heavy(freedom, open_follows=open_follows), "prices")
    assert result.quarantined["symbol"].nunique() <= most


def test_a_spike_needs_to_be_larger_in_a_symbol_with_heavier_tails(make_walk):
    """A spike of 10 % is found in calm prices and not in those that move so by themselves."""
    calm, wild = (make_walk(symbols=1, rows=1500, sigma=0.01, shocks=kind) for kind in ("normal", "t5"))
    rng = np.random.default_rng(1)
    wild[PRICES] *= np.exp(0.01 * rng.standard_t(2.2, 1500))[:, None]
    for frame in (calm, wild):
        frame.loc[700, PRICES] *= 1.1
    day = str(calm["date"][700])[:10]
    assert days_found(calm, "expect_no_reverting_spikes") == [day]
    assert day not in days_found(wild, "expect_no_reverting_spikes")


def test_what_many_symbols_do_on_one_session_is_the_market(make_walk):
    """A spike, a low and an open that three of ten other symbols share are no faults; those of one are."""
    prices = make_walk(symbols=10, rows=300, sigma=0.01)
    for kind, columns, factor in (
        ("expect_no_reverting_spikes", ["close", "adj_close", "high"], 1.3),
        ("expect_no_extreme_wicks", ["low"], 0.6),
    ):
        one = times(prices, "S0", slice(150, 151), factor, columns)
        assert not found(one, kind).held
        several = one
        for name in ("S1", "S2", "S3"):
            several = times(several, name, slice(150, 151), factor, columns)
        assert found(several, kind).held
        assert not found(several, kind, market=0.5).held


def test_lows_of_the_flash_crash_are_accepted_on_its_day_only():
    """PG fell by 37 % within the session of 2010-05-06; on a calm day that is a fault."""
    prices = make_calm().assign(date=np.busday_offset("2010-03-01", np.arange(120)).astype("datetime64[us]"))
    for day, held in (("2010-05-06", True), ("2010-05-13", False)):
        crash = prices.copy()
        crash.loc[crash["date"] == day, "low"] *= 0.6
        assert found(crash, "expect_no_extreme_wicks").held is held
    crash.loc[crash["date"] == "2010-05-13", "volume"] *= 4
    assert found(crash, "expect_no_extreme_wicks").held
    assert not found(crash, "expect_no_extreme_wicks", news_volume=9).held


def test_one_tick_at_a_few_cents_is_no_wick():
    """A share at two cents has a high of three."""
    prices = make_calm().assign(open=0.02, high=0.02, low=0.02, close=0.02, adj_close=0.02)
    prices.loc[60, "high"] = 0.03
    assert found(prices, "expect_no_extreme_wicks").held
    prices.loc[60, "high"] = 2.0
    assert not found(prices, "expect_no_extreme_wicks").held


def test_sessions_without_volume_are_ordinary_where_they_come_again_and_again(make_walk):
    """A run of five is a fault in a liquid symbol, and none where every tenth session has no volume."""
    prices = make_walk(symbols=1, rows=1500)
    prices.loc[700:704, "volume"] = 0
    assert found(prices, "expect_no_runs_of_zero_volume").count == 5
    prices.loc[600:800:10, "volume"] = 0
    assert found(prices, "expect_no_runs_of_zero_volume").held
    assert not found(prices, "expect_no_runs_of_zero_volume", quiet_runs=50).held


def test_bars_of_a_fund_that_moves_by_a_tick_repeat_by_chance():
    """Four bars of two cents are chance in a fund of treasury bills; four of ten cents are stale."""
    prices = make_calm()
    close = 91.7 + 0.01 * np.random.default_rng(1).integers(0, 3, 120).cumsum()
    prices = prices.assign(open=close, high=close + 0.02, low=close, close=close, adj_close=close)
    prices.loc[61:63, PRICES] = prices.loc[60, PRICES].to_numpy(float)
    assert found(prices, "expect_no_stale_bars").held
    prices.loc[60:63, "high"] = prices.loc[60, "close"] + 0.1
    assert found(prices, "expect_no_stale_bars").count == 3


def test_a_fall_by_half_after_days_of_news_is_a_crash(make_walk):
    """Its volume is judged by the months before: that of the days around it is news already."""
    prices = make_walk(symbols=1, rows=300)
    day = 200
    prices.loc[day:, PRICES] /= 2
    prices["volume"] = 1_000_000
    quiet = prices.copy()
    prices.loc[day - 6 : day + 12, "volume"] = 5_000_000
    prices.loc[day, "volume"] = 10_000_000
    assert found(prices, "expect_jumps_to_be_explained").held
    quiet.loc[day:, "volume"] = 2_000_000
    assert not found(quiet, "expect_jumps_to_be_explained").held


def test_volumes_with_heavy_tails_are_judged_by_their_own(make_walk):
    """Thin and busy days of symbols that have many pass; a thousandth on one day of a calm one does not."""
    prices = make_walk(symbols=6, rows=1500)
    shocks = 0.3 * np.random.default_rng(0).standard_t(4, len(prices))
    prices["volume"] = np.exp(13 + lfilter([1], [1, -0.8], shocks)).astype(int)
    assert found(prices, "expect_volume_in_one_unit").held
    assert found(prices, "expect_volume_in_one_unit", chance=1e9).count > 3
    calm = make_walk(symbols=1, rows=1500)
    calm.loc[700, "volume"] //= 1000
    assert days_found(calm, "expect_volume_in_one_unit") == [str(calm.loc[700, "date"])[:10]]
