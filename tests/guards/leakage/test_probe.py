"""The leak probe finds functions that look ahead and leaves honest ones alone."""

import itertools
import sys

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, DataValidationError, LeakageError
from sta410kit.guards import probe_leaks
from sta410kit.guards.leakage.report import NOT_DETERMINISTIC
from sta410kit.research.features import build_features
from sta410kit.research.targets import build_target
from sta410kit.research.walk_forward import training_table

pytestmark = pytest.mark.unit

KEYS = ["symbol", "date"]


def feature(function, column="close"):
    """Return a builder that computes one column `x` from each symbol's series."""

    def build(prices):
        x = prices.groupby("symbol")[column].transform(function)
        return prices[KEYS].assign(x=x)

    return build


def honest(prices):
    """Today's return."""
    return prices[KEYS].assign(x=prices.groupby("symbol")["close"].pct_change())


def _ahead(prices):
    """Return tomorrow's close, today's on the last day."""
    return prices.groupby("symbol")["close"].shift(-1).fillna(prices["close"])


def _daily(prices):
    """Return a close a calendar day, empty on weekends."""
    return prices.pivot_table(index="date", columns="symbol", values="close").asfreq("D")


def test_looking_ahead_is_found_with_defaults(walks):
    """Column, symbol, first bad date, offset, mode and a sentence."""
    report = probe_leaks(feature(lambda close: close.shift(-1)), walks)
    (finding,) = report.findings
    assert not report.passed
    assert (finding.column, finding.symbols) == ("x", ("AAA", "BBB"))
    assert (finding.offset, finding.ahead) == ("uses t+1", 1)
    assert finding.date == finding.cutoff == report.cutoffs[0]
    assert "LEAK - 1 of 1 columns, 40 cutoffs" in report.summary()
    with pytest.raises(LeakageError, match=r"x: the value of AAA on 20\d\d-\d\d-\d\d changes when"):
        report.require()


@pytest.mark.parametrize(
    ("function", "offset"),
    [
        (lambda close: close.shift(-5), "uses t+5"),
        (lambda close: close.rolling(7, center=True).mean(), "uses t+3"),
        (lambda close: close.shift(-1) > close, "uses t+1"),
        (lambda close: close - close.mean(), "uses the whole sample"),
        # Now and then a run leaves the first ranks as they were.
        (lambda close: (close.rank(pct=True) * 10).round(), "uses the whole sample"),
    ],
)
def test_the_offset_is_inferred(walks, function, offset):
    """How far ahead a column looks is read off the first bad rows."""
    assert probe_leaks(feature(function), walks, cutoffs=12).findings[0].offset == offset


def test_the_sentence_names_value_date_and_change(walks):
    """And how far ahead the column looks."""
    finding = probe_leaks(feature(lambda close: close.shift(-1)), walks, cutoffs=["2023-02-15"]).findings[0]
    assert str(finding) == (
        "x: the value of AAA on 2023-02-15 changes when the future after 2023-02-15 is mirrored (uses t+1)"
    )


def test_the_same_seed_gives_the_same_report(walks):
    """And another seed other cutoffs."""
    build = feature(lambda close: close.bfill().shift(-2))
    assert probe_leaks(build, walks, 8, 3) == probe_leaks(build, walks, 8, 3)
    assert probe_leaks(build, walks, 8, 3).cutoffs != probe_leaks(build, walks, 8, 4).cutoffs


def test_the_kits_own_features_and_targets_are_honest(walks):
    """The features pass; the target passes with its horizon, and not with a shorter one."""
    assert probe_leaks(build_features, walks, 8).require().passed
    assert probe_leaks(lambda p: build_target(p, 5), walks, 8, horizon=5).passed
    finding = probe_leaks(lambda p: build_target(p, 5), walks, 8, horizon=4).findings[0]
    assert finding.offset == "uses t+5"
    assert "more than the declared horizon of 4" in finding.message


def test_a_training_table_may_leave_out_rows_whose_target_is_not_known(walks):
    """The horizon is for the target alone; the rows it costs are forgiven."""

    def table(prices):
        return training_table(build_features(prices), prices, 5)

    assert probe_leaks(table, walks, 5, horizon=5).passed
    assert not probe_leaks(table, walks, 5).passed
    assert probe_leaks(table, walks, 5, horizon={"target": 5}).passed


