"""The suites' own test coverage: no corruption survives, and one that would is reported."""

import json

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.guards.corruptions import CATALOGUE
from sta410kit.guards.suites import read_suite

pytestmark = pytest.mark.integration


OUTCOMES = {
    "missing_values": "bars",
    "infinite_values": "bars",
    "numbers_as_text": "refused",
    "some_numbers_as_text": "refused",
    "column_lost": "refused",
    "rows_doubled": "refused",
    "no_rows": "refused",
    "symbol_missing": "refused",
    "symbol_with_space": "refused",
    "dates_as_text": "refused",
    "dates_with_zone": "refused",
    "session_lost": "bars",
    "weeks_lost": "bars",
    "end_lost": "symbol",
    "file_cut_short": "refused",
    "weekend_row": "bars",
    "dates_a_day_off": "symbol",
    "symbol_a_day_off": "symbol",
    "symbol_a_session_off": "symbol",
    "dates_in_future": "refused",
    "time_of_day": "refused",
    "rows_shuffled": "refused",
    "rows_reversed": "refused",
    "two_rows_swapped": "refused",
    "symbol_in_other_case": "refused",
    "invisible_sign": "refused",
    "same_series": "refused",
    "history_revised": "refused",
    "history_lost": "bars",
    "schema_drift": "refused",
    "split_forgotten": "symbol",
    "reverse_split_forgotten": "symbol",
    "split_invented": "symbol",
    "cents_for_dollars": "symbol",
    "cents_but_adj_close": "bars",
    "digit_too_many": "bars",
    "one_bar_in_other_unit": "bars",
    "spike": "bars",
    "close_spike": "bars",
    "close_misread": "bars",
    "open_misread": "bars",
    "extreme_wick": "bars",
    "open_and_high_swapped": "symbol",
    "high_and_low_swapped": "bars",
    "open_and_close_swapped": "symbol",
    "close_and_adj_close_swapped": "symbol",
    "bar_out_of_order": "bars",
    "price_not_positive": "bars",
    "bars_repeated": "bars",
    "prices_repeated": "bars",
    "close_carried_forward": "bars",
    "session_filled": "bars",
    "stretch_pasted": "symbol",
    "stretch_pasted_to_fit": "bars",
    "adj_close_away_and_back": "symbol",
    "adj_close_steps_down": "symbol",
    "zero_volume_run": "bars",
    "symbol_without_volume": "symbol",
    "volume_in_lots": "symbol",
    "volume_unit_changes": "symbol",
    "symbol_in_other_units": "symbol",
    "one_volume_too_large": "bars",
    "parts_of_shares": "symbol",
    "negative_volume": "bars",
}


def test_exactly_what_was_corrupted_is_left_out(crisis, capsys):
    """Of each kind: the frame is refused, or the symbol, or the bars, and no others, are quarantined."""
    report = guards.mutate(crisis, "prices", seed=11)
    with capsys.disabled():
        print(f"\n{report.summary()}")  # noqa: T201 - the rate is to be seen
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
