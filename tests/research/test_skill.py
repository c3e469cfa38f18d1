"""The skill verdict on simulated luck, drift and signal."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from sta410kit.exceptions import DataValidationError
from sta410kit.research.ledger import Ledger
from sta410kit.research.skill import assess_skill
from sta410kit.research.trial_identity import at_least_once
from tests.research.simulated import make_predictions as made

pytestmark = pytest.mark.unit


def planted(seed=0, sessions=2500, r2=0.02, **columns):
    """Return predictions equal to a signal that explains a share `r2` of the outcomes."""
    rng = np.random.default_rng(seed)
    signal = r2**0.5 * rng.standard_normal(sessions) / 100
    return made(signal, signal + (1 - r2) ** 0.5 * rng.standard_normal(sessions) / 100, **columns)


def noise(seed=0, sessions=1000, size=0.01, **columns):
    """Return predictions independent of the outcomes, `size` times as large."""
    actual, predicted = np.random.default_rng(seed).standard_normal((2, sessions)) / 100
    return made(size * predicted, actual, **columns)


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
    """An R² of 20 % is recognised within a year, and called suspicious."""
    verdict = assess_skill(planted(sessions=300, r2=0.2))
    assert verdict.verdict == "skill"
    assert verdict.evidence.p_value < 0.01
    assert verdict.evidence.gain_low > 0
    assert "ridge beats the naive forecast of no change for the next session" in verdict.sentence
    assert verdict.sentence.endswith("look for a leak before believing it.")


def test_two_percent_are_found_in_ten_years():
    """Of 8 series with an R² of 2 % at least 7 are called skill, and none suspicious."""
    found = [assess_skill(planted(seed), resamples=200) for seed in range(8)]
    assert sum(one.verdict == "skill" for one in found) >= 7
    assert not any("leak" in one.sentence for one in found)


def cross_sectional(seed, sessions=1250, horizon=20, r2=0.01, symbols=50):
    """Return predictions of symbols correlated by 0.5, whose returns less the market have an R² of `r2`."""
    rng = np.random.default_rng(seed)
    decay = 0.97 if horizon > 1 else 0.0
    shocks = rng.standard_normal((sessions + horizon, symbols))
    signal = lfilter([(1 - decay**2) ** 0.5], [1, -decay], shocks, axis=0)
    signal -= signal.mean(axis=1, keepdims=True)
    reach = sum(decay**age for age in range(horizon))
    scale = 0.02 * (r2 * 0.5 * horizon) ** 0.5 / reach
    common, own = rng.standard_normal((sessions + horizon, 1)), rng.standard_normal(signal.shape)
    moves = 0.02 * 0.5**0.5 * (common + own)
    moves[1:] += scale * signal[:-1]
    total = np.cumsum(moves, axis=0)
    actual, predicted = total[horizon:] - total[:-horizon], scale * reach * signal[:-horizon]
    return pd.concat(
        made(predicted[:, number], actual[:, number], f"S{number:02d}", horizon=horizon)
        for number in range(symbols)
    )


@pytest.mark.parametrize(("sessions", "horizon", "r2"), [(1250, 20, 0.01), (500, 1, 0.0025)])
def test_skill_at_telling_correlated_symbols_apart_is_found(sessions, horizon, r2):
    """Neither the drift that the symbols share nor a mean fitted in hindsight hides it, in 4 samples of 4."""
    frames = [cross_sectional(seed, sessions, horizon, r2) for seed in range(4)]
    assert [assess_skill(one, resamples=200).verdict for one in frames] == ["skill"] * 4


def test_a_wrong_scale_is_told_from_no_information():
    """Ten times too large a signal holds information and is not accurate; the slope says what it lacks."""
    frame = planted(r2=0.05)
    verdict = assess_skill(frame.assign(predicted=10 * frame["predicted"]), resamples=200)
    assert verdict.verdict == "no skill shown"
    assert verdict.evidence.slope == pytest.approx(0.1, abs=0.03)
    assert "holds information" in verdict.sentence
    assert "multiply it by 0.094" in verdict.sentence


def test_skill_that_ended_is_said_to_have_ended():
    """An R² of 4 % in the first five years and none after is no skill today."""
    rng = np.random.default_rng(0)
    signal = 0.04**0.5 * rng.standard_normal(2520) / 100
    actual = 0.96**0.5 * rng.standard_normal(2520) / 100
    actual[:1260] += signal[:1260]
    verdict = assess_skill(made(signal, actual), resamples=200)
    assert verdict.verdict == "no skill shown"
    assert verdict.evidence.faded[:4] in {"2004", "2005"}  # day 1260 is 2004-10-29
    assert f"Skill until {verdict.evidence.faded}, none since." in verdict.sentence


def test_lasting_skill_is_not_said_to_have_ended():
    """In 10 samples of an R² of 2 % throughout, none is."""
    assert {assess_skill(planted(seed), resamples=100).evidence.faded for seed in range(10)} == {""}


def test_decisions_at_the_end_of_a_month_are_enough_in_ten_years():
    """120 decisions 21 sessions ahead do not overlap; two years of them are too few."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2010-01-29", periods=120, freq="BME", unit="us")
    parts = []
    for number in range(20):
        signal = 0.3 * rng.standard_normal(120) / 10
        actual = signal + rng.standard_normal(120) / 10
        parts.append(made(signal, actual, f"S{number:02d}", horizon=21).assign(date=days))
    verdict = assess_skill(pd.concat(parts), resamples=200)
    assert verdict.verdict == "skill"
    early = pd.concat(part.head(24) for part in parts)
    assert assess_skill(early, resamples=200).verdict == "not enough data"


