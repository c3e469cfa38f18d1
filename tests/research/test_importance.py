"""Permutation importance: what tells something is above noise, and only that."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.research.features import build_features
from sta410kit.research.importance import permutation_importance
from sta410kit.research.plots import plot_importance
from tests.research.simulated import simulate

pytestmark = pytest.mark.unit


def momentum(strength, sessions=700, symbols=3):
    """Return prices whose returns continue those of the session before."""
    prices = simulate(sessions, symbols=symbols, seed=4)
    moves = np.log(prices["close"]).groupby(prices["symbol"]).diff().fillna(0).to_numpy().copy()
    for t in range(1, len(moves)):
        moves[t] += strength * moves[t - 1]
    level = 100 * np.exp(pd.Series(moves).groupby(prices["symbol"]).cumsum().to_numpy())
    return prices.assign(open=level, high=level * 1.001, low=level * 0.999, close=level, adj_close=level)


@pytest.fixture(scope="module")
def told():
    prices = momentum(0.5)
    features = build_features(prices, ["return_1", "volatility_21", "turn_of_month"])
    return permutation_importance(features, prices, model="ridge")


def test_the_feature_that_matters_is_first_and_above_noise(told):
    """Half of a return is known from the one before; the other two features tell no more than noise."""
    assert told["feature"][0] == "return_1"
    first, others = told["r2_lost"][0], told["r2_lost"][1:]
    assert first > 0.1
    assert others.abs().max() < 0.03
    assert told["noise"].sum() == 10
    assert told["r2_lost"][0] > 4 * told["error"][0]


def test_a_replaced_feature_doubles_the_loss_of_what_it_explained():
    """With y = b x and x replaced by an independent copy, the squared error rises by 2 b^2 var(x)."""
    prices = momentum(0.5, sessions=2000, symbols=1)
    found = permutation_importance(
        build_features(prices, ["return_1"]), prices, model="elastic_net", noises=1
    )
    shrunk = 0.5 - 0.03 * 0.5  # the soft threshold of the penalty, in standard deviations, about
    b = shrunk / (1 + 0.03 * 0.5)
    # R² lost: rise from (0.5 - b)^2 + 0.75 to 0.75 + 0.25 + b^2, in units of var(y)
    assert found["r2_lost"][0] == pytest.approx(0.25 + b**2 - (0.5 - b) ** 2, abs=0.06)


def test_a_model_without_features_loses_nothing(walks, walk_features):
    """The historical mean does not look at any."""
    found = permutation_importance(walk_features, walks, model="mean", repeats=1)
    assert (found["r2_lost"].abs() < 1e-12).all()


def test_the_same_seed_gives_the_same_table(walks, walk_features):
    """Noise and stretches are drawn from the seed."""
    one, two, other = (
        permutation_importance(walk_features, walks, repeats=1, noises=2, seed=seed) for seed in (1, 1, 2)
    )
    assert one.equals(two)
    assert not one.equals(other)


def test_models_of_histories_and_wrong_numbers_are_refused(walks, walk_features):
    """The message names what is wrong."""
    with pytest.raises(ConfigurationError, match="regime is no single model that predicts row by row"):
        permutation_importance(walk_features, walks, model="regime")
    with pytest.raises(ConfigurationError, match="noises is 0"):
        permutation_importance(walk_features, walks, noises=0)


@pytest.mark.usefixtures("headless")
def test_the_figure_counts_what_is_above_noise(told):
    """One mark per feature, noise as a band."""
    (axes,) = plot_importance(told).axes
    assert axes.get_title(loc="left") == "1 of 3 features lie two standard errors above all noise"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["range of 10 noise features"]
