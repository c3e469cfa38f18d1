"""Data docs: every validation has a page that says what failed, and needs no network."""

import base64
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from sta410kit import guards
from sta410kit._internal import pages
from sta410kit.guards import data_docs

pytestmark = pytest.mark.unit


def links(page):
    """Return the targets of a page's links that are files."""
    return [page.parent / target for target in re.findall(r'href="([^"#]+)"', page.read_text())]


def test_a_failed_validation_has_a_page_with_rows_and_expectation(prices, tmp_path):
    """The reviewer finds symbol, date and expectation on the page, and the page from the index."""
    prices.loc[4, "high"] = 1.0
    page = data_docs.publish(guards.validate(prices, "prices"), tmp_path, "02_validate")
    text = page.read_text()
    assert "rejected" in text
    assert "BBB 2024-01-03" in text
    assert "expect_column_pair_values_a_to_be_greater_than_b" in text
    assert "The high is never below the low." in text
    assert page in [link.resolve() for link in links(tmp_path / "index.html")]


def test_every_link_leads_somewhere(prices, tmp_path):
    """Index, validation and suite pages link to files that exist."""
    page = data_docs.publish(guards.validate(prices, "prices"), tmp_path)
    for source in (tmp_path / "index.html", page, tmp_path / "expectations" / "prices.html"):
        assert links(source)
        assert all(target.resolve().is_file() for target in links(source)), source


def test_the_pages_load_nothing_from_elsewhere(prices, tmp_path):
    """No script, style, font or image comes from another host."""
    data_docs.publish(guards.validate(prices.assign(close=-1.0), "prices"), tmp_path)
    for page in tmp_path.rglob("*.html"):
        text = page.read_text()
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", text), page
        assert text.count("<script") == 1  # the search, known by its digest


TAG = "<img src=x onerror=1>"


def hostile_suite(folder):
    """Write a suite, and a reviewer's findings, with markup in every place that takes text."""
    kwargs = [
        ("expect_column_to_exist", {"column": TAG}),
        ("expect_column_values_to_not_be_null", {"column": TAG}),
        ("expect_column_values_to_be_unique", {"column": TAG}),
        ("expect_column_values_to_be_in_set", {"column": TAG, "value_set": [TAG, "$x"]}),
        ("expect_column_values_to_match_regex", {"column": TAG, "regex": TAG}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["symbol", TAG]}),
        ("expect_column_values_to_be_between", {"column": "v", "min_value": 3}),
        ("expect_sessions_to_match_calendar", {"starts": {TAG: "2024-01-02"}}),
        ("expect_predictions_to_vary", {"groups": [TAG], "constant_models": [TAG]}),
    ]
    meta = {"severity": "critical", "notes": [TAG], TAG: TAG}
    items = [{"type": kind, "kwargs": given, "meta": meta} for kind, given in kwargs]
    items += [{**item, "description": TAG} for item in items]
    path = folder / "mine.json"
    path.write_text(json.dumps({"name": "mine", "notes": TAG, "expectations": items}))
    (folder / "accepted.toml").write_text(
        f'[[finding]]\nsuite = "mine"\nexpectation = "{kwargs[6][0]}"\nsymbol = "{TAG}"\n'
        f'reason = "{TAG}"\nby = "{TAG}"\nexpires = 2200-01-01\nfirst = 2024-01-02\n'
    )
    return path


def test_markup_stays_text_wherever_it_comes_from(tmp_path):
    """Symbols, columns, values, arguments, notes, findings and the step: nothing becomes a tag."""
    days = pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-02"])
    frame = pd.DataFrame(
        {"symbol": [TAG, TAG, "B"], "date": days, TAG: ["a", TAG, TAG], "v": [1.0, 2.0, 3.0]}
    )
    result = guards.validate(frame, hostile_suite(tmp_path), symbols=[TAG, "<b>Z"])
    assert len(result.accepted) == 2
    assert "<img" not in result._repr_html_()
    data_docs.publish(result, tmp_path / "docs", "02_<b>step")
    texts = [page.read_text() for page in (tmp_path / "docs").rglob("*.html")]
    assert len(texts) == 3
    for page in texts:
        assert "<img" not in page
        assert "<b>Z" not in page
        assert "<b>step" not in page
        assert "default-src 'none'" in page.replace("&#39;", "'")


def test_a_frame_too_broken_to_ask_has_a_page_too(tmp_path):
    """Even when Great Expectations was never asked."""
    page = data_docs.publish(guards.validate(None, "prices"), tmp_path)
    assert "expected a pandas DataFrame, got NoneType" in page.read_text()


def test_the_policy_knows_the_script_of_the_search():
    """Its digest is the one that browsers compute."""
    script = pages.templates().globals["search_script"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in pages.CONTENT_SECURITY_POLICY


def test_the_index_lists_every_validation_newest_first(prices, tmp_path):
    """Two validations, two lines, each with its outcome."""
    data_docs.publish(guards.validate(prices, "prices"), tmp_path, "first")
    data_docs.publish(guards.validate(prices.iloc[:0], "prices"), tmp_path, "second")
    assert [(entry["step"], entry["passed"]) for entry in data_docs.summaries(tmp_path)] == [
        ("second", False),
        ("first", True),
    ]
    index = (tmp_path / "index.html").read_text()
    assert index.index(">second<") < index.index(">first<")
    assert "rejected" in index


def test_a_damaged_summary_of_an_earlier_run_refuses_no_data(prices, tmp_path):
    """It is missing from the history of each check, and that is all."""
    result = guards.validate(prices.assign(close=-1.0), "prices")
    pages = []
    for day in (1, 2, 3):
        run = tmp_path / f"2024010{day}-000000-000aa"
        run.mkdir()
        (run / "manifest.json").write_text("{}")
        pages.append(data_docs.publish(result, run / "data_docs", "02_validate"))
        if day == 1:
            pages[0].with_name("summary.json").write_text('{"failures": [')
    assert "<th>1 earlier</th>" in pages[2].read_text()
    assert " earlier</th>" not in pages[1].read_text()


def test_validations_at_once_do_not_lose_each_other(prices, tmp_path):
    """Eight threads publish; eight pages are listed and no half-written file is left."""
    result = guards.validate(prices, "prices")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: data_docs.publish(result, tmp_path, f"step{number}"), range(8)))
    data_docs.publish(result, tmp_path, "last")
    assert len(data_docs.summaries(tmp_path)) == 9
    assert (tmp_path / "index.html").read_text().count("<b>✓ accepted</b>") == 9
    assert [path.name for path in tmp_path.rglob(".*") if path.is_file()] == [".lock"]


def test_the_suites_page_says_what_the_thresholds_are(prices, tmp_path):
    """A reviewer reads the numbers in a sentence, not in JSON."""
    data_docs.publish(guards.validate(prices, "prices"), tmp_path)
    text = (tmp_path / "expectations" / "prices.html").read_text()
    assert "No more than 3 sessions in a row pass without volume" in text
    assert "each session of its exchange (XNYS" in text
    assert "a factor of 10, 100, 1000 that adj_close shares" in text
    assert "by more than 6.5 times" in text
    assert "than max_age: none is set, so this is not checked." in text
    assert "None" not in text


def test_a_missing_number_is_no_value(prices, tmp_path):
    """What pandas calls nan is said in words."""
    prices.loc[4, "close"] = float("nan")
    text = data_docs.publish(guards.validate(prices, "prices"), tmp_path).read_text()
    assert '<td data-label="close" class="number">no value</td>' in text
    assert ">nan<" not in text
