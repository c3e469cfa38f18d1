"""Thresholds of single symbols reach every expectation, judged alone or with the others."""

import numpy as np
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.corruptions import CATALOGUE
from sta410kit.guards.evaluation import build, evaluate
from sta410kit.guards.expectations import EXPECTATIONS
from sta410kit.guards.suites import read_suite

pytestmark = pytest.mark.unit

FIELDS = "expect_volume_in_one_unit"


@pytest.fixture(scope="module")
def refused(crisis):
    """One frame for each expectation of the prices suite that a corruption makes it refuse."""
    suite = [item for item in read_suite("prices").expectations if item["type"] in EXPECTATIONS]
    found = {}
    for corruption in CATALOGUE["prices"]:
        frame = corruption.apply(crisis, np.random.default_rng(3))
        if frame is None or not {"symbol", "date"}.issubset(frame.columns):
            continue
        left = [item for item in suite if item["type"] not in found]
        for check in evaluate("prices", left, frame)[0]:
            if not check.held and check.evidence is not None and check.evidence.count:
                found[check.expectation] = (check.config, frame, check.evidence)
    return found


def test_an_expectation_can_be_switched_off_for_the_symbols_it_names(refused):
    """No finding of those symbols stays, and none of the others goes, however the expectation judges."""
    assert len(refused) == 19
    for kind, (config, frame, evidence) in refused.items():
        symbol = evidence.symbols[0]
        own = {**config, "kwargs": {**config["kwargs"], "overrides": {symbol: "off"}}}
        left = evaluate("prices", [own], frame)[0][0].evidence
        kept = evidence.symbols != symbol
        assert (kind, left.positions.tolist()) == (kind, evidence.positions[kept].tolist())
        every = {**config, "kwargs": {**config["kwargs"], "overrides": {"*": "off"}}}
        assert (kind, evaluate("prices", [every], frame)[0][0].held) == (kind, True)


def test_thresholds_given_by_pattern_are_those_given_to_all(refused):
    """What a pattern says of all symbols finds the very rows that the suite's own thresholds find."""
    for kind, (config, frame, evidence) in refused.items():
        thresholds = {name: value for name, value in config["kwargs"].items() if name != "overrides"}
        own = {**config, "kwargs": {"overrides": {"?*": thresholds}}}
        found = evaluate("prices", [own], frame)[0][0].evidence
        assert (kind, found.positions.tolist()) == (kind, evidence.positions.tolist())


def test_the_zeros_of_an_index_are_compared_with_its_own_threshold():
    """A threshold that compares one symbol with all others can be its own, too."""
    from sta410kit.market import load_prices

    prices = load_prices(start="2011-01-03")
    rounded = prices["symbol"] == "IBM"
    prices.loc[rounded, "volume"] = prices.loc[rounded, "volume"] * 1000
    item = next(one for one in read_suite("prices").expectations if one["type"] == FIELDS)
    assert not evaluate("one", [{**item, "kwargs": {}}], prices)[0][0].held
    assert evaluate("one", [{**item, "kwargs": {"overrides": {"I*": {"zeros": 9}}}}], prices)[0][0].held


def test_the_name_of_a_symbol_beats_patterns_and_later_patterns_beat_earlier_ones():
    """The order of entries counts among patterns only."""
    item = {"type": FIELDS, "kwargs": {"overrides": {"A": {"step": 2}, "* B": "off", "A B?": {"step": 3}}}}
    groups = build("one", item).by_symbol(["A", "B", "BC", "C"])
    assert [(rule.step, sorted(names)) for rule, names in groups] == [(2, ["A"]), (3, ["BC"])]


def test_a_wrong_threshold_of_a_symbol_is_refused_with_the_suite():
    """Before any symbol needs it."""
    item = {"type": FIELDS, "kwargs": {"overrides": {"^*": {"step": 0.5}}}}
    with pytest.raises(ConfigurationError, match="greater than 1"):
        build("one", item)


def test_symbols_that_readers_take_for_other_things_keep_their_names(tmp_path, make_walk):
    """NA, TRUE, nan, 1 and BRK.B are text in a CSV."""
    from sta410kit.runner.frames import read_frame

    names = dict(zip([f"S{n}" for n in range(5)], ["NA", "TRUE", "BRK.B", "nan", "1"], strict=True))
    frame = make_walk(symbols=5, rows=300, cents=True)
    frame["symbol"] = frame["symbol"].map(names)
    frame.to_csv(tmp_path / "odd.csv", index=False)
    read = read_frame(tmp_path / "odd.csv", prices=True)
    assert sorted(read["symbol"].unique()) == ["1", "BRK.B", "NA", "TRUE", "nan"]
