"""The suites' own test coverage: no corruption survives, and one that would is reported."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.corruptions import CATALOGUE
from sta410kit.guards.suites import read_suite
from sta410kit.runner.frames import example_frame

pytestmark = pytest.mark.integration


LEFT_OUT = {
    "bars": """
        missing_values infinite_values session_lost weeks_lost weekend_row history_lost
        cents_but_adj_close digit_too_many one_bar_in_other_unit spike close_spike close_misread
        open_misread extreme_wick high_and_low_swapped bar_out_of_order price_not_positive bars_repeated
        prices_repeated close_carried_forward session_filled stretch_pasted_to_fit zero_volume_run
        one_volume_too_large negative_volume
    """,
    "refused": """
        numbers_as_text some_numbers_as_text column_lost rows_doubled no_rows symbol_missing
        symbol_with_space dates_as_text dates_with_zone file_cut_short dates_in_future time_of_day
        rows_shuffled rows_reversed two_rows_swapped symbol_in_other_case invisible_sign same_series
        history_revised schema_drift
    """,
    "symbol": """
        end_lost dates_a_day_off symbol_a_day_off symbol_a_session_off split_forgotten
        reverse_split_forgotten split_invented cents_for_dollars open_and_high_swapped
        open_and_close_swapped close_and_adj_close_swapped stretch_pasted adj_close_away_and_back
        adj_close_steps_down symbol_without_volume volume_in_lots volume_unit_changes
        symbol_in_other_units parts_of_shares
    """,
}
OUTCOMES = {name: outcome for outcome, names in LEFT_OUT.items() for name in names.split()}


def test_exactly_what_was_corrupted_is_left_out(crisis, capsys):
    """Of each kind: the frame is refused, or the symbol, or the bars, and no others, are quarantined."""
    report = guards.mutate(crisis, "prices", seed=11)
    with capsys.disabled():
        print(f"\n{report.summary()}")  # noqa: T201 - the rate is to be seen
    assert len(OUTCOMES) == 64
    assert {mutant.corruption: mutant.outcome for mutant in report.mutants} == OUTCOMES
    assert report.passed


@pytest.mark.parametrize("corruption", CATALOGUE["prices"], ids=lambda one: one.name)
def test_what_is_usable_holds_up(make_walk, corruption):
    """Judged again, nothing is found in it but the bars that are left empty."""
    for draw in range(2):
        broken = corruption.apply(make_walk(symbols=8, rows=300), np.random.default_rng(draw))
        result = guards.validate(broken)
        if not result.passed:
            continue
        again = guards.validate(result.usable)
        assert again.passed
        assert set(again.quarantined["symbol"]) <= set(result.usable["symbol"])
        keys = ["symbol", "date"]
        pd.testing.assert_frame_equal(again.usable, result.usable)
        assert len(again.quarantined.merge(result.quarantined, on=keys)) == len(again.quarantined)


def test_a_suite_without_the_guard_lets_the_corruption_live(tmp_path, crisis):
    """Taking the stale-bar expectation out of the suite lets repeated prices through."""
    content = json.loads(read_suite("prices").path.read_text())
    weaker = [item for item in content["expectations"] if item["type"] != "expect_no_stale_bars"]
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({**content, "expectations": weaker}))
    broken = next(one for one in CATALOGUE["prices"] if one.name == "prices_repeated")
    frame = broken.apply(crisis, np.random.default_rng(3))
    assert guards.validate(frame, path, strict=True).passed
    assert not guards.validate(frame, "prices", strict=True).passed


def test_a_survivor_is_named_and_fails_the_report():
    """The report counts what nothing noticed; what had no place does not count."""
    mutants = (
        guards.Mutant("spike", "A bar jumps.", 0, ("expect_no_reverting_spikes",), "bars"),
        guards.Mutant("fog", "Nobody sees it.", 0),
        guards.Mutant("twins", "Needs two symbols.", 0, applies=False),
    )
    report = guards.MutationReport("prices", 4, mutants)
    assert report.summary() == "prices: 1 of 2 mutants caught (50.0 %), seed 4"
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
    with pytest.raises(
        ConfigurationError, match=r"Did you mean 'spike'\? Corruptions: missing_values, .*, negative_volume\."
    ):
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
    report = guards.mutate(example_frame(suite), suite, seed=0, repeats=4, kinds=[corruption])
    assert report.passed
    assert all(kind in mutant.caught_by for mutant in report.mutants)


def test_a_feature_that_belongs_to_each_symbol_is_let_through():
    """A number of the sector, one in each symbol and not the same in all, is no feature that stands still."""
    features = example_frame("features")
    sectors = {"AAPL": 1.0, "FB": 1.0, "GOOG": 1.0, "IBM": 2.0, "MSFT": 2.0}
    for sector, found in ((features["symbol"].map(sectors), False), (1.0, True)):
        failures = guards.validate(features.assign(sector=sector), "features").failures
        assert ("expect_features_to_vary" in [failure.expectation for failure in failures]) is found
