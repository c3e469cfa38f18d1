"""The verdict: seldom wrong about luck, and plain about failure."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research.skill import assess_skill

pytestmark = pytest.mark.unit


def made(predicted, actual, horizon=1, model="ridge"):
    size = len(actual)
    return pd.DataFrame(
        {
            "symbol": "A",
            "date": pd.bdate_range("2000-01-03", periods=size, unit="us"),
            "horizon": horizon,
            "model": model,
            "fold": 0,
            "predicted": predicted,
            "actual": actual,
            "lower": -1.0,
            "upper": 1.0,
        }
    )


def test_the_embedded_prices_show_no_skill(sample_predictions):
    """Ridge on daily returns is not better than naive, and the sentence says so."""
    verdict = assess_skill(sample_predictions)
    assert verdict.verdict == "no skill shown"
    assert verdict.sentence.startswith(
        "ridge does not beat the naive forecast of no change for the next session"
    )
    assert verdict.sentence.endswith("That is expected on daily returns.")
    evidence = verdict.evidence
    assert (evidence.sessions, evidence.symbols, evidence.horizon) == (2904, 5, 1)
    assert evidence.r2_low < evidence.r2 < evidence.r2_high
    naive = (sample_predictions["actual"] ** 2).sum()
    own = ((sample_predictions["actual"] - sample_predictions["predicted"]) ** 2).sum()
    assert evidence.r2 == pytest.approx(1 - own / naive)


def test_real_skill_is_recognised():
    """A prediction that knows a fifth of the variance is seen within a year."""
    rng = np.random.default_rng(0)
    signal = 0.01 * rng.standard_normal(300)
    verdict = assess_skill(made(signal, signal + 0.02 * rng.standard_normal(300)))
    assert verdict.verdict == "skill"
    assert verdict.evidence.p_value < 0.05
    assert verdict.evidence.gain_low > 0
    assert "ridge beats the naive forecast of no change for the next session" in verdict.sentence


def test_the_gain_is_the_mean_over_dates():
    """The gain averages over symbols within a date first, then over dates; by hand."""
    one = made([0.01, 0.0], [0.01, 0.02])
    two = made([0.0], [0.02]).assign(symbol="B")
    evidence = assess_skill(pd.concat([one, two])).evidence
    assert evidence.gain == pytest.approx(((1e-4 + 0) / 2 + 0) / 2)
    assert evidence.sessions == 2


@pytest.mark.parametrize(("sessions", "horizon", "verdict"), [
    (249, 1, "not enough data"),
    (250, 1, "no skill shown"),
    (524, 21, "not enough data"),
    (525, 21, "no skill shown"),
])  # fmt: skip
def test_few_outcomes_tell_nothing(sessions, horizon, verdict):
    """Below 250 sessions, or 25 targets that do not overlap, there is no verdict."""
    noise = np.random.default_rng(0).standard_normal((2, sessions)) / 100
    found = assess_skill(made(*noise, horizon=horizon))
    assert found.verdict == verdict
    assert ("too few" in found.sentence) == (verdict == "not enough data")


def test_naive_against_itself_is_no_skill():
    """Predicting zero gains exactly nothing and is called what it is."""
    verdict = assess_skill(made(0.0, np.random.default_rng(0).standard_normal(300) / 100, model="naive"))
    assert verdict.verdict == "no skill shown"
    assert verdict.evidence.p_value == 1
    assert "naive forecast of no change for the next session itself" in verdict.sentence


def test_prices_that_never_move_are_no_skill():
    """Where nothing happens, predicting nothing is no achievement."""
    verdict = assess_skill(made(0.0, np.zeros(300)))
    assert verdict.verdict == "no skill shown"
    assert verdict.evidence.r2 == 0


def test_a_longer_horizon_is_not_excused():
    """The words about daily returns stand only where the returns are daily."""
    noise = np.random.default_rng(0).standard_normal((2, 600)) / 100
    sentence = assess_skill(made(*noise, horizon=5)).sentence
    assert "no change 5 sessions ahead" in sentence
    assert "daily" not in sentence


def test_the_notebook_form_shows_verdict_and_numbers():
    """The HTML has the verdict, the sentence and the evidence, with names escaped."""
    noise = np.random.default_rng(0).standard_normal((2, 300)) / 100
    page = assess_skill(made(*noise, model="<b>"))._repr_html_()
    assert "no skill shown" in page
    assert "p value" in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_predictions_with_gaps_are_refused():
    """A NaN would make every comparison false, and so a verdict."""
    with pytest.raises(DataValidationError, match="actual of A 2000-01-04 is no number"):
        assess_skill(made(0.0, np.r_[0.0, np.nan, np.zeros(300)]))


def test_biased_noise_is_no_skill_either():
    """Autocorrelated losses, as overlapping targets have, do not fool it: at most 6 of 60 series."""
    found = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        actual = np.convolve(rng.standard_normal(610), np.ones(10), mode="valid")[:600] / 100
        predicted = np.convolve(rng.standard_normal(610), np.ones(10), mode="valid")[:600] / 1000
        found += assess_skill(made(predicted, actual, horizon=10), resamples=300).verdict == "skill"
    assert found <= 6
