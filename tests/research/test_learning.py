"""The learning curve: its trainings, its errors, and what it refuses."""

import numpy as np
import pytest

from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.learning import learning_curve
from sta410kit.research.models import make_model
from sta410kit.research.walk_forward import training_table

pytestmark = pytest.mark.unit


def test_trainings_double_up_to_all_the_past(walks, walk_features):
    """Half a year, a year, and all that lies a horizon before the test."""
    table = learning_curve(walk_features, walks, horizon=5)
    days = training_table(walk_features, walks, 5)["date"].nunique()
    assert table["sessions"].tolist() == [126, 252, int(days * 0.75) - 5]
    assert table["model"].unique().tolist() == ["ridge"]
    assert (table["rows"] == 2 * table["sessions"]).all()


def test_the_errors_are_those_of_a_fit_by_hand(walks, walk_features):
    """The last row is a fit on all but the last quarter, a session before it left out."""
    table = training_table(walk_features, walks, 1)
    days = np.sort(table["date"].unique())
    begin = int(len(days) * 0.75)
    train, test = table[table["date"] < days[begin - 1]], table[table["date"] >= days[begin]]
    names = [name for name in table.columns if name not in {"symbol", "date", "target"}]
    model = make_model("ridge", 42).fit(train[names].to_numpy(), train["target"].to_numpy())
    last = learning_curve(walk_features, walks).iloc[-1]
    for part, name in ((train, "train"), (test, "test")):
        error = ((part["target"] - model.predict(part[names].to_numpy())) ** 2).mean()
        assert last[name] == pytest.approx((error / (part["target"] ** 2).mean()) ** 0.5)


def test_naive_is_its_own_measure(walks, walk_features):
    """Naive has naive's error, in and out of sample."""
    table = learning_curve(walk_features, walks, model="naive", sessions=[200])
    assert table[["train", "test"]].to_numpy().tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    "wrong", [{"test_share": 0}, {"test_share": 1}, {"sessions": []}, {"sessions": [0]}, {"sessions": [9999]}]
)
def test_numbers_that_make_no_sense_are_refused(walks, walk_features, wrong):
    """The value and what it may be are in the message."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        learning_curve(walk_features, walks, **wrong)


def test_too_short_a_past_is_refused(walks, walk_features):
    """The message says how many sessions are missing."""
    with pytest.raises(ModelTrainingError, match=r"\d sessions before the test are too few; it takes 126"):
        learning_curve(walk_features, walks, test_share=0.9)


def test_a_model_of_series_sees_its_past_and_its_horizon(walks, walk_features):
    """The errors in the test are those of one fit for five sessions ahead that is given whole histories."""
    table = training_table(walk_features, walks, 5).sort_values("date", kind="stable")
    days = np.sort(table["date"].unique())
    begin = int(len(days) * 0.75)
    frame = table.set_index(["symbol", "date"])
    x, y = frame.drop(columns="target"), frame["target"]
    train = (table["date"] < days[begin - 5]).to_numpy()
    test = (table["date"] >= days[begin]).to_numpy()
    predicted = make_model("arima_boosting", 42, 5).fit(x[train], y[train].to_numpy()).predict(x)
    expected = (((y - predicted)[test] ** 2).mean() / (y[test] ** 2).mean()) ** 0.5
    last = learning_curve(walk_features, walks, model="arima_boosting", horizon=5).iloc[-1]
    assert last["test"] == pytest.approx(expected, rel=1e-9)


def test_no_training_outcome_lies_in_the_test(walks, walk_features):
    """A symbol that misses the 20 sessions before the test is trained without the rows that end in it."""
    days = np.sort(training_table(walk_features, walks, 5)["date"].unique())
    begin = int(len(days) * 0.75)
    missing = (walks["symbol"] == "S1") & walks["date"].isin(days[begin - 20 : begin])
    prices, features = walks[~missing], walk_features[~missing]
    last = learning_curve(features, prices, horizon=5).iloc[-1]
    # S0 trains on all sessions but the five before the test; S1 misses 20, and 5 more are known too late.
    assert last["rows"] == (begin - 5) + (begin - 20 - 5)
