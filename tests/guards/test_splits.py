"""A split is refused when training knows anything of the test."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit

from sta410kit.exceptions import ConfigurationError, LeakageError
from sta410kit.exit_codes import ExitCode
from sta410kit.guards import check_splits
from sta410kit.research.walk_forward import splits as kit_folds

pytestmark = pytest.mark.unit

DAYS = pd.bdate_range("2024-01-01", periods=60)


def kinds(report):
    return {finding.kind for finding in report.findings}


def panel(symbols=("AAA", "BBB"), days=DAYS):
    """Return the keys of a panel, sorted by symbol."""
    return pd.DataFrame({"symbol": np.repeat(symbols, len(days)), "date": np.tile(days, len(symbols))})


def by_date(dates, folds):
    """Return row masks of folds given as numbers of days."""
    return [tuple(dates.isin(DAYS[list(part)]).to_numpy() for part in fold) for fold in folds]


@pytest.mark.parametrize(
    ("gap", "horizon", "passed"), [(0, 1, False), (1, 1, True), (4, 5, False), (5, 5, True)]
)
def test_a_walk_forward_needs_a_gap_of_the_horizon(gap, horizon, passed):
    """A target known on the first test date is in the training data too early."""
    report = check_splits(TimeSeriesSplit(3, gap=gap), DAYS, horizon)
    assert report.passed is passed
    assert kinds(report) == (set() if passed else {"purge"})
    assert report.folds == 3


def test_the_finding_names_rows_and_what_to_do():
    """Fold, kind, how many rows, the first of them, and the sessions to leave out."""
    report = check_splits([(range(20), range(20, 30))], DAYS, 3)
    assert str(report.findings[0]) == (
        "fold 0, purge: 3 training row(s), first 2024-01-24: their targets reach into the test; "
        "leave out 3 session(s) before it (horizon 3)"
    )
    with pytest.raises(LeakageError, match="refused 1 of 1 folds") as error:
        report.require()
    assert error.value.exit_code is ExitCode.LEAK_FOUND
    assert "REFUSED" in report._repr_html_()
    assert '"color:' not in report._repr_html_()  # read in light and dark themes alike
    assert report.to_dict()["findings"][0]["rows"] == 3
    report = check_splits([(range(20), range(23, 30))], DAYS, np.int64(3))
    assert report.require() is report
    assert report.summary() == "split check: clean - 1 folds, 60 sessions, horizon 3, embargo 0"
    assert "<ul>" not in report._repr_html_()


@pytest.mark.parametrize(
    "splitter",
    [KFold(4, shuffle=True, random_state=0), ShuffleSplit(2, random_state=0)],
    ids=["k-fold", "shuffle"],
)
def test_a_shuffled_split_is_refused(splitter):
    """In every fold."""
    report = check_splits(splitter, DAYS, 1)
    assert {finding.fold for finding in report.findings} == set(range(report.folds))
    assert "shuffled" in kinds(report)


def test_training_after_the_test_is_refused():
    """As in a plain k-fold."""
    report = check_splits(KFold(3), DAYS, 1)
    assert kinds(report) == {"order", "purge"}
    assert "begins on 2024-01-01; train before it" in str(report.findings[0])


@pytest.mark.parametrize("as_dates", [True, False])
def test_an_overlapping_split_is_refused(as_dates):
    """The same rows in both."""
    train, test = range(31), range(30, 40)
    fold = (DAYS[list(train)], DAYS[list(test)]) if as_dates else (train, test)
    report = check_splits([fold], DAYS, 1)
    assert kinds(report) == {"overlap", "purge"}
    assert report.findings[0].rows == 1
    assert "train and test share sessions" in report.findings[0].message


def test_a_panel_is_split_by_date_and_not_by_symbol():
    """Masks by date pass; cutting the rows, or taking symbols apart, does not."""
    keys = panel()
    assert check_splits(by_date(keys["date"], [(range(20), range(23, 30))]), keys, 3).passed
    assert not check_splits(TimeSeriesSplit(3, gap=3), keys, 3).passed
    halves = GroupKFold(2).split(keys, groups=keys["symbol"])
    report = check_splits(halves, keys, 3)
    assert kinds(report) == {"overlap"}
    assert "train and test share sessions" in report.findings[0].message


def test_targets_are_counted_in_a_symbols_own_sessions():
    """Where a symbol misses sessions its target is known later than the calendar says."""
    keys = panel()
    gone = (keys["symbol"] == "BBB") & keys["date"].isin(DAYS[18:25])
    keys = keys[~gone].reset_index(drop=True)
    folds = by_date(keys["date"], [(range(18), range(24, 40))])
    report = check_splits(folds, keys, 3)
    assert [(f.symbol, f.kind, f.rows) for f in report.findings] == [("BBB", "purge", 3)]
    assert check_splits(folds, keys["date"], 3).passed
    assert not check_splits(folds, pd.MultiIndex.from_frame(keys), 3).passed
    assert not check_splits(folds, pd.MultiIndex.from_frame(keys, names=[None, None]), 3).passed


@pytest.mark.parametrize("huge", [60, 2**63 - 1, 10**30])
def test_a_horizon_beyond_all_data_leaves_nothing_to_train_on(huge):
    """However large; an embargo too."""
    assert [f.rows for f in check_splits([(range(20), range(55, 60))], DAYS, huge).findings] == [20]
    report = check_splits([(range(20), range(55, 60))], DAYS, 1, huge)
    assert [(f.kind, f.rows) for f in report.findings] == [("embargo", 20)]


def test_the_folds_of_the_kit_pass():
    """They leave out exactly the horizon."""
    days = pd.bdate_range("2020-01-01", periods=500)
    folds = kit_folds(days, 5)
    assert check_splits(folds, days, 5).require().folds == len(folds)
    assert not check_splits(folds, days, 6).passed


@pytest.mark.parametrize(
    "fold",
    [
        ([0, 1, 2], [5, 6]),
        (np.arange(3), np.arange(5, 7)),
        (pd.Index([0, 1, 2]), pd.Series([5, 6])),
        (DAYS[:3], list(DAYS[5:7])),
        (np.arange(60) < 3, pd.Series((np.arange(60) >= 5) & (np.arange(60) < 7))),
        (["2024-01-01", "2024-01-02", "2024-01-03"], ["2024-01-08", "2024-01-09"]),
    ],
)
def test_rows_come_as_positions_masks_or_dates(fold):
    """A gap of two sessions suffices for a horizon of two, not of three."""
    assert check_splits([fold], DAYS, 2).passed
    assert kinds(check_splits([fold], DAYS, 3)) == {"purge"}


@pytest.mark.parametrize(
    ("splits", "text"),
    [
        ([], "no folds"),
        (3, "int cannot split 60 rows .* give a splitter, or pairs"),
        ([3], "fold 0 is int"),
        ([(range(3), [99])], "the test rows of fold 0 name the position 99; there are 60 rows"),
        ([(np.ones(5, dtype=bool), range(3))], "5 truth values for 60 rows"),
        ([(["1999-01-01"], range(3))], "1999-01-01, which no row has"),
        ([(np.ones((2, 2)), range(3))], r"shape \(2, 2\)"),
        ([(["soon"], range(3))], "cannot be read"),
        ([([0.0, 1.0], range(3))], "they are numbers, as 0.0"),
        ([([10**30], range(3))], "the training rows of fold 0 cannot be read"),
        ([(range(3), [np.arange(5, 7), np.arange(9, 12)])], "the test rows of fold 0 cannot be read"),
        (GroupKFold(2), r"list\(splitter.split\(X, y, groups\)\)"),
        (TimeSeriesSplit(100), "cannot split 60 rows"),
    ],
)
def test_splits_that_cannot_be_read_are_refused(splits, text):
    """The message names the fold and the value."""
    with pytest.raises(ConfigurationError, match=text):
        check_splits(splits, DAYS, 1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((DAYS, 0), "horizon is 0"),
        ((DAYS, True), "horizon is True"),
        ((DAYS, 1, -1), "embargo is -1"),
        (([], 1), "not complete"),
        ((None, 1), "cannot be read"),
        (("2024-01-01", 1), "cannot be read"),
        ((range(60), 1), "they are numbers, as 0"),
        ((pd.DataFrame({"x": [1]}), 1), "not complete"),
        ((DAYS, 1.0), "horizon is 1.0"),
        ((["13/01/2024", "02/01/2024"], 1), "Time data 13/01/2024 is not ISO8601 format"),
        ((panel(["A", None]), 1), "the row of 2024-01-01 has no symbol: give one per row"),
    ],
)
def test_a_wrong_declaration_is_refused(arguments, text):
    """Horizon, embargo and dates."""
    with pytest.raises(ConfigurationError, match=text):
        check_splits([([0], [1])], *arguments)


def test_an_empty_side_is_a_finding():
    """Nothing can be said of such a fold."""
    report = check_splits([([], [1]), ([0], [])], DAYS, 1)
    assert [finding.message for finding in report.findings] == [
        "fold 0 has no training rows",
        "fold 1 has no test rows",
    ]


@given(st.integers(1, 30), st.integers(0, 12), st.integers(1, 10), st.integers(0, 6))
def test_a_walk_forward_passes_exactly_when_its_gap_is_wide_enough(train, gap, horizon, embargo):
    """Whatever the numbers: horizon plus embargo, no session less."""
    first = train + gap
    report = check_splits([(range(train), range(first, first + 5))], DAYS, horizon, embargo)
    assert report.passed is (gap >= horizon + embargo)


def by_hand(rows, train, test, horizon, embargo):
    """Return the kinds of findings by the words of the documentation, row by row."""
    sessions = sorted({day for _, day in rows})
    own = {symbol: sorted(day for other, day in rows if other == symbol) for symbol, _ in rows}

    def end(row):
        symbol, day = rows[row]
        return sessions.index(own[symbol][min(own[symbol].index(day) + horizon, len(own[symbol]) - 1)])

    if not train or not test:
        return {"empty"}
    start = [sessions.index(day) for _, day in rows]
    tested = {start[row] for row in test}
    found = {"overlap" for row in train if start[row] in tested}
    late = [start[row] for row in train if start[row] > min(tested) and start[row] not in tested]
    if late:
        found.add("shuffled" if min(late) < max(tested) else "order")
    for row in train:
        if start[row] >= min(tested):
            continue
        if any(start[row] < day <= end(row) for day in tested):
            found.add("purge")
        elif any(start[row] < day <= end(row) + embargo for day in tested):
            found.add("embargo")
    return found


@given(st.data())
def test_the_verdict_is_that_of_a_count_by_hand(data):
    """Symbols of unequal length with gaps, rows in any order, blocks and scattered rows."""
    spans = st.lists(st.integers(0, 15), min_size=1, max_size=16, unique=True)
    symbols = "ABC"[: data.draw(st.integers(1, 3))]
    rows = data.draw(st.permutations([(symbol, day) for symbol in symbols for day in data.draw(spans)]))
    if data.draw(st.booleans()):
        begin, gap, length = (data.draw(st.integers(low, high)) for low, high in ((0, 15), (0, 6), (1, 5)))
        test = [n for n, (_, day) in enumerate(rows) if begin + gap <= day < begin + gap + length]
        train = [n for n, (_, day) in enumerate(rows) if day < begin]
    else:
        train, test = (data.draw(st.lists(st.integers(0, len(rows) - 1))) for _ in "12")
    horizon, embargo = data.draw(st.integers(1, 20)), data.draw(st.integers(0, 8))
    keys = pd.DataFrame({"symbol": [s for s, _ in rows], "date": DAYS[[day for _, day in rows]]})
    report = check_splits([(train, test)], keys, horizon, embargo)
    assert kinds(report) == by_hand(rows, train, test, horizon, embargo)
