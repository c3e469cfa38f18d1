"""Predictions and forecasts that no gate should let through, and honest ones that look odd."""

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards

pytestmark = pytest.mark.unit


@pytest.fixture
def predictions():
    """Two symbols, 200 sessions each in four folds, with intervals that hold nine outcomes of ten."""
    rng = np.random.default_rng(3)
    dates = pd.bdate_range("2022-01-03", periods=200)
    parts = []
    for symbol in ("AAA", "BBB"):
        predicted = rng.normal(0, 0.002, 200)
        parts.append(
            pd.DataFrame(
                {
                    "symbol": symbol,
                    "date": dates,
                    "horizon": 1,
                    "model": "ridge",
                    "fold": np.arange(200) // 50,
                    "predicted": predicted,
                    "actual": rng.normal(0, 0.02, 200),
                    "lower": predicted - 0.033,
                    "upper": predicted + 0.033,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def forecasts():
    """One forecast for each of three symbols."""
    predicted = np.array([0.001, -0.002, 0.0005])
    return pd.DataFrame(
        {
            "symbol": ["AAA", "BBB", "CCC"],
            "date": pd.Timestamp("2024-03-01"),
            "horizon": 1,
            "model": "ridge",
            "predicted": predicted,
            "lower": predicted - 0.03,
            "upper": predicted + 0.03,
        }
    )


def caught(frame, suite):
    """Return the critical expectations that fail."""
    return {failure.expectation for failure in guards.validate(frame, suite).critical}


def test_honest_predictions_and_forecasts_pass(predictions, forecasts):
    """Nothing is wrong with either."""
    assert caught(predictions, "predictions") == set()
    assert caught(forecasts, "forecasts") == set()


def test_predictions_that_know_what_came_true_are_refused(predictions):
    """A correlation of nearly one with the outcome is a leak, not skill."""
    known = predictions["actual"] + 1e-4
    frame = predictions.assign(predicted=known, lower=known - 0.033, upper=known + 0.033)
    assert caught(frame, "predictions") == {"expect_outcomes_not_foreseen"}


def test_the_mean_of_what_compares_symbols_may_be_zero_throughout(predictions):
    """It is zero by construction; the mean of returns, or another model, that says the same is refused."""
    same = predictions.assign(predicted=0.0, lower=-0.033, upper=0.033, model="mean")
    assert caught(same.assign(target="market_excess"), "predictions") == set()
    assert caught(same, "predictions") == {"expect_predictions_to_vary"}
    ridge = same.assign(target="market_excess", model="ridge")
    assert caught(ridge, "predictions") == {"expect_predictions_to_vary"}


def test_a_symbol_whose_predictions_stand_still_is_refused(predictions):
    """For 120 sessions in three folds AAA says the same, while BBB goes on."""
    frame = predictions.copy()
    frame.loc[20:139, ["predicted", "lower", "upper"]] = [0.001, -0.032, 0.034]
    result = guards.validate(frame, "predictions")
    assert [failure.expectation for failure in result.critical] == ["expect_predictions_to_vary"]
    assert (
        "model ridge, horizon 1: AAA has the same prediction 120 sessions in a row"
        in result.critical[0].message
    )


def test_a_model_that_found_nothing_in_a_fold_may_say_the_same_throughout(predictions):
    """Shrunk to a constant in each fold, for each symbol another."""
    means = predictions.groupby(["symbol", "fold"])["predicted"].transform("mean")
    frame = predictions.assign(predicted=means, lower=means - 0.033, upper=means + 0.033)
    frame.loc[frame["symbol"] == "BBB", "predicted"] = predictions["predicted"]
    frame["lower"], frame["upper"] = frame["predicted"] - 0.033, frame["predicted"] + 0.033
    long_folds = frame.assign(fold=np.tile(np.arange(200) // 100, 2))
    assert caught(long_folds, "predictions") == set()


def test_a_fold_that_predicts_more_than_ever_moves_is_refused(predictions):
    """Fifty times too large, yet within ten standard deviations of the outcomes."""
    frame = predictions.copy()
    rows = frame["fold"] == 3
    frame.loc[rows, ["predicted", "lower", "upper"]] *= 25
    assert "expect_predictions_in_scale" in caught(frame, "predictions")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"lower": -1.9, "upper": 1.9}, "expect_predictions_in_scale"),
        ({"horizon": 1.5}, "expect_whole_numbers"),
        ({"model": ""}, "expect_column_values_to_match_regex"),
        ({"model": 3}, "expect_column_values_to_be_in_type_list"),
        ({"actual": 0.01}, "expect_features_to_vary"),
        ({"horizon": 100_000}, "expect_column_values_to_be_between"),
    ],
)
def test_values_that_say_nothing_are_refused(predictions, change, kind):
    """An interval of everything, parts of a session, a model without a name, outcomes that never vary."""
    assert kind in caught(predictions.assign(**change), "predictions")


def test_intervals_without_width_are_refused(predictions, forecasts):
    """Lower, predicted and upper are one number, or all but one."""
    for width in (0.0, 1e-9):
        narrow = predictions.assign(
            lower=predictions["predicted"] - width, upper=predictions["predicted"] + width
        )
        assert "expect_intervals_to_hold_outcomes" in caught(narrow, "predictions")
        narrow = forecasts.assign(
            lower=forecasts["predicted"] - width / 2, upper=forecasts["predicted"] + width / 2
        )
        assert "expect_forecasts_in_scale" in caught(narrow, "forecasts")


def test_a_horizon_with_hardly_a_row_is_refused(predictions):
    """One row of another horizon was mixed in."""
    frame = predictions.copy()
    frame.loc[9, "horizon"] = 2
    result = guards.validate(frame, "predictions")
    assert [failure.expectation for failure in result.critical] == ["expect_enough_rows_in_each_group"]
    assert "model ridge, horizon 2: 1 row." in result.critical[0].message


def test_outcomes_of_another_symbol_are_refused(predictions):
    """BBB bears the outcomes of AAA."""
    frame = predictions.copy()
    frame.loc[200:, "actual"] = frame.loc[:199, "actual"].to_numpy()
    assert caught(frame, "predictions") == {"expect_symbols_to_differ"}


def test_a_forecast_from_an_earlier_day_is_refused_and_named(forecasts):
    """BBB was not renewed."""
    frame = forecasts.assign(
        date=forecasts["date"].where(forecasts["symbol"] != "BBB", pd.Timestamp("2024-02-29"))
    )
    result = guards.validate(frame, "forecasts")
    assert [failure.expectation for failure in result.critical] == ["expect_one_date_in_each_group"]
    assert [row["symbol"] for row in result.critical[0].rows] == ["BBB"]


def test_forecasts_may_grow_with_the_root_of_their_horizon(forecasts):
    """A fifth is too much for a session and nothing odd for a year."""
    large = forecasts.assign(predicted=0.2, lower=-0.3, upper=0.7)
    assert caught(large, "forecasts") == {"expect_forecasts_in_scale"}
    assert caught(large.assign(horizon=250), "forecasts") == set()
