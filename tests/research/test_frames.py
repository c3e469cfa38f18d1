"""What prices and predictions must be before anything is calculated from them."""

import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research.frames import require_predictions, require_prices

pytestmark = pytest.mark.unit


@pytest.fixture
def four():
    prices = dict.fromkeys(("open", "high", "low", "close", "adj_close"), 10.0)
    days = pd.bdate_range("2012-01-02", periods=4, unit="us")
    return pd.DataFrame({"symbol": "A", "date": days, **prices, "volume": 100})


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
def test_types_that_would_mislead_are_refused_with_what_to_type(four, change, words):
    """A type that the arithmetic trips over later, or drops rows for, is named at the door."""
    require_prices(four, DataValidationError)
    with pytest.raises(DataValidationError, match=words):
        require_prices(change(four), DataValidationError)


def test_predictions_are_asked_for_intervals_only_where_they_are_used(four):
    """Bounds are needed for coverage, and not for trading."""
    made = four[["symbol", "date"]].assign(horizon=1, model="mine", predicted=0.1, actual=0.2)
    require_predictions(made, bounds=False)
    with pytest.raises(DataValidationError, match=r"lack the column\(s\) lower, upper"):
        require_predictions(made)
    with pytest.raises(DataValidationError, match="date of the predictions holds str"):
        require_predictions(made.astype({"date": str}), bounds=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(horizon=0), r"horizon of the predictions is np.int64\(0\)"),
        (lambda f: f.assign(horizon="1d"), "horizon of the predictions is '1d'"),
        (lambda f: f.assign(model=None), "have no model in row 0; 4 such"),
        (lambda f: f.assign(symbol=7), "symbol of the predictions holds int64, not text"),
        (lambda f: f.assign(predicted="up"), "predicted of the predictions holds str, not numbers"),
    ],
)
def test_predictions_that_arithmetic_would_trip_over_are_refused(four, change, words):
    """By name, before a merge or a division fails on them."""
    made = four[["symbol", "date"]].assign(horizon=1, model="mine", predicted=0.1, actual=0.2)
    with pytest.raises(DataValidationError, match=words):
        require_predictions(change(made), bounds=False)
    require_predictions(made.astype({"symbol": "category"}), bounds=False)
