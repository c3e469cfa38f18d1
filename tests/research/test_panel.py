"""What can be judged, and what is refused in words."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research.panel import read_panel

pytestmark = pytest.mark.unit


def made(predicted, actual, symbol="A", model="ridge", start="2012-01-02"):
    return pd.DataFrame(
        {
            "symbol": symbol,
            "date": pd.bdate_range(start, periods=len(actual), unit="us"),
            "horizon": 1,
            "model": model,
            "fold": 0,
            "predicted": predicted,
            "actual": actual,
            "lower": -1.0,
            "upper": 1.0,
        }
    )


FOUR = made([0.01, -0.01, 0.0, 0.02], [0.02, 0.01, 0.03, 0.0])


def test_rows_are_sorted_by_date_and_symbol():
    """Whatever the order of the frame, dates come in order and symbols within them."""
    frame = pd.concat([made([3.0, 4.0], [0.3, 0.4], "B"), made([1.0, 2.0], [0.1, 0.2])]).iloc[::-1]
    panel = read_panel(frame)
    assert panel.actual.tolist() == [0.1, 0.3, 0.2, 0.4]
    assert panel.predicted[:, 0].tolist() == [1.0, 3.0, 2.0, 4.0]
    assert panel.day.tolist() == [0, 0, 1, 1]
    assert panel.symbols == ("A", "B")
    assert panel.sums(panel.actual) == pytest.approx([0.4, 0.6])
    assert panel.means(panel.predicted).ravel() == pytest.approx([2.0, 3.0])
    assert panel.constant == pytest.approx([0.15, 0.35, 0.15, 0.35])


def test_models_meet_on_the_rows_they_share():
    """A row that one model did not predict is judged for none."""
    panel = read_panel(pd.concat([FOUR, FOUR.iloc[1:].assign(model="other", predicted=0.5)]))
    assert panel.models == ("ridge", "other")
    assert panel.predicted.tolist() == [[-0.01, 0.5], [0.0, 0.5], [0.02, 0.5]]
    assert panel.actual.tolist() == [0.01, 0.03, 0.0]


def test_categories_and_arrow_types_are_taken():
    """Types that files come back with make no difference."""
    frame = FOUR.astype({"symbol": "category", "model": "category", "predicted": "Float64"})
    frame["date"] = frame["date"].dt.tz_localize("UTC")
    assert read_panel(frame).predicted.tolist() == read_panel(FOUR).predicted.tolist()


def test_intervals_and_folds_are_not_asked_for():
    """Predictions made elsewhere have none, and a comparison does not look at them."""
    assert read_panel(FOUR.drop(columns=["fold", "lower", "upper"])).predicted.tolist() == [
        [0.01],
        [-0.01],
        [0.0],
        [0.02],
    ]
    assert read_panel(FOUR.assign(lower=np.nan, upper=np.nan)).actual.tolist() == [0.02, 0.01, 0.03, 0.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.head(0), "have no rows"),
        (lambda f: f.drop(columns=["actual", "model"]), "lack the column(s) model, actual"),
        (lambda f: f.assign(predicted=[0, np.nan, 0, 0]), "predicted of A 2012-01-03 is no number; 1 such"),
        (lambda f: f.assign(actual=np.inf), "actual of A 2012-01-02 is no number; 4 such row(s)"),
        (lambda f: f.assign(actual=1e200), "actual of A 2012-01-02 is too large for a log return; 4"),
        (lambda f: f.assign(actual="high"), "The column actual of the predictions holds"),
        (lambda f: f.assign(date=f["date"].dt.strftime("%Y-%m-%d")), "convert it with pd.to_datetime"),
        (lambda f: f.assign(date=f["date"].where(f["date"] != f["date"].max())), "have no date in row 3"),
        (lambda f: f.assign(symbol=["A", None, "A", "A"]), "have no symbol in row 1"),
        (lambda f: f.assign(horizon=[1, 1, 5, 5]), "mix horizon 1, 5"),
        (lambda f: f.assign(horizon=0), "horizon of the predictions is np.int64(0)"),
        (lambda f: f.assign(horizon=1.5), "horizon of the predictions is np.float64(1.5)"),
        (lambda f: f.assign(horizon="soon"), "horizon of the predictions is 'soon'"),
        (lambda f: pd.concat([f, f.tail(1)]), "hold A 2012-01-05 more than once"),
        (lambda f: pd.concat([f, made([0], [1], model="b", start="2020-01-01")]), "every model (ridge, b)"),
        (lambda f: pd.concat([f, f.assign(model="b", actual=f["actual"] + 1)]), "disagree on what happened"),
        (lambda f: f["actual"], "The predictions are a Series"),
        (lambda _: None, "The predictions are a NoneType"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused(change, words):
    """What would give a number without meaning is named."""
    with pytest.raises(DataValidationError) as caught:
        read_panel(change(FOUR))
    assert words in str(caught.value)