def test_the_gain_is_the_mean_over_dates():
    """The gain averages over symbols within a date first, then over dates; by hand."""
    one = made([0.01, 0.0], [0.01, 0.02])
    two = made([0.0], [0.02]).assign(symbol="B")
    evidence = assess_skill(pd.concat([one, two])).evidence
    assert evidence.gain == pytest.approx(((1e-4 + 0) / 2 + 0) / 2)
    assert evidence.sessions == 2


@pytest.mark.parametrize(("sessions", "horizon", "verdict"), [
    (1, 1, "not enough data"),
    (12, 21, "not enough data"),
    (249, 1, "not enough data"),
    (250, 1, "no skill shown"),
    (524, 21, "not enough data"),
    (525, 21, "no skill shown"),
])  # fmt: skip
def test_too_few_outcomes_give_no_verdict(sessions, horizon, verdict):
    """Below 250 sessions, or 25 non-overlapping targets, there is not enough data."""
    found = assess_skill(noise(sessions=sessions, size=1, horizon=horizon))
    assert (horizon == 1) == ("21 sessions ahead" not in found.sentence)
    assert "daily" not in found.sentence or horizon == 1
    assert found.verdict == verdict
    assert ("too few" in found.sentence) == (verdict == "not enough data")


@pytest.mark.parametrize(
    ("lacking", "value"),
    [
        ("p_value", 0.02),
        ("gain", 0.0),
        ("r2", 0.0),
        ("r2_mean", 0.0),
        ("p_accuracy", 0.21),
        ("gain_without_best", 0.0),
        ("p_without_best", 0.11),
    ],
)
def test_every_condition_of_skill_is_required(lacking, value):
    """If one of them fails, there is no skill."""
    evidence = assess_skill(planted(sessions=300, r2=0.2), resamples=300).evidence
    assert evidence.verdict == "skill"
    assert replace(evidence, **{lacking: value}).verdict == "no skill shown"


def test_trivial_predictions_are_no_skill():
    """Zero gains nothing, and a perfect prediction of constant returns is no skill."""
    verdict = assess_skill(noise(size=0, model="naive"))
    assert verdict.verdict == "no skill shown"
    assert verdict.evidence.p_value == 1
    assert verdict.sentence == (
        "This is the naive forecast of no change for the next session itself, the benchmark for all others: "
        "every prediction is 0, so direction, ranking and Sharpe ratio are not defined."
    )
    assert assess_skill(noise(size=0, model="mine")).sentence.startswith(
        "mine is no different from the naive"
    )
    for value, r2 in ((0.0, 0), (0.003, 1)):
        verdict = assess_skill(made(value, np.full(300, value)))
        assert (verdict.verdict, verdict.evidence.r2) == ("no skill shown", r2)


def test_a_drift_alone_is_no_skill():
    """On prices that rise, a constant beats zero but not the best constant."""
    actual = np.random.default_rng(0).standard_normal(2500) / 100 + 0.002
    verdict = assess_skill(made(0.002, actual))
    assert verdict.evidence.r2_low > 0
    assert verdict.verdict == "no skill shown"
    assert verdict.sentence.endswith("A constant would have done as well: a drift is no skill.")


def test_one_lucky_year_is_no_skill():
    """One year of near certainty in ten of noise is no skill."""
    frame = noise(sessions=2500, size=0.01)
    year = frame.index[1000:1252]
    frame.loc[year, "predicted"] = 0.5 * frame.loc[year, "actual"]
    frame.loc[frame.index.difference(year), "predicted"] *= -np.sign(frame["actual"] * frame["predicted"])
    verdict = assess_skill(frame)
    assert verdict.evidence.r2 > 0.05
    assert verdict.evidence.stretch == 252
    assert verdict.verdict == "no skill shown"
    assert verdict.sentence.endswith("Without its best 252 sessions in a row nothing is left.")


