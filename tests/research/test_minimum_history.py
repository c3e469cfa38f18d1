"""Whether prices reach back far enough."""

import pytest

from sta410kit.exceptions import DataValidationError, ModelTrainingError
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final
from sta410kit.research.minimum_history import SHORTEST, require_features, require_training
from sta410kit.research.walk_forward import training_table, walk_forward
from tests.research.simulated import simulate

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("sessions", "full"), [(1, 0), (10, 0), (49, 0), (60, 11), (97, 48)])
def test_a_history_too_short_for_features_is_refused(sessions, full):
    """If fewer than half of the rows have all features, the message says how many sessions are needed."""
    features = build_features(simulate(sessions, symbols=2))
    words = "1 session" if sessions == 1 else f"{sessions} sessions"
    with pytest.raises(DataValidationError) as caught:
        require_features(features)
    assert str(caught.value) == (
        f"the history is too short: {words}, {full} of them with all features. The chain needs 429 "
        "sessions or more; load a longer period."
    )


def test_an_empty_feature_in_a_long_history_passes():
    """An empty feature is left to the data gate."""
    require_features(build_features(simulate(98, symbols=1)))
    require_features(build_features(simulate(429, symbols=1)).assign(mine=float("nan")))


@pytest.mark.parametrize(
    ("horizon", "shortest", "words"),
    [
        (1, SHORTEST, "428 sessions, 378 of them .* need 379 of these, so 429 sessions or more; load"),
        (20, 760, "759 sessions, 690 of them .* need 691 of these, so 760 .* or shorten the horizon"),
    ],
)
def test_the_required_number_of_sessions_is_exact(horizon, shortest, words):
    """With that many sessions the chain completes; with one fewer it is refused."""

    def finish(prices):
        features = build_features(prices)
        found = walk_forward(features, prices, horizon=horizon)
        return fit_final(features, prices, found, horizon=horizon)

    def ask(prices):
        require_training(training_table(build_features(prices), prices, horizon), prices, horizon)

    enough = simulate(shortest, symbols=1)
    ask(enough)
    assert finish(enough).horizon == horizon
    with pytest.raises(DataValidationError, match=f"the history is too short: {words}"):
        ask(enough.head(-1))
    with pytest.raises(ModelTrainingError, match="too few for intervals"):
        finish(enough.head(-1))