@pytest.mark.parametrize("name", ["y", "label", "target_5d", "fwd_ret"])
def test_a_horizon_is_for_the_column_that_is_named_like_a_target(walks, name):
    """A feature beside it may not look ahead, and numbers of numpy are numbers."""

    def table(prices, ahead):
        later = prices.groupby("symbol")["close"].shift(-5)
        return prices[KEYS].assign(x=later if ahead else prices["close"], **{name: later})

    horizon = np.int64(5)
    assert probe_leaks(lambda p: table(p, ahead=False), walks, 5, np.int64(1), horizon=horizon).passed
    report = probe_leaks(lambda p: table(p, ahead=True), walks, 5, horizon=horizon)
    assert [finding.column for finding in report.findings] == ["x"]


def test_a_horizon_for_several_columns_is_noted(walks):
    """No column is named like a target, so a feature among them would pass."""

    def table(prices):
        later = prices.groupby("symbol")["close"].shift(-5)
        return prices[KEYS].assign(momentum=later, z=later)

    report = probe_leaks(table, walks, 5, horizon=5)
    assert report.passed
    assert report.notes == (
        (
            "all 2 columns may look 5 ahead, for none is named target; if one is a feature, name the target: "
            "horizon={'z': 5}"
        ),
    )
    assert not probe_leaks(table, walks, 5, horizon={"z": 5}).passed


@pytest.mark.parametrize(
    ("build", "leaks"),
    [
        (lambda p: _daily(p).bfill(), True),
        (lambda p: _daily(p).ffill(), False),
        (lambda p: _daily(p).asfreq("W-SUN", method="ffill"), False),  # no row at all on the shortest history
        (lambda p: p.assign(date=p["date"] + pd.Timedelta(hours=16), x=_ahead(p))[[*KEYS, "x"]], True),
        (lambda p: p.assign(date=p["date"] + pd.Timedelta(hours=16))[[*KEYS, "close"]], False),
    ],
    ids=["bfilled weekends", "ffilled weekends", "ffilled Sundays", "evenings from tomorrow", "evenings"],
)
def test_values_between_two_sessions_are_judged(walks, build, leaks):
    """A weekend or an evening knows no more than the session before it."""
    report = probe_leaks(build, walks, 10)
    assert report.passed is not leaks
    if leaks:
        assert report.findings[0].offset == "uses t+1"


def test_an_evening_after_the_bar_of_execution_knows_that_bar(walks):
    """The bar is unknown on its own date, and known on the next day."""
    published = lambda p: p.assign(date=p["date"] + pd.Timedelta(days=1))[[*KEYS, "close"]]  # noqa: E731 - short
    assert probe_leaks(published, walks, 10, execution="close").passed


@pytest.mark.parametrize(
    ("execution", "column", "leaks"),
    [
        ("next_open", "close", False),
        ("close", "close", True),
        ("close", "open", False),
        ("open", "open", True),
    ],
)
def test_the_bar_of_execution_is_unknown(walks, execution, column, leaks):
    """At the close only the open of the day is known, at the open nothing of the day."""
    report = probe_leaks(lambda p: p[[*KEYS, column]], walks, 6, execution=execution)
    assert report.passed is not leaks
    if leaks:
        assert report.findings[0].offset == "uses the bar of t itself"
        assert "from the bar of" in report.findings[0].message


@pytest.mark.parametrize("symbol", ["AAA", "BBB"])
def test_a_leak_in_one_symbol_is_pinned_to_it(walks, symbol):
    """The other symbol is not named."""

    def build(prices):
        ahead = prices.groupby("symbol")["close"].shift(-1)
        return prices[KEYS].assign(x=ahead.where(prices["symbol"] == symbol, prices["close"]))

    finding = probe_leaks(build, walks, 10).findings[0]
    assert (finding.symbol, finding.symbols) == (symbol, (symbol,))


@pytest.mark.parametrize(
    "when",
    [
        lambda d: (d + pd.offsets.BDay(1)).dt.month != d.dt.month,
        lambda d: (d + pd.offsets.BDay(1)).dt.year != d.dt.year,
        lambda d: d.dt.day_of_week == 2,
        lambda d: (d.dt.day_of_week == 4) & d.dt.day.between(15, 21),
        lambda d: d.dt.year == 2022,
    ],
    ids=["month ends", "the year's end", "Wednesdays", "third Fridays", "one year"],
)
def test_a_leak_that_shows_on_few_days_is_found(walks, when):
    """The cutoffs fall on such days."""

    def build(prices):
        ahead = prices.groupby("symbol")["close"].shift(-1).fillna(prices["close"])
        return prices[KEYS].assign(x=ahead.where(when(prices["date"]), prices["close"]))

    assert not probe_leaks(build, walks).passed