def test_the_best_model_is_compared_with_all():
    """The signal is found among noise, and the luckiest of twenty kinds of noise is not."""
    signal = planted(model="signal")
    others = [
        signal.assign(
            model=f"noise{n}", predicted=np.random.default_rng(100 + n).standard_normal(2500) / 2000
        )
        for n in range(20)
    ]
    verdict = assess_skill(pd.concat([*others, signal]), resamples=500)
    assert (verdict.verdict, verdict.evidence.model) == ("skill", "signal")
    assert verdict.evidence.p_spa < 0.05
    assert len(verdict.evidence.models) == 21
    assert "signal, the best of 21 models, beats" in verdict.sentence
    lucky = assess_skill(pd.concat(others), resamples=500)
    assert lucky.verdict == "no skill shown"
    assert lucky.evidence.p_spa > 0.05


def test_every_trial_on_the_same_outcomes_counts():
    """The same evidence is weaker after twenty other trials."""
    frame = planted(seed=3, sessions=500, r2=0.03)
    first = assess_skill(frame)
    for seed in range(100, 120):
        assess_skill(
            frame.assign(predicted=np.random.default_rng(seed).standard_normal(500) / 1000), resamples=10
        )
    last = assess_skill(frame)
    assert (first.evidence.trials, last.evidence.trials) == (1, 21)
    assert first.evidence.p_information == last.evidence.p_information
    assert (
        last.evidence.p_value
        >= at_least_once(first.evidence.p_information, 21)
        > first.evidence.p_information
    )
    assert "after 21 trials" in last.sentence


def test_the_ledger_argument_is_used(tmp_path):
    """Trials in one ledger do not count in another; without a ledger the verdict says so."""
    one, other = Ledger(tmp_path / "one.sqlite"), Ledger(tmp_path / "other.sqlite")
    assess_skill(noise(1), ledger=one, resamples=10)
    assert assess_skill(noise(1), ledger=other, resamples=10).evidence.trials == 1
    assert one.read(noise(1)).count == 1
    verdict = assess_skill(planted(), ledger=Ledger(None))
    assert (verdict.verdict, verdict.evidence.trials) == ("skill", 1)
    assert "Note that this is no project" in verdict.sentence


def test_the_order_of_rows_does_not_matter():
    """Shuffled predictions get the same verdict and draws."""
    frame = pd.concat([planted(), planted(1, symbol="B")])
    one, two = assess_skill(frame), assess_skill(frame.sample(frac=1, random_state=0))
    assert one == two
    assert (one.draws == two.draws).all()


def test_the_evidence_is_json_serialisable():
    """So is each score with its interval; gains add up to R², with one draw per resample."""
    verdict = assess_skill(planted(), resamples=100)
    evidence = json.loads(json.dumps(asdict(verdict.evidence)))
    assert evidence["models"] == ["ridge"]
    assert evidence["scores"]["rmse"].keys() == {"value", "low", "high"}
    assert verdict.gains.sum() == pytest.approx(verdict.evidence.r2)
    assert (len(verdict.gains), verdict.draws.shape) == (2500, (100,))


def test_the_html_shows_verdict_and_evidence():
    """Names are escaped."""
    page = assess_skill(noise(sessions=300, size=1, model="<b>"))._repr_html_()
    assert "<strong>no skill shown</strong>" in page
    assert "p value" in page
    assert "directional accuracy" in page
    assert "ic cross section" not in page  # one symbol cannot be ranked
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_the_text_form_is_the_verdict_and_its_sentence():
    """Digits that depend on the machine's linear algebra are not in it."""
    verdict = assess_skill(noise(sessions=300, size=1))
    assert repr(verdict) == f"<SkillVerdict no skill shown: {verdict.sentence}>"


def test_predictions_with_gaps_are_refused():
    """A missing outcome is refused instead of making every comparison false."""
    with pytest.raises(DataValidationError, match="actual of A 2000-01-04 is not a finite number"):
        assess_skill(made(0.0, np.r_[0.0, np.nan, np.zeros(300)]))


@pytest.mark.parametrize("size", [1.0, 0.1, 0.01])
def test_noise_is_no_skill(size):
    """Of 15 series of noise, large or small, at most one is called skill."""
    found = [assess_skill(noise(seed, size=size), resamples=100).verdict for seed in range(15)]
    assert found.count("skill") <= 1


def test_autocorrelated_noise_is_no_skill():
    """With autocorrelated losses, as of overlapping targets, at most 1 of 15 series is called skill."""
    found = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        actual = np.convolve(rng.standard_normal(610), np.ones(10), mode="valid")[:600] / 100
        predicted = np.convolve(rng.standard_normal(610), np.ones(10), mode="valid")[:600] / 1000
        found += assess_skill(made(predicted, actual, horizon=10), resamples=300).verdict == "skill"
    assert found <= 1
