"""The grid: values are split as typed, checked as declared, and combined without gaps."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.parameters import declared_parameters
from sta410kit.runner.sweeps import plan as plan_module
from sta410kit.runner.sweeps.plan import combinations, grid_values, split_values

pytestmark = pytest.mark.unit

DECLARED = declared_parameters(
    "from typing import Annotated, Literal\nfrom annotated_types import Ge\n"
    'model: Literal["ridge", "naive"] = "ridge"\n'
    "horizon: Annotated[int, Ge(1)] = 1\n"
    "symbols: list[str] = []\n"
    "label: str | None = None\n"
    "weights: dict[str, int] = {}\n"
)
WORDS = st.text(st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=0x17F), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1", ["1"]),
        ("1,5,20", ["1", "5", "20"]),
        (" 1 , 5 ", ["1", "5"]),
        ("[AAPL,MSFT],[IBM]", ["AAPL,MSFT", "IBM"]),
        ('["A","B"],["C"]', ['["A","B"]', '["C"]']),
        ("[],[IBM]", ["[]", "IBM"]),
        ('{"a":1,"b":2},{}', ['{"a":1,"b":2}', "{}"]),
        ('"a,b",c', ["a,b", "c"]),
        ("'a,b',c", ["a,b", "c"]),
        ('"",a', ["", "a"]),
        ("it's,so", ["it's", "so"]),
        ("[[1,2],[3]]", ["[[1,2],[3]]"]),
    ],
)
def test_commas_separate_but_not_inside_brackets_or_quotes(text, values):
    """Lists and texts with commas can be swept."""
    assert split_values(text) == values


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "nothing between two commas"),
        ("1,,2", "nothing between two commas"),
        ("1,", "nothing between two commas"),
        ("[a,b", r"misses a \]"),
        ('"a,b', 'misses a "'),
    ],
)
def test_what_cannot_be_split_is_refused(text, complaint):
    """The error says what is missing."""
    with pytest.raises(ConfigurationError, match=complaint):
        split_values(text)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_words_come_back(words):
    """Joined by commas, any words are the same words."""
    assert split_values(",".join(words)) == words


def test_values_become_what_is_declared():
    """Each by its parameter's type; what is fixed too."""
    grid = {"horizon": ["1", "5"], "symbols": ["AAPL,MSFT", "IBM"], "label": ["None", "x"]}
    values, fixed = grid_values(grid, {"model": "naive"}, DECLARED, Path("x.ipynb"))
    assert values == {"horizon": [1, 5], "symbols": [["AAPL", "MSFT"], ["IBM"]], "label": [None, "x"]}
    assert fixed == {"model": "naive"}


def test_all_that_is_wrong_is_told_at_once():
    """Every value of every parameter is looked at before anything runs."""
    grid = {
        "model": ["rigde", "naive"],
        "horizon": ["1", "0"],
        "modle": ["x"],
    }
    with pytest.raises(ConfigurationError) as caught:
        grid_values(grid, {"horizon": "2", "symbol": "A"}, DECLARED, Path("x.ipynb"))
    text = str(caught.value)
    assert "'horizon' is given with -p and with -g" in text
    assert "got 'rigde'" in text
    assert "Did you mean 'ridge'" in text
    assert "greater than or equal to 1" in text
    assert "Did you mean 'model'" in text
    assert "Did you mean 'symbols'" in text


@pytest.mark.parametrize(("name", "texts"), [("horizon", ["1", "01"]), ("label", ["None", "None"])])
def test_a_value_given_twice_is_refused(name, texts):
    """Two units with the same parameters would be the same unit."""
    with pytest.raises(ConfigurationError, match=f"-g {name} has the value '{texts[1]}' twice"):
        grid_values({name: texts}, {}, DECLARED, Path("x.ipynb"))


def test_a_grid_without_end_is_refused(monkeypatch):
    """A hundred thousand units are the most; as many as are the most are taken."""
    many = {"horizon": [str(n) for n in range(1, 400)], "label": [f"l{n}" for n in range(400)]}
    with pytest.raises(ConfigurationError, match="159,600 combinations; a sweep takes up to 100,000"):
        grid_values(many, {}, DECLARED, Path("x.ipynb"))
    monkeypatch.setattr(plan_module, "MOST_UNITS", 4)
    four = {"horizon": ["1", "2"], "label": ["a", "b"]}
    assert grid_values(four, {}, DECLARED, Path("x.ipynb"))[0]["horizon"] == [1, 2]


def test_the_last_swept_changes_fastest():
    """Units are numbered in that order, and what is fixed is in each."""
    assert combinations({"a": [1, 2], "b": ["x", "y"]}, {"c": 0}) == {
        "0001": {"a": 1, "b": "x", "c": 0},
        "0002": {"a": 1, "b": "y", "c": 0},
        "0003": {"a": 2, "b": "x", "c": 0},
        "0004": {"a": 2, "b": "y", "c": 0},
    }
