"""Features that stand still or know the target, and honest ones that only look so."""

import numpy as np
import pytest

from sta410kit import guards
from sta410kit.runner.frames import example_frame

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def training():
    """Training rows made from the embedded prices."""
    return example_frame("training")


def caught(frame):
    """Return the critical expectations that fail."""
    return {failure.expectation for failure in guards.validate(frame, "training").critical}


def test_a_feature_that_stops_for_a_while_is_refused_and_named(training):
    """Twelve sessions with one value, in a feature that never repeats itself."""
    rows = np.flatnonzero(training["symbol"] == "IBM")[500:512]
    values = training["volatility_21"].to_numpy().copy()
    values[rows] = values[rows[0]]
    result = guards.validate(training.assign(volatility_21=values), "training")
    assert [failure.expectation for failure in result.critical] == ["expect_features_not_frozen"]
    assert "volatility_21 of IBM has one value 12 sessions in a row" in result.critical[0].message


def test_what_changes_once_a_quarter_is_not_frozen(training):
    """Flags and reported figures repeat themselves by nature."""
    quarter = training["date"].dt.quarter.astype(float)
    flag = (training["date"].dt.month == 1).astype(float)
    assert caught(training.assign(quarter=quarter, flag=flag)) == set()


def test_a_feature_that_all_but_is_the_target_is_refused(training):
    """A tenth of noise hides a leak from a correlation of 0.999, not from 0.95."""
    noise = np.random.default_rng(0).normal(0, 0.1 * training["target"].std(), len(training))
    assert caught(training.assign(fed=training["target"] + noise)) == {"expect_features_not_collinear"}


def test_a_target_that_stands_still_in_one_symbol_is_refused(training):
    """IBM's target is one number."""
    target = training["target"].where(training["symbol"] != "IBM", 0.01)
    assert {"expect_features_to_vary", "expect_features_not_frozen"} <= caught(training.assign(target=target))


def test_two_symbols_with_the_same_features_are_refused(training):
    """MSFT bears what belongs to IBM."""
    ibm = training[training["symbol"] == "IBM"].set_index("date")
    frame = training.copy()
    rows = (frame["symbol"] == "MSFT") & frame["date"].isin(ibm.index)
    names = [name for name in frame.columns if name not in {"symbol", "date"}]
    frame.loc[rows, names] = ibm.loc[frame.loc[rows, "date"], names].to_numpy()
    assert caught(frame) == {"expect_symbols_to_differ"}
