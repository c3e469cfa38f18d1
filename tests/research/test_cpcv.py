"""Combinatorial purged cross-validation: every split is clean, every path whole."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.cpcv import combinatorial_splits, cross_validate, paths
from sta410kit.research.estimation import labelled
from sta410kit.research.features import build_features
from sta410kit.research.models import make_model

pytestmark = pytest.mark.unit

DAYS = pd.bdate_range("2000-01-03", periods=240, unit="us")


def table(horizon, gaps=()):
    """Return decisions of two symbols, the second of which misses the sessions in `gaps`."""
    parts = [
        pd.DataFrame({"date": days, "known": pd.Series(days).shift(-horizon)})
        for days in (DAYS, DAYS.delete(list(gaps)))
    ]
    return pd.concat(parts).dropna().reset_index(drop=True)


def test_literal_splits():
    """Twelve sessions in three groups, horizon one: what touches the middle group is left out."""
    rows = table(1).drop_duplicates().head(12)
    first, middle, last = combinatorial_splits(rows, 1, groups=3, test_groups=1)
    assert middle.groups == (1,)
    assert middle.test.tolist() == [4, 5, 6, 7]
    assert middle.train.tolist() == [0, 1, 2, 10, 11]  # 3 ends in 4; 8 is the last outcome, 9 the embargo
    assert first.train.tolist() == [6, 7, 8, 9, 10, 11]
    assert last.train.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_literal_paths():
    """Four groups, two tested: six splits make three paths."""
    assert paths(4, 2).tolist() == [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]


@given(st.integers(2, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_paths_use_every_split_once_for_each_group_it_tests(shape):
    """There are as many paths as theory says, and each holds each group from a split that tested it."""
    groups, tested = shape
    found = paths(groups, tested)
    assert found.shape == (comb(groups - 1, tested - 1), groups)
    chosen = list(combinations(range(groups), tested))
    pairs = {(split, group) for row in found.tolist() for group, split in enumerate(row)}
    assert pairs == {(number, group) for number, each in enumerate(chosen) for group in each}
    assert len(pairs) == found.size


@given(
    st.integers(1, 15),
    st.integers(2, 6),
    st.integers(0, 10),
    st.sets(st.integers(0, 239), max_size=40),
    st.data(),
)
def test_no_window_of_training_touches_one_of_the_test(horizon, groups, embargo, gaps, data):
    """From decision to outcome no training row overlaps a tested one, and the embargo is kept."""
    tested = data.draw(st.integers(1, groups - 1))
    rows = table(horizon, sorted(gaps))
    try:
        splits = combinatorial_splits(rows, horizon, groups=groups, test_groups=tested, embargo=embargo)
    except ModelTrainingError as error:
        assert "leave nothing to train on" in str(error)  # noqa: PT017 - a rare and honest ending
        return
    days = np.sort(rows["date"].unique())
    dates = np.searchsorted(days, rows["date"].to_numpy())
    known = np.searchsorted(days, rows["known"].to_numpy())
    times = np.zeros(len(rows))
    for split in splits:
        times[split.test] += 1
        assert not set(split.train) & set(split.test)
        for t in split.test[:: max(1, len(split.test) // 40)]:
            apart = (known[split.train] < dates[t]) | (dates[split.train] > known[t])
            assert apart.all()
        after = dates[split.train][:, None] - known[split.test].max()
        assert (after[after > 0] > embargo).all()
    assert (times == comb(groups - 1, tested - 1)).all()


def test_every_path_holds_every_row_once(walks, walk_features):
    """The frame has each decision on each path, with what really happened beside it."""
    found = cross_validate(walk_features, walks, groups=5, test_groups=2)
    rows = labelled(walk_features, walks, 1)
    assert found["path"].unique().tolist() == [0, 1, 2, 3]
    for _, path in found.groupby("path"):
        assert (path[["symbol", "date"]].to_numpy() == rows[["symbol", "date"]].to_numpy()).all()
        assert (path["actual"].to_numpy() == rows["target"].to_numpy()).all()
        assert np.isfinite(path["predicted"]).all()
    again = cross_validate(walk_features, walks, groups=5, test_groups=2, n_jobs=2)
    pd.testing.assert_frame_equal(found, again, check_exact=True)


def test_a_fold_is_fitted_on_its_training_rows(walks, walk_features):
    """The predictions of a split are those of a model fitted by hand on the rows it names."""
    found = cross_validate(walk_features, walks, horizon=3, groups=4, test_groups=1)
    rows = labelled(walk_features, walks, 3)
    split = combinatorial_splits(rows, 3, groups=4, test_groups=1)[2]
    x = rows.drop(columns=["symbol", "date", "target", "known"]).to_numpy()
    model = make_model("ridge").fit(x[split.train], rows["target"].to_numpy()[split.train])
    ours = found[found["fold"] == 2]["predicted"].to_numpy()
    assert ours == pytest.approx(model.predict(x[split.test]), rel=1e-9, abs=1e-15)


def test_noise_has_no_skill_on_any_path(simulate):
    """On random walks the paths scatter around nothing."""
    prices = simulate(700, seed=11)
    found = cross_validate(build_features(prices), prices)
    gains = found.groupby("path").apply(
        lambda p: 1 - ((p["actual"] - p["predicted"]) ** 2).sum() / (p["actual"] ** 2).sum()
    )
    assert len(gains) == 5
    assert (gains.abs() < 0.02).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"groups": 1, "test_groups": 1}, "groups is 1, test_groups 1"),
        ({"groups": 4, "test_groups": 4}, "groups is 4, test_groups 4"),
        ({"groups": 4.0}, "groups is 4.0"),
        ({"groups": 30, "test_groups": 15}, "155117520 fits"),
        ({"embargo": -1}, "embargo is -1"),
        ({"model": "regime"}, "regime learns from an unbroken past"),
    ],
)
def test_what_makes_no_sense_is_named(walks, walk_features, wrong, words):
    """Groups, embargo and models that cannot work are refused before any fit."""
    with pytest.raises(ConfigurationError, match=words):
        cross_validate(walk_features, walks, **wrong)


def test_too_short_a_past_is_named():
    """Too few sessions for the groups, or none left beside them, is said with the numbers."""
    with pytest.raises(ModelTrainingError, match=r"^20 sessions .* 6 groups take 66 or more"):
        combinatorial_splits(table(10)[:20], 10)
    with pytest.raises(ModelTrainingError, match=r"beside the groups \(0,\)"):
        combinatorial_splits(table(1), 1, groups=2, test_groups=1, embargo=200)