@pytest.mark.parametrize(
    "fill",
    [
        lambda s: s.rolling(20).mean().bfill(),
        lambda s: s.rolling(20).mean().bfill(limit=1),
        lambda s: s.rolling(120).mean().bfill(limit=1),
    ],
    ids=["all of it", "one day", "one day, later"],
)
@pytest.mark.parametrize("cutoffs", [5, 40])
def test_a_filled_warm_up_is_found(walks, fill, cutoffs):
    """One cutoff lies where a column has its first value; an honest one is the same there."""
    assert not probe_leaks(feature(fill), walks, cutoffs).passed
    assert probe_leaks(feature(lambda s: s.rolling(20, min_periods=1).mean()), walks, cutoffs).passed


@pytest.mark.parametrize(
    ("when", "cutoffs"),
    [
        (lambda p: (p["adj_close"] / p["close"]).groupby(p["symbol"]).pct_change() > 1e-3, 20),
        (lambda p: np.log(p["close"]).groupby(p["symbol"]).diff().abs() >= 0.0408, 40),
        (lambda p: np.log(p["volume"]).groupby(p["symbol"]).diff().abs() >= 3.19, 40),
    ],
    ids=["dividends", "moves of the close", "moves of the volume"],
)
def test_a_leak_on_rare_events_is_found(walks, when, cutoffs):
    """The cutoffs fall on them too, with any seed."""

    def build(prices):
        return prices[KEYS].assign(x=_ahead(prices).where(when(prices), prices["close"]))

    assert 1 < when(walks).sum() < 20
    assert all(not probe_leaks(build, walks, cutoffs, seed).passed for seed in range(3))


@pytest.mark.parametrize("trace", [1e-6, 1e-9])
def test_a_trace_is_found_and_rounding_is_not(walks, trace):
    """A billionth of tomorrow is more than what summing in another order leaves behind."""
    assert not probe_leaks(feature(lambda s: s + trace * s.shift(-1).fillna(s)), walks, 10).passed

    def running(prices):
        sums = (
            prices["close"].to_numpy().cumsum()
        )  # over all symbols: the future of one is in the sums of the next
        means = np.full(len(sums), np.nan)
        means[20:] = (sums[20:] - sums[:-20]) / 20
        return prices[KEYS].assign(x=np.where(prices.groupby("symbol").cumcount() >= 20, means, np.nan))

    assert probe_leaks(running, walks, 10).passed


def _random(prices):
    return prices[KEYS].assign(x=np.random.normal(size=len(prices)), y=prices["close"])  # noqa: NPY002 - unseeded on purpose


def _counting():
    calls = []

    def build(prices):
        calls.append(1)
        return prices[KEYS].assign(x=prices["close"] * len(calls))

    return build


def _ticking():
    ticks = itertools.count()
    return lambda prices: prices[KEYS].assign(x=next(ticks))


@pytest.mark.parametrize("build", [_random, _counting(), _ticking()], ids=["random", "counting", "ticking"])
def test_a_column_that_is_not_deterministic_is_a_finding_and_no_leak(walks, build):
    """The other columns are judged."""
    report = probe_leaks(build, walks, 6)
    assert [(f.column, f.mode, f.is_leak) for f in report.findings] == [("x", NOT_DETERMINISTIC, False)]
    assert report.leaks == ()
    assert "NOT DETERMINISTIC" in report.summary()
    with pytest.raises(ConfigurationError, match="not deterministic: two calls on the same prices differ"):
        report.require()


def test_a_function_may_raise_on_short_histories(walks):
    """A note says so; the other runs count."""

    def build(prices):
        if len(prices) < 300:
            message = "too short"
            raise ValueError(message)
        return honest(prices)

    report = probe_leaks(build, walks, 10)
    assert report.passed
    assert "the function raised in" in report.notes[0]
    assert "ValueError: too short" in report.notes[0]


def test_a_function_that_raises_on_every_change_does_not_pass(walks):
    """A probe that compared nothing must not pass."""
    first = len(walks)

    def build(prices):
        if not prices.equals(walks.head(first)):
            message = "not mine"
            raise ValueError(message)
        return honest(prices)

    with pytest.raises(ConfigurationError, match="could compare nothing: the function raised in"):
        probe_leaks(build, walks, 5)


