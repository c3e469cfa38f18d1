"""Argument checks of prices and predictions, and the panel of predictions."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research.frames import require_predictions, require_prices
from sta410kit.research.panel import read_panel
from tests.research.simulated import bars, make_predictions

pytestmark = pytest.mark.unit


@pytest.fixture
def four():
    return bars([10.0] * 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: f.assign(date=f["date"].dt.tz_localize("UTC")),
            r"convert it with .dt.tz_localize\(None\)",
        ),
        (lambda f: f.assign(date=f["date"].dt.date), "date of the prices holds object.* with pd.to_datetime"),
        (
            lambda f: f.assign(date=f["date"].dt.strftime("%Y-%m-%d")),
            "date of the prices holds str, not dates",
        ),
        (lambda f: f.assign(date=f["date"].where(f.index != 2)), "have no date in row 2; 1 such row"),
        (lambda f: f.assign(symbol=["A", None, "B", None]), "have no symbol in row 1; 2 such row"),
        (
            lambda f: f.astype({"symbol": "category"}),
            r"holds category, not text; convert it with .astype\(str\)",
        ),
        (lambda f: f.assign(symbol=7), "symbol of the prices holds int64, not text"),
        (
            lambda f: f.astype({"close": object}),
            r"close of the prices holds object.* with .astype\('float64'\)",
        ),
        (lambda f: f.astype({"close": str}), "close of the prices holds str, not plain numbers"),
        (lambda f: f.astype({"close": "Float64"}), "close of the prices holds Float64, not plain numbers"),
        (lambda f: f.astype({"volume": "int64[pyarrow]"}), "volume of the prices holds int64"),
        (lambda f: f.astype({"volume": bool}), "volume of the prices holds bool, not plain numbers"),
        (lambda f: pd.concat([f, f[["close"]]], axis=1), "have the column close more than once; drop"),
        (lambda f: f.set_index(["symbol", "date"]), r"in the index; make them columns with .reset_index\(\)"),
        (lambda f: f["close"], "The prices are a Series; give a DataFrame"),
        (lambda _: None, "The prices are a NoneType; give a DataFrame"),
    ],
)
def test_unsuitable_column_types_are_refused(four, change, words):
    """The message names the conversion to apply."""
    require_prices(four, DataValidationError)
    with pytest.raises(DataValidationError, match=words):
        require_prices(change(four), DataValidationError)


@pytest.mark.parametrize(
    ("change", "bounds", "words"),
    [
        (lambda f: f, True, r"lack the column\(s\) lower, upper"),
        (lambda f: f.astype({"date": str}), False, "date of the predictions holds str"),
        (lambda f: f.assign(horizon=0), False, r"horizon of the predictions is np.int64\(0\)"),
        (lambda f: f.assign(horizon="1d"), False, "horizon of the predictions is '1d'"),
        (lambda f: f.assign(model=None), False, "have no model in row 0; 4 such"),
        (lambda f: f.assign(symbol=7), False, "symbol of the predictions holds int64, not text"),
        (lambda f: f.assign(predicted="up"), False, "predicted of the predictions holds str, not numbers"),
    ],
)
def test_invalid_predictions_are_refused(four, change, bounds, words):
    """The message names the column; intervals are required only where they are used."""
    made = four[["symbol", "date"]].assign(horizon=1, model="mine", predicted=0.1, actual=0.2)
    require_predictions(made.astype({"symbol": "category"}), bounds=False)
    with pytest.raises(DataValidationError, match=words):
        require_predictions(change(made), bounds=bounds)


FOUR = make_predictions([0.01, -0.01, 0.0, 0.02], [0.02, 0.01, 0.03, 0.0], start="2012-01-02")


def test_rows_are_sorted_by_date_and_symbol():
    """Rows in any order are sorted by date and symbol."""
    frame = pd.concat(
        [make_predictions([3.0, 4.0], [0.3, 0.4], "B"), make_predictions([1.0, 2.0], [0.1, 0.2])]
    ).iloc[::-1]
    panel = read_panel(frame)
    assert panel.actual.tolist() == [0.1, 0.3, 0.2, 0.4]
    assert panel.predicted[:, 0].tolist() == [1.0, 3.0, 2.0, 4.0]
    assert panel.date_index.tolist() == [0, 0, 1, 1]
    assert panel.symbols == ("A", "B")
    assert panel.sums(panel.actual) == pytest.approx([0.4, 0.6])
    assert panel.means(panel.predicted).ravel() == pytest.approx([2.0, 3.0])
    assert panel.centred.actual == pytest.approx(panel.actual - [0.15, 0.35, 0.15, 0.35])


def test_models_are_compared_on_common_rows():
    """A row that one model did not predict is dropped for all."""
    panel = read_panel(pd.concat([FOUR, FOUR.iloc[1:].assign(model="other", predicted=0.5)]))
    assert panel.models == ("ridge", "other")
    assert panel.predicted.tolist() == [[-0.01, 0.5], [0.0, 0.5], [0.02, 0.5]]
    assert panel.actual.tolist() == [0.01, 0.03, 0.0]


def test_types_of_files_and_missing_intervals_are_accepted():
    """Categories, nullable numbers and time zones are read; folds and intervals may be missing."""
    frame = FOUR.astype({"symbol": "category", "model": "category", "predicted": "Float64"})
    frame["date"] = frame["date"].dt.tz_localize("UTC")
    for other in (
        frame,
        FOUR.drop(columns=["fold", "lower", "upper"]),
        FOUR.assign(lower=np.nan, upper=np.nan),
    ):
        panel = read_panel(other)
        assert panel.predicted.tolist() == [[0.01], [-0.01], [0.0], [0.02]]
        assert panel.actual.tolist() == [0.02, 0.01, 0.03, 0.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.head(0), "have no rows"),
        (lambda f: f.drop(columns=["actual", "model"]), "lack the column(s) model, actual"),
        (lambda f: f.assign(predicted=[0, np.nan, 0, 0]), "predicted of A 2012-01-03 is not a finite number"),
        (lambda f: f.assign(actual=np.inf), "actual of A 2012-01-02 is not a finite number; 4 such row(s)"),
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
        (lambda f: pd.concat([f, make_predictions([0], [1], model="b")]), "every model (ridge, b)"),
        (lambda f: pd.concat([f, f.assign(model="b", actual=f["actual"] + 1)]), "disagree on what happened"),
        (lambda f: f["actual"], "The predictions are a Series"),
        (lambda _: None, "The predictions are a NoneType"),
    ],
)  # fmt: skip
def test_predictions_without_a_meaningful_score_are_refused(change, words):
    """The message names the column, row or conflict."""
    with pytest.raises(DataValidationError) as caught:
        read_panel(change(FOUR))
    assert words in str(caught.value)
