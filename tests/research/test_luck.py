"""The whole chain on prices that hold nothing to find."""

import pytest

from sta410kit.research.features import build_features
from sta410kit.research.skill import assess_skill
from sta410kit.research.walk_forward import walk_forward

pytestmark = pytest.mark.slow


def test_random_walks_seldom_show_skill(simulate):
    """The whole chain on 60 simulated random walks finds skill in at most 5 % of them."""
    found = 0
    for seed in range(60):
        prices = simulate(900, symbols=2, seed=seed)
        predictions = walk_forward(build_features(prices), prices, model="ridge")
        found += assess_skill(predictions, resamples=500).verdict == "skill"
    assert found <= 3