def test_a_function_may_change_its_input(walks):
    """Each run gets a copy, and the user's prices stay."""
    before = walks.copy()

    def build(prices):
        prices["x"] = prices.groupby("symbol")["close"].pct_change()
        return prices[[*KEYS, "x"]]

    report = probe_leaks(build, walks, 5)
    assert report.passed
    assert report.notes == ("the function changes the prices it is given; each run got a copy",)
    pd.testing.assert_frame_equal(walks, before)


async def _later(prices):
    return honest(prices)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda p: 1 / (len(p) - len(p)), "raised ZeroDivisionError: .* on the unchanged prices"),
        (lambda _: None, "the function returned NoneType"),
        (lambda _: [1.0, 2.0], r"returned list of shape \(2,\)"),
        (lambda p: honest(p).groupby("symbol").tail(1), "no value up to the last cutoff"),
        (
            lambda _: pd.DataFrame({"x": [1.0] * 700}, index=range(5, 705)),
            "their index is not that of the prices",
        ),
        (lambda _: sys.exit(0), "raised SystemExit: 0 on the unchanged prices"),
        (lambda p: p.groupby("symbol"), "the function returned DataFrameGroupBy"),
        (lambda p: honest(p)[["x"]].dropna().reset_index(drop=True), "not that of the prices; keep"),
        (lambda p, window: p.rolling(window), r"missing a required argument: 'window'.* functools.partial"),
        (_later, "_later is async; the leak probe needs a plain function"),
        ("close", "a function of prices, not str"),
    ],
)
def test_what_cannot_be_judged_is_refused(walks, build, text):
    """With what was found and what to return instead."""
    with pytest.raises(ConfigurationError, match=text):
        probe_leaks(build, walks, 5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"cutoffs": 0}, "at least one cutoff, got 0"),
        ({"cutoffs": []}, "at least one cutoff, got 0"),
        ({"cutoffs": "2023-01-03"}, "a number of cutoffs, or a list of dates"),
        ({"cutoffs": True}, "cutoffs is True"),
        ({"cutoffs": ["soon"]}, "cannot be read"),
        ({"cutoffs": ["1999-01-01"]}, "1999-01-01 leaves no past or no future"),
        ({"cutoffs": ["2030-01-01"]}, "the prices go from 2022-06-01"),
        ({"seed": -1}, "seed is -1"),
        ({"horizon": -1}, "horizon is -1"),
        ({"horizon": {"z": 1}}, "horizon names the column 'z'"),
        ({"horizon": 10**6}, "x may look 1000000 sessions ahead, but has no value that long before"),
        ({"execution": "Close"}, "Did you mean 'close'"),
        ({"execution": ["close"]}, "execution is"),
        ({"tolerance": None}, "tolerance is None"),
        ({"tolerance": 2.0}, "tolerance is 2.0"),
    ],
)
def test_a_wrong_argument_is_refused(walks, arguments, text):
    """The message names it."""
    with pytest.raises(ConfigurationError, match=text):
        probe_leaks(honest, walks, **arguments)


@pytest.mark.parametrize(
    ("prices", "text"),
    [
        (None, "a frame of prices, not NoneType"),
        (pd.DataFrame(), "not an empty one"),
        (pd.DataFrame({"close": [1.0, 2.0]}), "no complete dates"),
        (pd.DataFrame({"date": ["x"], "close": [1.0]}), "cannot be read"),
    ],
)
def test_prices_that_cannot_be_probed_are_refused(prices, text):
    """There must be dates."""
    with pytest.raises(ConfigurationError, match=text):
        probe_leaks(honest, prices)


def test_too_few_sessions_are_refused_as_data():
    """There must be enough of them for a past and a future; that is the data's fault, and exit code 3."""
    prices = pd.DataFrame({"date": pd.bdate_range("2024-01-01", periods=5), "close": 1.0})
    with pytest.raises(DataValidationError, match="at least 10 sessions, got 5; load") as error:
        probe_leaks(honest, prices)
    assert error.value.exit_code == 3


def test_every_session_can_be_tried():
    """As many cutoffs as sessions finds a leak of one single day."""
    dates = pd.bdate_range("2024-01-01", periods=30)
    prices = pd.DataFrame({"date": dates, "close": np.arange(30.0) + 1})

    def build(frame):
        return frame["close"].shift(-1).where(frame["date"] == dates[17], frame["close"])

    report = probe_leaks(build, prices, cutoffs=1000)
    assert [finding.date for finding in report.findings] == ["2024-01-24"]
