"""The suites are Great Expectations' own: it loads them, and gives the verdicts that the kit gives."""

import json

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.corruptions import CATALOGUE
from sta410kit.guards.evaluation import evaluate
from sta410kit.guards.great_expectations import load_suite, to_record
from sta410kit.guards.suites import read_suite

pytestmark = pytest.mark.integration

SHIPPED = ["features", "forecasts", "predictions", "prices", "training"]
ROWS = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}}


@pytest.fixture(scope="module")
def bare():
    """Return what Great Expectations says by itself of a frame, expectation by expectation."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("bare").add_dataframe_asset("frame")
    batches = asset.add_batch_definition_whole_dataframe("whole")
    form = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": 20,
        "unexpected_index_column_names": ["symbol", "date"],
    }

    def ask(frame, expectations):
        numbered = [{**item, "meta": {"number": number}} for number, item in enumerate(expectations)]
        batch = batches.get_batch({"dataframe": frame.astype({"symbol": object})})
        suite = gx.ExpectationSuite("bare", expectations=numbered)
        results = batch.validate(suite, result_format=form).to_json_dict()["results"]
        return sorted(results, key=lambda one: one["expectation_config"]["meta"]["number"])

    return ask


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_expectation_loads_in_bare_great_expectations(name):
    """The files are Great Expectations' own JSON: nothing is dropped when it loads them itself."""
    content = json.loads(read_suite(name).path.read_text())
    suite = gx.ExpectationSuite(**content)
    assert len(suite.expectations) == len(content["expectations"]) > 20
    assert all(item["meta"]["severity"] in {"critical", "warning"} for item in content["expectations"])
    assert all(item["description"] for item in content["expectations"])


@pytest.mark.parametrize(
    ("item", "complaint"),
    [
        ({"type": "expect_nonsense", "kwargs": {}}, "suite 'x': expect_nonsense .* cannot be loaded"),
        (
            {"type": "expect_column_values_to_be_between", "kwargs": {"colum": "close"}},
            r"cannot be loaded \(.*column field required",
        ),
        ({**ROWS, "kwargs": {"min_value": "many"}}, "cannot be loaded"),
        ({"type": "expect_whole_numbers", "kwargs": {"columns": []}}, "cannot be loaded"),
        ({"type": "expect_rows_in_order", "kwargs": {"tolerance": 1}}, "cannot be loaded"),
    ],
)
def test_an_expectation_that_cannot_be_loaded_is_an_error(prices, item, complaint):
    """Great Expectations would drop it with a log line; loading and evaluating the suite refuse it."""
    with pytest.raises(ConfigurationError, match=complaint):
        load_suite("x", [ROWS, item])
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        evaluate("x", [{"meta": {}, **item}], prices)


@pytest.mark.parametrize(
    "corruption", [None, "bars_repeated", "rows_shuffled", "time_of_day", "missing_values"]
)
def test_bare_great_expectations_gives_the_same_verdicts(crisis, bare, corruption):
    """Every expectation of the prices suite, on clean prices and on broken ones."""
    frame = crisis
    if corruption:
        (one,) = (one for one in CATALOGUE["prices"] if one.name == corruption)
        frame = one.apply(crisis, np.random.default_rng(1))
    suite = read_suite("prices").expectations
    answers = [(one["expectation_config"]["type"], one["success"]) for one in bare(frame, suite)]
    assert [(check.expectation, check.held) for check in evaluate("prices", suite, frame)[0]] == answers
    assert all(held for _, held in answers) is (corruption is None)


@pytest.fixture
def warm_up():
    """Return a frame whose feature begins late: 30 of 120 rows hold nothing."""
    days = pd.bdate_range("2024-01-02", periods=60, unit="us")
    value = np.linspace(-1, 1, 120)
    value[:25], value[60:65] = np.nan, np.nan
    more = np.where(np.arange(120) == 60, 0.0, 1.0)
    return pd.DataFrame(
        {
            "symbol": ["A"] * 60 + ["B"] * 60,
            "date": [*days, *days],
            "value": value,
            "less": 0.0,
            "more": more,
            "text": ["1.5"] * 119 + ["x"],
        }
    )


def asks(kind, **kwargs):
    return {"type": f"expect_{kind}", "meta": {"severity": "critical"}, "kwargs": kwargs}


