"""What is at fault is left out, counted and named; the rest is used."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards import data_docs
from sta410kit.guards.suites import read_suite
from sta410kit.research.features import build_features
from tests.guards.universe import MISSING, SYMBOLS, faulty_universe

pytestmark = pytest.mark.integration

VALUES = ["open", "high", "low", "close", "adj_close", "volume"]


@pytest.fixture
def walks(make_walk):
    """Give eight symbols of 400 sessions."""
    return make_walk(symbols=8, rows=400)


def left_out(result):
    """Give symbol and day of what is quarantined; no day is the whole symbol."""
    table = result.quarantined
    return list(zip(table["symbol"], table["date"].dt.strftime("%Y-%m-%d").fillna(""), strict=True))


def day(frame, row):
    """Give the date of a row as text."""
    return f"{frame['date'].iloc[row]:%Y-%m-%d}"


def test_a_clean_frame_is_used_as_it_is(walks):
    """Nothing is copied, and nothing is left out."""
    result = guards.validate(walks)
    assert result.usable is walks
    assert result.quarantined.empty
    assert list(result.quarantined.columns) == ["symbol", "date", "expectation", "reason"]
    assert str(result.coverage) == ""
    assert (result.coverage.symbols, result.coverage.bars) == (8, 3200)


def test_a_bad_bar_is_left_empty_and_named_once(walks):
    """Its row stays without values, whatever found it; all other rows are as they were."""
    walks.loc[900, ["low", "open"]] = [0.0, walks["high"][900] * 1.01]
    result = guards.validate(walks)
    assert result.passed
    assert left_out(result) == [("S2", day(walks, 900))]
    row = result.quarantined.iloc[0]
    assert row["expectation"].split(", ") == [
        "expect_column_values_to_be_between",
        "expect_prices_within_bar",
    ]
    assert row["reason"] == "low=0.0"
    usable = result.usable
    assert usable.loc[900, VALUES].isna().all()
    others = usable.index != 900
    pd.testing.assert_frame_equal(usable[others], walks[others], check_dtype=False)
    assert result.summary().startswith("prices: accepted without 1 of 3,200 bars - 60 checks on 3,200 rows")
    assert "accepted without 1 of 3,200 bars" in result._repr_html_()
    assert "critical, quarantined" in result._repr_html_()


def test_the_verdict_of_each_expectation_stays_and_strict_refuses(walks):
    """Quarantine changes what a finding costs, and not whether it is one."""
    walks.loc[900, "low"] = 0.0
    strict, usual = guards.validate(walks, strict=True), guards.validate(walks)
    assert [check.held for check in strict.checks] == [check.held for check in usual.checks]
    assert usual.stopping == ()
    assert [check.column for check in strict.stopping] == ["low"]
    with pytest.raises(DataValidationError, match=r"S2 .* \(low=0.0\)"):
        strict.require()
    with pytest.raises(DataValidationError):
        _ = strict.usable


def test_a_missing_session_gets_an_empty_row(walks):
    """Horizons are counted in rows, so a session that is not there is a row without values."""
    result = guards.validate(walks.drop(index=[500, 501]).reset_index(drop=True))
    assert left_out(result) == [("S1", day(walks, 500)), ("S1", day(walks, 501))]
    assert list(result.quarantined["reason"]) == ["missing session"] * 2
    usable = result.usable
    assert usable[["symbol", "date"]].equals(walks[["symbol", "date"]])
    assert usable.loc[[500, 501], VALUES].isna().all(axis=None)
    assert usable["close"].isna().sum() == 2
    assert result.coverage.bars == 3200


def test_a_row_on_a_day_without_a_session_is_left_out(walks):
    """It is no gap either: the sessions around it are neighbours."""
    friday = int(np.flatnonzero(walks["date"].dt.day_of_week == 4)[3])
    extra = walks.iloc[[friday]].assign(date=walks["date"].iloc[friday] + pd.Timedelta(days=1))
    frame = pd.concat([walks[: friday + 1], extra, walks[friday + 1 :]], ignore_index=True)
    result = guards.validate(frame)
    assert result.quarantined["reason"].to_list() == ["extra day"]
    pd.testing.assert_frame_equal(result.usable, walks)


def test_a_session_that_comes_twice_keeps_one_empty_row(walks):
    """Which of the two is right cannot be known."""
    result = guards.validate(walks.iloc[np.sort([*range(len(walks)), 700])].reset_index(drop=True))
    assert left_out(result) == [("S1", day(walks, 700))]
    assert result.usable[["symbol", "date"]].equals(walks[["symbol", "date"]])
    assert result.usable.loc[700, VALUES].isna().all()


def test_dates_a_day_off_cost_the_symbol(walks):
    """Missing sessions beside extra days say that the bars between them are on wrong dates, too."""
    walks.loc[410:430, "date"] += pd.Timedelta(days=1)
    result = guards.validate(walks)
    assert left_out(result) == [("S1", "")]
    assert "a session is missing beside an extra day" in result.quarantined["reason"].iloc[0]


def test_a_symbol_at_fault_is_gone(walks):
    """Open and close swapped throughout cost the symbol, which is quarantined and not missing."""
    rows = walks["symbol"] == "S3"
    walks.loc[rows, ["open", "close"]] = walks.loc[rows, ["close", "open"]].to_numpy()
    walks.loc[rows, "adj_close"] = walks.loc[rows, "close"]
    result = guards.validate(walks, symbols=[f"S{number}" for number in range(8)])
    assert result.passed
    assert left_out(result) == [("S3", "")]
    assert set(result.usable["symbol"]) == {"S0", "S1", "S2", "S4", "S5", "S6", "S7"}
    assert str(result.coverage) == "1 of 8 symbols"


def test_a_symbol_with_too_many_bad_bars_is_gone(walks):
    """More than a share of 0.05 of its bars, and the reason says so."""
    walks.loc[800:820, "high"] = 0.0
    result = guards.validate(walks)
    assert left_out(result) == [("S2", "")]
    assert result.quarantined["reason"].iloc[0] == "21 of 400 bars, more than 5 % (max_bars_per_symbol)"


def test_beyond_the_limits_the_frame_is_refused(walks):
    """More than a quarter of the symbols, more than 2 % of the bars, or everything."""
    some = walks.copy()
    some.loc[some["symbol"].isin(["S0", "S1", "S2"]) & (some.index % 4 == 0), "low"] = 0.0
    with pytest.raises(DataValidationError, match=r"3 of 8 symbols are quarantined, .* \(max_symbols 0.25\)"):
        guards.validate(some).require()
    some = walks.copy()
    some.loc[some.index % 40 == 20, "low"] = 0.0
    result = guards.validate(some)
    assert result.excess == "80 of 3,200 bars are quarantined, more than the suite allows (max_bars 0.02)"
    assert "max_bars 0.02" in result._repr_html_()
    assert not result.passed
    assert len(result.quarantined) == 80
    with pytest.raises(DataValidationError, match="every symbol is quarantined"):
        guards.validate(walks.assign(low=0.0)).require()


def test_a_refusal_names_its_reason_first_and_what_to_do(walks):
    """What stops precedes what is only left out; strict says that it is the reason."""
    walks.loc[900, "low"] = 0.0
    result = guards.validate(walks, symbols=["S1", "ZZZ"])
    assert result.summary().startswith("prices: REJECTED, no rows of ZZZ - ")
    assert result.failures[0].expectation == "expect_column_distinct_values_to_contain_set"
    assert result.named == []
    strict = guards.validate(walks, strict=True)
    assert strict.summary().startswith("prices: REJECTED, strict: 1 critical finding - ")
    words = r"3,200 rows, strict: 1 critical finding\):(?s:.*)`sta410 triage FILE` proposes what to do"
    with pytest.raises(DataValidationError, match=words):
        strict.require()
    with pytest.raises(DataValidationError) as error:
        guards.validate(walks[:0], "forecasts").require()
    assert "triage" not in str(error.value)


def test_the_first_of_what_is_left_out_are_named(walks):
    """The newest five bars and how many more; a series that ends early is no series of bad bars."""
    walks.loc[range(900, 1200, 50), "low"] = 0.0
    frame = walks.drop(index=range(1570, 1600)).reset_index(drop=True)
    result = guards.validate(frame)
    assert result.passed
    first = "quarantined S3: 30 sessions missing at the end, of 400, more than 5 % (max_bars_per_symbol)"
    first += " (expect_sessions_to_match_calendar)"
    assert result.named[0] == first
    kind = "expect_column_values_to_be_between"
    assert result.named[1] == f"quarantined S2 {day(walks, 1150)}: low=0.0 ({kind})"
    assert (len(result.named), result.named[-1]) == (7, "and 1 more bar")
    assert first in result._repr_html_()


def suite_file(folder, limits=None, **meta):
    """Write a suite whose one expectation may quarantine."""
    item = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "close"}, "meta": meta}
    path = folder / "mine.json"
    content = {"name": "mine", "expectations": [item], "meta": {"quarantine": limits} if limits else {}}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("meta", "limits", "words"),
    [
        ({"on_failure": "ignore"}, None, r"on_failure 'ignore'; it takes one of stop, quarantine_symbol"),
        ({"on_failure": "stop", "severity": "warning"}, None, "but severity 'warning', which leaves nothing"),
        ({}, {"max_symbol": 0.1}, "no limit called 'max_symbol'. Did you mean 'max_symbols'"),
        ({}, {"max_bars": 2}, "max_bars is 2; it takes a share from 0 to 1"),
        ({}, [0.1], r"is \[0.1\]; it takes an object with max_symbols, max_bars"),
    ],
)
def test_a_wrong_policy_is_refused_when_the_suite_is_read(tmp_path, meta, limits, words):
    """The error names file, place and what it takes."""
    with pytest.raises(ConfigurationError, match=words):
        read_suite(suite_file(tmp_path, limits, **meta))


def test_a_suite_of_ones_own_sets_policy_and_limits(tmp_path, walks):
    """Without a policy a finding stops; the limits are part of what a stamp holds for."""
    walks.loc[:30, "close"] = np.nan
    assert not guards.validate(walks, suite_file(tmp_path)).passed
    path = suite_file(tmp_path, {"max_bars_per_symbol": 0.5}, on_failure="quarantine_bars")
    result = guards.validate(walks, path)
    assert str(result.coverage) == "31 of 3,200 bars"
    digest = read_suite(path).digest
    assert read_suite(suite_file(tmp_path, {"max_bars": 0.5}, on_failure="quarantine_bars")).digest != digest


def test_rows_that_name_no_symbol_cannot_be_left_out(tmp_path, walks):
    """Whose bar it would be is not known, so such a frame is refused."""
    walks.loc[5, ["symbol", "close"]] = [None, np.nan]
    assert not guards.validate(walks, suite_file(tmp_path, on_failure="quarantine_bars")).passed


def test_a_frame_without_prices_loses_the_row(tmp_path):
    """A row of features without values would say less than none."""
    days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-04"])
    frame = pd.DataFrame({"symbol": "AAA", "date": days, "score": [1.0, np.nan, 3.0]})
    item = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "score"}}
    item["meta"] = {"on_failure": "quarantine_bars"}
    path = tmp_path / "mine.json"
    limits = {"max_bars": 0.5, "max_bars_per_symbol": 0.5}
    path.write_text(json.dumps({"name": "mine", "expectations": [item], "meta": {"quarantine": limits}}))
    assert guards.validate(frame, path).usable["score"].to_list() == [1.0, 3.0]


def test_other_layouts_of_the_same_values_are_quarantined_alike(walks):
    """Nullable, Arrow and categorical columns keep their layout, and get an empty row."""
    walks.loc[900, "low"] = 0.0
    for frame in (
        walks.convert_dtypes(dtype_backend="pyarrow"),
        walks.convert_dtypes(),
        walks.astype({"symbol": "category"}),
    ):
        usable = guards.validate(frame.drop(index=901).reset_index(drop=True)).usable
        assert usable.loc[[900, 901], VALUES].isna().all(axis=None)
        assert usable["date"].equals(frame["date"])


def test_the_universe_of_a_vendor_is_used_almost_whole():
    """Of 31 symbols over 12 years none is lost, and every planted fault is named once."""
    frame, planted = faulty_universe()
    result = guards.validate(frame, symbols=SYMBOLS)
    assert result.passed
    table = result.quarantined
    assert not table.duplicated(["symbol", "date"]).any()
    whole = set(table["symbol"][table["date"].isna()])
    faults = planted[~planted["real"] & ~planted["symbol"].isin(whole)]
    hard = faults[faults["what"] != "open outside the bar"]
    found = set(zip(table["symbol"], table["date"], strict=True))
    assert set(zip(hard["symbol"], hard["date"], strict=True)) <= found
    share = table[~table["symbol"].isin(whole)].groupby("symbol").size() / 3020
    assert len(whole) + (share > 0.01).sum() <= 3
    assert (result.usable["date"] == MISSING).sum() == 31 - len(whole)


def test_what_is_left_out_travels_with_the_accepted_file(walks, tmp_path):
    """The file holds what is usable under a stamp of its own; the list is read back as it was."""
    walks.loc[900, "low"] = 0.0
    rows = walks["symbol"] == "S3"
    walks.loc[rows, ["open", "close"]] = walks.loc[rows, ["close", "open"]].to_numpy()
    result = guards.validate(walks)
    path = tmp_path / "prices.parquet"
    accepted = guards.accept(walks, result, path)
    pd.testing.assert_frame_equal(accepted, result.usable)
    pd.testing.assert_frame_equal(guards.read_accepted(path, "prices"), accepted, check_dtype=False)
    pd.testing.assert_frame_equal(guards.read_quarantined(path), result.quarantined, check_dtype=False)
    assert left_out(result) == [("S2", day(walks, 900)), ("S3", "")]


def test_a_file_that_is_judged_when_it_is_read_is_left_out_of_as_well(walks, tmp_path):
    """Without a stamp the gate judges it now, and what it quarantines does not pass."""
    walks.loc[900, "low"] = 0.0
    walks.to_parquet(tmp_path / "prices.parquet")
    assert guards.read_accepted(tmp_path / "prices.parquet", "prices")["close"].isna().sum() == 1


def test_a_snapshot_keeps_the_last_good_values_of_what_is_quarantined(walks, tmp_path):
    """A revised bar stays a finding the next day; it does not become the history by being left out."""
    path = tmp_path / "kept.parquet"
    guards.keep_snapshot(walks, guards.validate(walks), path)
    revised = walks.copy()
    revised.loc[900, "volume"] += 1000
    for _ in range(2):
        result = guards.validate(revised, snapshot=path)
        assert left_out(result) == [("S2", day(walks, 900))]
        guards.keep_snapshot(revised, result, path)
    pd.testing.assert_frame_equal(pd.read_parquet(path), walks, check_dtype=False)


def test_the_data_docs_show_what_is_left_out(walks, tmp_path):
    """The page has a table, a file beside it has all of it, and the index counts it."""
    walks.loc[900, "low"] = 0.0
    page = data_docs.publish(guards.validate(walks), tmp_path)
    text = page.read_text()
    assert "accepted</span> without 1 of 3,200 bars" in text
    row = f'<td data-label="symbol">S2</td><td class="whole" data-label="date">{day(walks, 900)}</td>'
    assert row in text
    assert len(pd.read_csv(page.parent / "quarantined.csv")) == 1
    assert "without 1 of 3,200 bars" in (tmp_path / "index.html").read_text()
    (summary,) = data_docs.summaries(tmp_path)
    assert (summary["passed"], summary["left_out"]) == (True, "1 of 3,200 bars")


def test_features_may_be_missing_where_a_gap_explains_it_and_nowhere_else(walks):
    """After a gap a feature lacks as many values as in its first sessions, and not one more."""
    walks.loc[900, "low"] = 0.0
    prices = guards.validate(walks).usable
    features = build_features(prices)
    assert features["return_1"].isna()[900:903].tolist() == [True, True, False]
    assert guards.validate(features, "features", prices=prices).passed
    without = guards.validate(features, "features")
    assert [check.expectation for check in without.critical] == ["expect_missing_only_in_warm_up"]
    features.loc[[902, 1300], "return_1"] = np.nan
    (found,) = guards.validate(features, "features", prices=prices).critical
    assert [row["date"] for row in found.rows] == [day(walks, 902), day(walks, 1300)]
