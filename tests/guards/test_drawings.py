"""What a gate found, drawn."""

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.guards import data_docs
from sta410kit.guards.drawings import draw_drift, draw_findings, draw_history

pytestmark = pytest.mark.unit


def _only(result, expectation):
    return next(check for check in result.failures if check.expectation == expectation)


def test_the_bars_around_a_finding_are_drawn_and_it_is_marked(prices):
    """The caption names symbol, session and the range that is shaded."""
    prices.loc[4, "high"] = 1.0
    result = guards.validate(prices, "prices")
    check = _only(result, "expect_column_pair_values_a_to_be_greater_than_b")
    ((caption, drawing),) = draw_findings(result.judged, check)
    assert caption.startswith("BBB 2024-01-03; shaded: range of the rows around, ")
    assert drawing.count('class="bar odd"') == 1
    assert drawing.count('class="bar') == (prices["symbol"] == "BBB").sum()


def test_another_column_is_a_line_in_its_allowed_range():
    """The bounds come from the suite."""
    days = pd.date_range("2024-01-01", periods=9)
    frame = pd.DataFrame({"symbol": "A", "date": days, "v": [1.0, 2, 1, 2, 99, 1, 2, 1, 2]})
    item = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "v", "max_value": 3}}
    (check,) = guards.evaluation.evaluate("x", [{**item, "meta": {"severity": "critical"}}], frame)[0]
    ((caption, drawing),) = draw_findings(frame, check)
    assert caption == "A 2024-01-05, v; shaded: allowed range, 3"
    assert drawing.count("<circle") == 1


def test_drift_is_two_histograms():
    """Both are in one drawing."""
    drawing = draw_drift("v", np.arange(100.0), np.arange(50.0, 150.0))
    assert drawing.count("<path") == 2


def test_the_history_of_a_check_says_how_often_it_held():
    """Not by colour alone: a dot or a bar."""
    drawing = draw_history(["held", "critical", "held"])
    assert "held in 2 of the 3 validations before" in drawing
    assert (drawing.count("<circle"), drawing.count("<rect")) == (2, 1)
    assert not draw_history([])


def test_a_page_shows_what_failed_in_earlier_runs_and_names_run_and_file(prices, tmp_path):
    """Data docs of a run lead back to its report; values have columns of their own."""
    for number in (1, 2):
        run = tmp_path / f"2026010{number}-000000-aaaa"
        run.mkdir()
        (run / "manifest.json").write_text('{"given": {"path": "mine.csv"}}')
        frame = prices.assign(high=prices["high"].where(prices.index != 4, 1.0)) if number == 1 else prices
        page = data_docs.publish(guards.validate(frame, "prices"), run / "data_docs", "02").read_text()
    assert "held in 0 of the 1 validations before" in page
    assert 'href="../../../../../report.html"' in page
    assert "run 20260102-000000-aaaa" in page
    assert "mine.csv" in page


def test_a_finding_has_an_entry_that_accepts_it(prices, tmp_path):
    """Pasted into accepted.toml it is one that the gate understands."""
    prices.loc[4, "high"] = 1.0
    page = data_docs.publish(guards.validate(prices, "prices"), tmp_path).read_text()
    assert "first of them" not in page
    assert "symbol = &#34;BBB&#34;\ndate = 2024-01-03\n" in page
    assert 'data-label="low" class="number"' in page