GREATER = "column_pair_values_a_to_be_greater_than_b"


@pytest.mark.parametrize(
    ("item", "held"),
    [
        (asks("column_values_to_be_between", column="value", min_value=-1, max_value=1), True),
        (asks("column_values_to_be_between", column="value", min_value=-1, max_value=0.5), False),
        (asks("column_values_to_be_between", column="value", max_value=1, strict_max=True), False),
        (asks("column_values_to_be_between", column="value", min_value=0, mostly=0.5), True),
        (asks("column_values_to_be_between", column="less", min_value=0, strict_min=True), False),
        (asks("column_values_to_not_be_null", column="value", mostly=0.75), True),
        (asks("column_values_to_not_be_null", column="value", mostly=0.76), False),
        (asks("column_values_to_not_be_null", column="value"), False),
        (asks("column_values_to_be_in_type_list", column="value", type_list=["float64"]), True),
        (asks("column_values_to_be_in_type_list", column="value", type_list=["int64"]), False),
        (asks("column_values_to_be_in_type_list", column="symbol", type_list=["str"]), True),
        (asks("column_values_to_be_in_type_list", column="symbol", type_list=["float64"]), False),
        (asks("column_values_to_match_regex", column="symbol", regex="[AB]"), True),
        (asks("column_values_to_match_regex", column="symbol", regex="A"), False),
        (asks(GREATER, column_A="more", column_B="less"), False),
        (asks(GREATER, column_A="more", column_B="less", or_equal=True), True),
        (asks(GREATER, column_A="value", column_B="less", ignore_row_if="either_value_is_missing"), False),
        (asks("compound_columns_to_be_unique", column_list=["symbol", "date"]), True),
        (asks("compound_columns_to_be_unique", column_list=["symbol", "more"]), False),
        (asks("column_distinct_values_to_contain_set", column="symbol", value_set=["A", "C"]), False),
        (asks("column_unique_value_count_to_be_between", column="more", min_value=2), True),
        (asks("table_row_count_to_be_between", min_value=121), False),
        (asks("column_values_to_be_unique", column="more"), False),
        (asks("column_values_to_be_in_set", column="more", value_set=[0, 1]), True),
    ],
    ids=str,
)
def test_generic_expectations_say_what_great_expectations_says(warm_up, bare, item, held):
    """Verdict, counts and the first rows that are named; the last two are left to Great Expectations."""
    ((check,), _) = evaluate("mine", [item], warm_up)
    (other,) = bare(warm_up, [item])
    assert check.held is other["success"] is held
    result = guards.GuardResult("mine", len(warm_up), (check,))
    own, other = (
        json.loads(json.dumps(one, default=str).replace("T00:00:00", ""))
        for one in (to_record(result)["results"][0]["result"], other["result"])
    )
    names = {"element_count", "missing_count", "unexpected_count", "partial_unexpected_index_list"}
    for name in (
        names & set(own) & set(other) - ({"missing_count"} if "value_set" in item["kwargs"] else set())
    ):
        assert own[name] == other[name]


def test_what_great_expectations_evaluates_can_be_accepted_by_a_reviewer(warm_up, tmp_path):
    """The rows of a finding are left out when it is asked again."""
    path = tmp_path / "mine.json"
    unique = asks("column_values_to_not_be_in_set", column="more", value_set=[0])
    path.write_text(json.dumps({"name": "mine", "expectations": [unique]}))
    assert guards.validate(warm_up, path).critical[0].rows[0]["date"] == "2024-01-02"
    (tmp_path / "accepted.toml").write_text(
        f'[[finding]]\nsuite = "mine"\nexpectation = "{unique["type"]}"\nsymbol = "B"\n'
        'reason = "Known."\nexpires = 2200-01-01\n'
    )
    result = guards.validate(warm_up.drop(columns="value"), path)
    assert result.passed
    assert "Known." in result.accepted[0]


def test_text_in_a_column_of_numbers_is_left_to_great_expectations(warm_up):
    """It cannot compare text with numbers either, which refuses the frame."""
    ((check,), _) = evaluate("x", [asks("column_values_to_be_between", column="text", min_value=0)], warm_up)
    assert not check.held
    assert "It could not be checked" in check.message
