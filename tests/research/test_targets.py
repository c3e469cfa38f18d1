"""The target, by hand."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError
from sta410kit.research.targets import build_target, realised_on

pytestmark = pytest.mark.unit


def test_the_target_is_the_log_return_ahead(walks):
    """At *t* it is log(close[t + 2] / close[t]) of the same symbol, and unknown at the end."""
    target = build_target(walks, 2)
    assert list(target.columns) == ["symbol", "date", "target"]
    close = walks.loc[walks["symbol"] == "S0", "adj_close"].to_numpy()
    ours = target.loc[target["symbol"] == "S0", "target"].to_numpy()
    assert ours[0] == pytest.approx(np.log(close[2] / close[0]), rel=1e-12)
    assert ours[597] == pytest.approx(np.log(close[599] / close[597]), rel=1e-12)
    assert np.isnan(ours[598:]).all()
    assert target["target"].isna().sum() == 4


def test_a_split_is_no_return(sample):
    """On the eve of AAPL's split the target is the small true move."""
    target = build_target(sample, 1)
    eve = target[(target["symbol"] == "AAPL") & (target["date"] == "2005-02-25")]["target"].item()
    assert abs(eve) < 0.02


def test_a_target_is_known_at_the_symbols_own_session(walks):
    """If a symbol misses a session, its target is known a session later."""
    days = walks["date"].unique()
    holey = walks.drop(walks[(walks["symbol"] == "S1") & (walks["date"] == days[5])].index)
    known = realised_on(holey, 1).set_axis(holey.index)
    at = holey[(holey["date"] == days[4])].index
    assert known[at].tolist() == [days[5], days[6]]
    assert known.isna().sum() == 2


@pytest.mark.parametrize("horizon", [0, -1, 1.0, True, "1", None])
def test_a_horizon_is_a_whole_number_of_sessions(walks, horizon):
    """Anything else is a configuration error that names the argument."""
    with pytest.raises(ConfigurationError, match="horizon is"):
        build_target(walks, horizon)
    assert build_target(walks, np.int64(1)).equals(build_target(walks, 1))


@pytest.mark.parametrize("function", [build_target, realised_on])
def test_unsorted_or_duplicated_prices_are_refused(walks, function):
    """On unsorted prices every target would be wrong, or known before it was made."""
    with pytest.raises(FeatureEngineeringError, match="not sorted"):
        function(walks.iloc[::-1], 1)
    with pytest.raises(FeatureEngineeringError, match="more than once; run them through the gate"):
        function(pd.concat([walks.head(9), walks.tail(-8)]), 1)
