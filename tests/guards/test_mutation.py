"""The suites' own test coverage: no corruption survives, and one that would is reported."""

import json

import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.corruptions import CATALOGUE
from sta410kit.guards.suites import read_suite

pytestmark = pytest.mark.integration


def test_no_corruption_of_real_prices_survives(crisis, capsys):
    """Every corruption of the catalogue, at one place each, is caught; the rate is printed."""
    report = guards.mutate(crisis, "prices", seed=11)
    with capsys.disabled():
        print(f"\n{report.summary()}")  # noqa: T201 - the rate is to be seen
    assert [mutant.corruption for mutant in report.survivors] == []
    assert report.applied >= 55
    assert len(CATALOGUE["prices"]) >= 40
    assert report.passed


def test_a_suite_without_the_guard_lets_the_corruption_live(tmp_path, crisis):
    """Taking the stale-bar expectation out of the suite lets repeated prices through."""
    content = json.loads(read_suite("prices").path.read_text())
    weaker = [item for item in content["expectations"] if item["type"] != "expect_no_stale_bars"]
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({**content, "expectations": weaker}))
    broken = next(one for one in CATALOGUE["prices"] if one.name == "prices_repeated")
    import numpy as np

    frame = broken.apply(crisis, np.random.default_rng(3))
    assert guards.validate(frame, path, strict=True).passed
    assert not guards.validate(frame, "prices", strict=True).passed


def test_a_survivor_is_named_and_fails_the_report():
    """The report counts what nothing noticed; what had no place does not count."""
    mutants = (
        guards.Mutant("spike", "A bar jumps.", 0, ("expect_no_reverting_spikes",)),
        guards.Mutant("fog", "Nobody sees it.", 0),
        guards.Mutant("twins", "Needs two symbols.", 0, applies=False),
    )
    report = guards.MutationReport("prices", 4, mutants)
    assert report.summary() == "prices: 1 of 2 mutants caught (50.0%), seed 4"
    assert [mutant.corruption for mutant in report.survivors] == ["fog"]
    assert not report.passed
    assert report.to_dict()["survivors"] == ["fog"]
    assert "expect_no_stale_bars" in report.idle()
    assert "expect_no_reverting_spikes" not in report.idle()


def test_the_same_seed_gives_the_same_mutants(make_walk):
    """Sizes and places are drawn from the seed alone, and the data are left as they were."""
    prices = make_walk(rows=120)
    before = prices.copy(deep=True)
    kinds = ["spike", "session_lost", "volume_in_lots"]
    first, second = (guards.mutate(prices, seed=5, kinds=kinds).to_dict() for _ in range(2))
    assert first == second
    assert prices.equals(before)
    assert first["applied"] == 3


def test_made_up_prices_are_guarded_as_well(make_walk):
    """One symbol of 90 rows: what has a place there is caught."""
    kinds = [
        "cents_for_dollars",
        "split_forgotten",
        "bars_repeated",
        "adj_close_away_and_back",
        "file_cut_short",
    ]
    report = guards.mutate(make_walk(symbols=1, rows=90), seed=2, kinds=kinds)
    assert report.passed
    assert report.applied == 4


def test_dirty_data_are_refused_before_anything_is_done(make_walk):
    """Mutants of data that fail already would prove nothing."""
    with pytest.raises(DataValidationError, match="refused"):
        guards.mutate(make_walk(rows=60).assign(volume=-1), kinds=["spike"])


def test_unknown_suites_and_corruptions_are_named(make_walk):
    """The error lists what there is."""
    with pytest.raises(ConfigurationError, match="no corruptions for the suite 'mine'"):
        guards.mutate(make_walk(rows=60), "mine")
    with pytest.raises(ConfigurationError, match="Did you mean 'spike'"):
        guards.mutate(make_walk(rows=60), kinds=["spikes"])


@pytest.mark.parametrize(
    ("suite", "corruption", "kind"),
    [
        ("features", "feature_still", "expect_features_to_vary"),
        ("training", "feature_still", "expect_features_to_vary"),
        ("training", "target_fed", "expect_features_not_collinear"),
    ],
)
def test_a_feature_that_stands_still_or_is_the_target_is_found(suite, corruption, kind):
    """One value in all rows or in those of one symbol, and the target with little noise, are refused."""
    from sta410kit.runner.frames import example_frame

    report = guards.mutate(example_frame(suite), suite, seed=0, repeats=4, kinds=[corruption])
    assert report.passed
    assert all(kind in mutant.caught_by for mutant in report.mutants)


def test_a_feature_that_belongs_to_each_symbol_is_let_through():
    """A number of the sector, one in each symbol and not the same in all, is no feature that stands still."""
    from sta410kit.runner.frames import example_frame

    features = example_frame("features")
    features["sector"] = features["symbol"].map(
        {"AAPL": 1.0, "FB": 1.0, "GOOG": 1.0, "IBM": 2.0, "MSFT": 2.0}
    )
    failed = [failure.expectation for failure in guards.validate(features, "features").failures]
    assert "expect_features_to_vary" not in failed
    features["sector"] = 1.0
    failed = [failure.expectation for failure in guards.validate(features, "features").failures]
    assert "expect_features_to_vary" in failed
