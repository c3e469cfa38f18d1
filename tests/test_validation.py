"""The quick validators: what they accept, warn of and refuse, and that hostile input never gets through."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import DataQualityWarning, DataValidationError
from sta410kit.validation import COLUMNS, DataValidator, validate_data_for_training

pytestmark = pytest.mark.unit


@pytest.fixture
def prices():
    """Make ten sessions that break no rule."""
    close = np.arange(100.0, 110.0)
    return pd.DataFrame(
        {"Open": close, "High": close + 1, "Low": close - 1, "Close": close, "Volume": 1000},
        index=pd.bdate_range("2024-01-02", periods=10),
    )


def refused(check, *args, **kwargs):
    with pytest.raises(DataValidationError) as error:
        check(*args, **kwargs)
    return str(error.value)


def warned(check, *args, **kwargs):
    with pytest.warns(DataQualityWarning) as record:
        assert check(*args, **kwargs) is True
    return [str(one.message) for one in record]


class TestPrices:
    """validate_ohlcv_data."""

    check = staticmethod(DataValidator.validate_ohlcv_data)

    def test_good_prices_pass_and_stay_as_they_are(self, prices):
        before = prices.copy()
        assert self.check(prices, "AAPL") is True
        pd.testing.assert_frame_equal(prices, before)

    def test_missing_columns_are_named(self, prices):
        text = refused(self.check, prices.drop(columns=["Low", "Volume"]), "AAPL")
        assert text == "AAPL: Missing required columns: Low, Volume"

    @pytest.mark.parametrize("value", ["1.0", True, 1j, None, object()])
    def test_columns_must_be_numeric(self, prices, value):
        assert refused(self.check, prices.assign(Open=value)) == "these columns must be numeric: Open"

    @pytest.mark.parametrize("column", ["Open", "High", "Low", "Close"])
    @pytest.mark.parametrize("value", [0.0, -1.0])
    def test_prices_are_positive(self, prices, column, value):
        prices.loc[prices.index[[2, 5]], column] = value
        text = refused(self.check, prices, "AAPL")
        assert text == f"AAPL: Negative or zero prices in {column}: 2 of 10 rows, first at 2024-01-04"

    def test_high_is_not_below_low(self, prices):
        prices.loc[prices.index[3], "High"] = 1.0
        assert refused(self.check, prices) == "High < Low: 1 of 10 rows, first at 2024-01-05"

    def test_volume_is_not_negative(self, prices):
        prices.loc[prices.index[9], "Volume"] = -1
        assert refused(self.check, prices) == "Negative volume: 1 of 10 rows, first at 2024-01-15"

    @pytest.mark.parametrize("column", COLUMNS)
    def test_no_value_is_infinite(self, prices, column):
        prices = prices.astype(float)
        prices.loc[prices.index[0], column] = np.inf
        assert refused(self.check, prices).startswith(f"Infinite values in {column}: 1 of 10 rows")

    def test_a_column_without_any_value_is_refused(self, prices):
        assert refused(self.check, prices.assign(Close=np.nan)) == "Close holds no value at all"

    def test_more_than_a_tenth_missing_is_warned_of(self, prices):
        prices.loc[prices.index[[1, 4]], "Close"] = np.nan
        assert warned(self.check, prices, "X") == [
            "X: more than 10 % NaN in Close: 2 of 10 rows, first at 2024-01-03"
        ]

    @pytest.mark.parametrize("close", [1.0, 500.0])
    def test_a_close_outside_its_range_is_warned_of(self, prices, close):
        prices.loc[prices.index[4], "Close"] = close
        assert warned(self.check, prices) == ["Close outside [Low, High]: 1 of 10 rows, first at 2024-01-08"]

    def test_the_warning_points_to_the_caller(self, prices):
        prices.loc[prices.index[4], "Close"] = 1.0
        with pytest.warns(DataQualityWarning) as record:
            DataValidator.validate_ohlcv_data(prices)
        assert record[0].filename == __file__

    def test_nullable_and_decimal_free_numbers_are_numbers(self, prices):
        assert self.check(prices.astype({"Volume": "Int64", "Close": "Float64"})) is True


class TestContinuity:
    """validate_time_series_continuity."""

    check = staticmethod(DataValidator.validate_time_series_continuity)

    @pytest.mark.parametrize(
        ("index", "frequency"),
        [
            (pd.bdate_range("2024-01-05", periods=30), "D"),
            (pd.bdate_range("2024-01-05", periods=30), "B"),
            (pd.date_range("2024-01-05", periods=30), "D"),
            (pd.date_range("2024-01-05", periods=9, freq="W-FRI"), "W"),
            (pd.date_range("2024-01-31", periods=9, freq="ME"), "ME"),
            (pd.date_range("2024-01-05 09:30", periods=9, freq="h", tz="America/New_York"), "h"),
        ],
    )
    def test_a_whole_series_passes_and_a_hole_is_warned_of(self, index, frequency):
        assert self.check(pd.DataFrame({"x": 1}, index=index), "A", frequency) is True
        holed = pd.Series(1, index=index.delete(3))
        (text,) = warned(self.check, holed, "A", frequency)
        assert text.startswith("A: gaps: 1 expected times missing (market holidays count), first 2024-")

    def test_duplicates_and_disorder_are_warned_of(self):
        index = pd.DatetimeIndex(["2024-01-03", "2024-01-02", "2024-01-03"])
        assert warned(self.check, pd.Series(1, index=index), "A") == [
            "A: duplicate times: 1 of 3 rows, first at 2024-01-03",
            "A: times are out of order; sort with df.sort_index()",
        ]

    @pytest.mark.parametrize("index", [pd.RangeIndex(3), pd.Index(["2024-01-01", "b", "c"])])
    def test_the_index_is_one_of_times(self, index):
        assert "must be a DatetimeIndex, not " in refused(self.check, pd.Series(1, index=index))

    def test_unknown_times_and_empty_tables_are_refused(self):
        index = pd.DatetimeIndex(["2024-01-01", None])
        assert refused(self.check, pd.Series(1, index=index)) == (
            "the DatetimeIndex holds NaT: 1 of 2 rows, first at 1"
        )
        assert refused(self.check, pd.DataFrame(), "A") == "A: there are no rows"

    @pytest.mark.parametrize("frequency", ["", "nonsense", "0D", "-1D", None, 3, "ns"])
    def test_a_frequency_that_is_none_is_refused(self, frequency):
        index = pd.DatetimeIndex(["2000-01-01", "2024-01-01"])
        assert "expected_freq is" in refused(self.check, pd.Series(1, index=index), "A", frequency)

    def test_the_ends_of_time_are_no_traceback(self):
        index = pd.DatetimeIndex([pd.Timestamp.min.ceil("D"), pd.Timestamp.max.floor("D")]).as_unit("ns")
        assert "expected_freq" in refused(self.check, pd.Series(1, index=index), "", "YE")


class TestFeatures:
    """validate_features."""

    check = staticmethod(DataValidator.validate_features)

    def test_good_features_pass_beside_text(self):
        frame = pd.DataFrame({"symbol": "A", "date": pd.Timestamp("2024-01-02"), "x": np.arange(50.0)})
        assert self.check(frame) is True

    @pytest.mark.parametrize("dtype", [float, object])
    def test_infinite_values_are_refused(self, dtype):
        frame = pd.DataFrame({"x": pd.Series([1.0, -np.inf, 3.0], dtype=dtype)})
        assert refused(self.check, frame, "A") == "A: Infinite values in x: 1 of 3 rows, first at 1"

    def test_oddities_are_warned_of(self):
        wild = np.append(np.linspace(-1, 1, 99), 1e9)
        frame = pd.DataFrame(
            {"nan": [np.nan] * 2 + [1.0, 2.0] * 49, "same": 3.0, "wild": wild, "none": np.nan}
        )
        assert warned(self.check, frame, "A") == [
            "A: NaN in nan: 2 of 100 rows, first at 0",
            "A: zero variance: same is the same in all 100 rows",
            "A: extreme values in wild: 1 of 100 rows, first at 99",
            "A: NaN in none: 100 of 100 rows, first at 0",
        ]

    def test_nothing_to_check_is_refused(self):
        assert refused(self.check, pd.DataFrame({"a": ["x"]})) == "there is no numeric column to check"
        assert refused(self.check, pd.DataFrame({"a": [np.nan]})) == "there is no value, only NaN"

    def test_huge_values_do_not_overflow_into_a_traceback(self):
        assert self.check(pd.DataFrame({"a": [1e308, -1e308, 1e308, 0.0]})) is True


class TestPredictions:
    """validate_predictions."""

    check = staticmethod(DataValidator.validate_predictions)

    @pytest.mark.parametrize(
        "good",
        [
            [0.01, -0.02, 0.0],
            np.array([[0.01], [0.02]]),
            pd.Series([0.01, 0.02]),
            pd.DataFrame({"p": [0.01, 0.02]}),
            pd.Series([0.01, 0.02], dtype=object),
            [Decimal("0.01"), 0.02],
            pd.array([0.1, 0.2], dtype="Float64"),
            [0.5],
        ],
    )
    def test_good_predictions_pass_in_any_form(self, good):
        assert self.check(good) is True
        assert self.check(good, good) is True

    @pytest.mark.parametrize("missing", [np.nan, None, pd.NA])
    def test_nan_is_refused(self, missing):
        assert refused(self.check, [0.1, missing]) == "predictions hold NaN: 1 of 2 rows, first at 1"

    def test_infinity_is_refused_on_either_side(self):
        assert refused(self.check, [np.inf, 0.1]).startswith("predictions hold infinite values: 1 of 2")
        assert refused(self.check, [0.1], [-np.inf]).startswith("actuals hold infinite values")

    def test_oddities_are_warned_of(self):
        assert warned(self.check, [0.01, -3.0, 0.02]) == ["extreme predictions: 1 of 3 rows, first at 1"]
        assert warned(self.check, [0.01] * 5) == ["constant predictions: all 5 are 0.01"]
        assert warned(self.check, [0.01, 0.02], [0.3, np.nan]) == [
            "large deviation from actuals (more than 0.1): 1 of 2 rows, first at 0"
        ]
        assert self.check([0.01, 0.02], [0.3, 0.1], threshold=0.5) is True

    def test_many_wild_predictions_do_not_hide_each_other(self):
        """A fifth of them moves the mean, not the median that distances are taken from."""
        text = "extreme predictions: 20 of 100 rows, first at 80"
        assert warned(self.check, [*np.linspace(-0.01, 0.01, 80), *[0.9] * 20]) == [text]

    def test_lengths_agree_and_actuals_hold_something(self):
        assert refused(self.check, [0.1], [0.1, 0.2]) == "length mismatch: 1 predictions, 2 actuals"
        assert refused(self.check, [0.1], [None]) == "actuals hold no value, only NaN"

    @pytest.mark.parametrize("threshold", [-0.1, np.nan, "0.1", None, True])
    def test_the_threshold_is_a_length(self, threshold):
        assert "takes a number from 0 upwards" in refused(self.check, [0.1], threshold=threshold)


class TestTraining:
    """validate_data_for_training."""

    @pytest.fixture
    def data(self):
        rng = np.random.default_rng(7)
        return rng.normal(size=(120, 3)), rng.normal(size=120)

    def test_good_data_passes_without_a_word(self, data):
        features, target = data
        assert validate_data_for_training(features, target) == (True, [])
        assert validate_data_for_training(features.tolist(), target.reshape(-1, 1)) == (True, [])
        assert validate_data_for_training(pd.DataFrame(features), pd.Series(target)) == (True, [])

    def test_truth_values_are_features(self, data):
        features, target = data
        frame = pd.DataFrame(features).assign(monday=np.arange(120) % 5 == 0)
        assert validate_data_for_training(frame, target > 0) == (True, [])

    def test_lengths_agree(self, data):
        text = refused(validate_data_for_training, data[0], data[1][:90])
        assert text == "length mismatch: X has 120 rows, y has 90"

    @pytest.mark.parametrize("shape", [(120,), (2, 60, 1), ()])
    def test_features_are_two_dimensional(self, shape, data):
        text = refused(validate_data_for_training, np.ones(shape), data[1])
        assert text.startswith(f"X must be 2D, rows by features, not {len(shape)}D")

    def test_infinite_values_are_refused(self, data):
        features, target = data
        features[4, 1] = np.inf
        text = refused(validate_data_for_training, pd.DataFrame(features, columns=list("abc")), target)
        assert text == "infinite values in X column b: 1 of 120 rows, first at 4"
        assert "infinite values in y" in refused(validate_data_for_training, data[0][:3], [1, np.inf, 2])

    def test_variances_beyond_numbers_and_of_one_row(self):
        huge = validate_data_for_training([[1e200], [-1e200]], [1.0, 2.0])[1]
        assert huge[1] == "very high variance in X column 0: inf"
        assert validate_data_for_training([[1.0]], [1.0])[1] == ["small training set: 1 rows, fewer than 100"]

    def test_oddities_are_reported(self, data):
        features, target = data
        features[:, 0] = 5.0
        features[:, 1] *= 1e5
        features[0, 2] = np.nan
        ok, oddities = validate_data_for_training(features[:50], target[:50])
        assert ok is True
        assert [text.split(":")[0] for text in oddities] == [
            "small training set",
            "low variance in X column 0",
            "very high variance in X column 1",
            "NaN in X column 2",
        ]

    def test_rows_labelled_differently_are_reported(self, data):
        features, target = pd.DataFrame(data[0]), pd.Series(data[1])
        (text,) = validate_data_for_training(features, target.iloc[::-1])[1]
        assert text == "X and y have different row labels; they are matched by position"

    def test_nothing_is_refused(self):
        assert "X is empty (3 rows, 0 columns)" in refused(
            validate_data_for_training, np.ones((3, 0)), [1, 2, 3]
        )
        assert refused(validate_data_for_training, [[1.0]], []) == "y: empty"
        assert refused(validate_data_for_training, [[np.nan]], [1.0]) == "X or y holds no value, only NaN"
        assert refused(validate_data_for_training, [[1.0]], [np.nan]) == "X or y holds no value, only NaN"


HOSTILE = [
    None,
    "prices",
    b"prices",
    {},
    set(),
    object(),
    [],
    [[]],
    [[1], [1, 2]],
    ["1"],
    [1, "a"],
    [1j],
    [10**400],
    [np.datetime64("2020-01-01")],
    np.ones((2, 2, 2)),
    pd.DataFrame(),
    pd.DataFrame({"a": []}),
    pd.DataFrame([[1, 2]], columns=["a", "a"]).astype(object).assign(b="x"),
    pd.DataFrame({("a", name): ["x"] for name in COLUMNS}),
    pd.DataFrame({name: ["x"] for name in COLUMNS}),
    pd.DataFrame({name: [None] for name in COLUMNS}),
    pd.DataFrame({name: [np.nan] for name in COLUMNS}),
    pd.DataFrame({name: [np.inf] for name in COLUMNS}),
    pd.DataFrame({name: pd.Categorical(["x"]) for name in COLUMNS}),
    pd.DataFrame({name: pd.to_timedelta([1]) for name in COLUMNS}),
    pd.Series(["a"]),
    pd.period_range("2020", periods=3),
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "check",
    [
        DataValidator.validate_ohlcv_data,
        DataValidator.validate_time_series_continuity,
        DataValidator.validate_features,
        DataValidator.validate_predictions,
        lambda value: DataValidator.validate_predictions([0.1], value if value is not None else "none"),
        lambda value: validate_data_for_training(value, [1.0]),
        lambda value: validate_data_for_training([[1.0]], value),
    ],
)
def test_hostile_input_is_refused_and_nothing_else(check, value):
    """Whatever comes in, the answer is a DataValidationError."""
    assert refused(check, value)


def test_repeated_and_many_levelled_columns_are_named():
    """The two shapes of table that look right and are not."""
    twice = pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])
    assert refused(DataValidator.validate_features, twice, "A") == "A: duplicate column names: a"
    levels = pd.DataFrame({("a", "b"): [1.0]})
    assert "several levels" in refused(DataValidator.validate_features, levels)


@given(st.lists(st.floats(width=32) | st.none(), max_size=8))
def test_any_list_of_numbers_is_accepted_or_refused(values):
    """Predictions pass exactly when there are some and all are finite."""
    finite = bool(values) and all(value is not None and np.isfinite(value) for value in values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        if finite:
            assert DataValidator.validate_predictions(values) is True
        else:
            assert refused(DataValidator.validate_predictions, values)
