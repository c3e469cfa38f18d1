"""The splits: what they leave out, and that every session after the first block is tested once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.folds import fold_rows, splits

pytestmark = pytest.mark.unit

DAYS = pd.bdate_range("2000-01-03", periods=400, unit="us")


def table(horizon, gaps=()):
    """Return decisions of two symbols, the second of which misses the sessions in `gaps`."""
    parts = []
    for symbol, days in (("A", DAYS), ("B", DAYS.delete(list(gaps)))):
        known = pd.Series(days).shift(-horizon)
        parts.append(pd.DataFrame({"symbol": symbol, "date": days, "known": known}))
    return pd.concat(parts).dropna().sort_values("date", kind="stable", ignore_index=True)


def test_literal_folds():
    """Ten sessions, three to begin with, a horizon of two, four to a block."""
    folds = splits(DAYS[:10], 2, min_train=3, refit_every=4)
    assert [(f.number, f.train_start, f.train_end, f.test_start, f.test_end) for f in folds] == [
        (0, DAYS[0], DAYS[2], DAYS[5], DAYS[8]),
        (1, DAYS[0], DAYS[6], DAYS[9], DAYS[9]),
    ]
    three, four = np.array([3, 4])
    assert splits(DAYS[:10], 2, min_train=three, refit_every=four) == folds


def test_literal_rolling_folds_with_an_embargo():
    """The same with a window of four and one more session left out."""
    folds = splits(DAYS[:12], 2, min_train=3, refit_every=4, window=4, embargo=1)
    assert [(f.train_start, f.train_end, f.test_start, f.test_end) for f in folds] == [
        (DAYS[0], DAYS[2], DAYS[6], DAYS[9]),
        (DAYS[3], DAYS[6], DAYS[10], DAYS[11]),
    ]


@given(
    st.integers(1, 400), st.integers(1, 40), st.integers(1, 120), st.integers(1, 120),
    st.integers(0, 20), st.none() | st.integers(0, 200),
)  # fmt: skip
def test_folds_purge_and_cover(  # noqa: PLR0913, PLR0917 - every number of a walk
    sessions, horizon, min_train, refit_every, embargo, more
):
    """Targets end before their test block, and the blocks cover the rest once, to the end."""
    days, window = DAYS[:sessions], None if more is None else min_train + more
    options = {"min_train": min_train, "refit_every": refit_every, "window": window, "embargo": embargo}
    needed = min_train + horizon + embargo + 1
    if sessions < needed:
        with pytest.raises(ModelTrainingError, match=f"^{sessions} sessions .* take {needed} or more"):
            splits(days, horizon, **options)
        return
    position = {day: number for number, day in enumerate(days)}
    tested = []
    for fold in splits(days, horizon, **options):
        start, end, first, last = (
            position[day] for day in (fold.train_start, fold.train_end, fold.test_start, fold.test_end)
        )
        assert end + horizon + embargo == first - 1
        assert min_train <= end - start + 1 <= (window or sessions)
        assert window is None or end + 1 < window or end - start + 1 == window
        tested += range(first, last + 1)
    assert tested == list(range(needed - 1, sessions))


@given(
    st.integers(1, 30),
    st.integers(5, 60),
    st.none() | st.integers(0, 50),
    st.sets(st.integers(0, 399), max_size=60),
)
def test_no_training_target_touches_the_test(horizon, refit_every, more, gaps):
    """For any missing sessions, training targets are known before the test, and each row is tested once."""
    rows = table(horizon, sorted(gaps))
    window = None if more is None else 50 + more
    folds = splits(rows["date"], horizon, min_train=50, refit_every=refit_every, window=window)
    tested = []
    for fold in folds:
        train, test = fold_rows(fold, rows)
        assert len(test)
        assert (rows["known"].iloc[train] < rows["date"].iloc[test].min()).all()
        tested += test.tolist()
    assert len(tested) == len(set(tested))
    assert set(tested) == set(np.flatnonzero(rows["date"] >= folds[0].test_start))


def test_the_order_and_number_of_dates_do_not_matter():
    """Dates of many symbols, in any order, give the same folds."""
    assert splits([*DAYS[::-1], *DAYS], 1) == splits(DAYS, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_train": 0}, {"refit_every": 0}, {"min_train": 1.5}, {"horizon": 0},
        {"window": 0}, {"window": 1.0}, {"embargo": -1}, {"embargo": True},
    ],
)  # fmt: skip
def test_a_walk_needs_whole_numbers(wrong):
    """The message names the argument; a window must hold the first training block."""
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} is"):
        splits(DAYS, **{"horizon": 1, **wrong})
    with pytest.raises(ConfigurationError, match="window is 100, min_train 252"):
        splits(DAYS, 1, window=100)
