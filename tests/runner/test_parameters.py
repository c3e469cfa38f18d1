"""Parameters: read from the notebook's own cell, judged by its annotations, refused with a suggestion."""

import contextlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.annotations import limits_of, read_annotation
from sta410kit.runner.parameters import (
    Parameter,
    as_typed,
    check_parameters,
    convert,
    declared_parameters,
)

pytestmark = pytest.mark.unit

CELL = """
from pydantic import FilePath
from sta410kit.research.models import ModelName

source: str = "sample"  # where prices come from
path: FilePath | None = None
symbols: list[str] | None = None
start: date | None = None
horizon: Annotated[int, Field(ge=1, le=250)] = 1
model: ModelName = "ridge"
kind: Literal["a", "b"] = "a"
paper: bool = True
weights: dict[str, float] | None = None
days: list[int] = []
folder: Path = Path("out")
count = 1
rate = 0.5
names = ["x"]
nothing = None
step: Literal[1, 5] | None = None
steps: list[Literal[1, 5]] = []
seconds = 60 * 60
"""
DECLARED = {parameter.name: parameter for parameter in declared_parameters(CELL)}


def test_the_cell_is_read_and_not_run():
    """Names, annotations, defaults and comments come from the source text."""
    assert list(DECLARED)[:3] == ["source", "path", "symbols"]
    assert DECLARED["source"].annotation == "str"
    assert DECLARED["source"].default == "'sample'"
    assert DECLARED["source"].help == "where prices come from"
    assert declared_parameters("import os\nos.remove('x')\n") == []
    assert declared_parameters("") == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("source", "000001", "000001"),
        ("source", "NAN", "NAN"),
        ("source", "True", "True"),
        ("source", "", ""),
        ("symbols", "AAPL,MSFT", ["AAPL", "MSFT"]),
        ("symbols", "AAPL, MSFT,", ["AAPL", "MSFT"]),
        ("symbols", "000001", ["000001"]),
        ("symbols", "NAN", ["NAN"]),
        ("symbols", "123,TRUE", ["123", "TRUE"]),
        ("symbols", '["AAPL", "NONE"]', ["AAPL", "NONE"]),
        ("symbols", "None", None),
        ("start", "2012-01-31", date(2012, 1, 31)),
        ("start", "null", None),
        ("horizon", "20", 20),
        ("model", "boosting", "boosting"),
        ("kind", "b", "b"),
        ("paper", "false", False),
        ("paper", "1", True),
        ("weights", '{"a": 0.5}', {"a": 0.5}),
        ("days", "1,2,3", [1, 2, 3]),
        ("count", "3", 3),
        ("step", "5", 5),
        ("steps", "5,1", [5, 1]),
        ("seconds", "7200", 7200),
        ("count", "2.5", 2.5),
        ("rate", "1e-3", 0.001),
        ("names", "a,b", ["a", "b"]),
        ("nothing", "007", "007"),
    ],
)
def test_what_is_typed_becomes_what_is_declared(name, text, value):
    """The annotation, or else the default, says the type; text stays text."""
    found = convert(text, DECLARED[name])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("horizon", "0", "greater than or equal to 1"),
        ("horizon", "251", "less than or equal to 250"),
        ("horizon", "1.5", "valid integer"),
        ("horizon", "None", "valid integer"),
        ("horizon", "", "valid integer"),
        ("model", "rigde", "Did you mean 'ridge'"),
        ("kind", "c", "'a' or 'b'"),
        ("paper", "maybe", "valid boolean"),
        ("start", "2012", "a date is written 2012-01-31"),
        ("start", "86400", "a date is written 2012-01-31"),
        ("start", "31.01.2012", "valid date"),
        ("rate", "fast", "valid number"),
        ("days", "1,x", "valid integer"),
        ("rate", "inf", "must be finite"),
        ("rate", "NaN", "must be finite"),
        ("weights", '{"a": Infinity}', "must be finite"),
        ("weights", "a=1", "written as JSON"),
        ("weights", '{"a": 1', "written as JSON"),
        ("symbols", '["AAPL"', r'written A,B or, as JSON, \W\["A", "B"\]'),
        ("symbols", "[AAPL,MSFT]", r'written A,B or, as JSON, \W\["A", "B"\]'),
        ("symbols", ' {"AAPL"', r'written A,B or, as JSON, \W\["A", "B"\]'),
        ("symbols", '["AAPL", 3]', "valid string"),
        ("days", "[1, 2", r'written A,B or, as JSON, \W\["A", "B"\]'),
        ("path", "no-such-file.csv", "there is no such file or folder"),
    ],
)
def test_what_does_not_fit_is_refused_with_name_value_and_type(name, text, complaint):
    """The error names the parameter, what it takes and what it got."""
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        convert(text, DECLARED[name])
    assert f"parameter '{name}'" in str(caught.value)
    assert repr(text) in str(caught.value)


def test_paths_mean_what_the_shell_means(tmp_path, monkeypatch):
    """A relative path is resolved against the caller's folder, and a tilde is the home folder."""
    (tmp_path / "prices.csv").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert convert("prices.csv", DECLARED["path"]) == tmp_path / "prices.csv"
    assert convert("~/new", DECLARED["folder"]) == tmp_path / "new"
    assert isinstance(convert("new", DECLARED["folder"]), Path)


def test_unknown_and_ill_typed_parameters_are_reported_together():
    """One error lists them all, with what was perhaps meant."""
    with pytest.raises(ConfigurationError) as caught:
        check_parameters({"simbols": "A", "horizon": "0", "zzz": "1"}, list(DECLARED.values()), "x.ipynb")
    text = str(caught.value)
    assert "does not declare a parameter 'simbols'. Did you mean 'symbols'?" in text
    assert "does not declare a parameter 'zzz'. It takes: " in text
    assert "x.ipynb: parameter 'horizon'" in text


def test_a_notebook_without_parameters_takes_none():
    """There is nothing to suggest then."""
    with pytest.raises(ConfigurationError, match="It takes no parameters"):
        check_parameters({"a": "1"}, [], "x.ipynb")


@pytest.mark.parametrize(
    "annotation",
    [
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "str.__subclasses__",
        "[x for x in (1,)]",
        "open('x')",
        "NoSuchType",
        "'__import__(chr(111))'",
        "list['int']",
        "dict[str, 'int'] | None",
        "Annotated['int', 'text']",
        "typing.Annotated[list['int'], 'text']",
        "Literal[open('x')]",
        "Annotated[int, Field(ge=open('x'))]",
        "datetime.tzinfo",
        "typing.Callable",
    ],
)
def test_an_annotation_cannot_run_code(annotation):
    """Only names of types are known; anything else is refused unread."""
    with pytest.raises(ConfigurationError, match="annotation the kit cannot read"):
        convert("1", Parameter("x", annotation, ""))


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("Literal['a b', 'c']", "a b", "a b"),
        ("typing.Literal['a', 1] | None", "a", "a"),
        ("Annotated[int, 'any text', Field(ge=1, description='words')]", "2", 2),
        ("list[Annotated[str, Field(pattern='^[A-Z]+$')]]", "AB,C", ["AB", "C"]),
    ],
)
def test_text_in_an_annotation_is_fine_where_it_stays_text(annotation, text, value):
    """Choices, remarks and patterns are text and nothing more."""
    assert convert(text, Parameter("x", annotation, "")) == value


@pytest.mark.parametrize(
    ("imports", "annotation", "good", "bad", "complaint"),
    [
        ("from annotated_types import Ge, Le", "Annotated[int, Ge(1), Le(5)]", "5", "6", "or equal to 5"),
        ("from annotated_types import Ge as From", "Annotated[int, From(1)]", "1", "0", "or equal to 1"),
        (
            "import annotated_types as at\nimport typing as t",
            "t.Annotated[float, at.Gt(0), at.Lt(1)]",
            "0.1",
            "1",
            "less than 1",
        ),
        ("", "Annotated[float, Interval(ge=0, lt=1)]", "0", "1", "less than 1"),
        ("", "Annotated[list[str], MinLen(2)]", "a,b", "a", "at least 2 items"),
        ("", "Annotated[str, Len(1, 3)]", "abc", "abcd", "at most 3 characters"),
        ("", "Annotated[int, MultipleOf(5)]", "10", "7", "multiple of 5"),
        ("", "Annotated[date, Ge(datetime.date(2000, 1, 1))]", "2000-01-01", "1999-12-31", "2000-01-01"),
        ("from datetime import datetime", "datetime", "2000-01-01T10:00", "soon", "valid datetime"),
        ("import datetime as dt", "dt.date | None", "2000-01-01", "soon", "valid date"),
        ("", "'int | None'", "3", "three", "valid integer"),
        ("", "list[Literal['a', 'b']]", "a,b", "a,c", "'a' or 'b'"),
        ("", "list[Annotated[int, Ge(1)]]", "1,2", "1,0", "greater than or equal to 1"),
    ],
)
def test_ranges_lengths_and_dates_are_kept(imports, annotation, good, bad, complaint):
    """What annotated-types states is held to, under whatever name it is imported."""
    (parameter,) = declared_parameters(f"{imports}\nx: {annotation} = None")
    convert(good, parameter)
    with pytest.raises(ConfigurationError, match=complaint):
        convert(bad, parameter)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60))
def test_a_range_is_a_range(low, high, value):
    """A whole number is taken exactly when it lies between the bounds."""
    parameter = Parameter("x", f"Annotated[int, Ge({low}), Le({high})]", "0")
    if low <= value <= high:
        assert convert(str(value), parameter) == value
    else:
        with pytest.raises(ConfigurationError, match="than or equal to"):
            convert(str(value), parameter)


@given(st.lists(st.text(st.characters(categories=("Lu", "Nd")), min_size=1), max_size=5))
def test_a_list_of_words_comes_back(words):
    """Joined by commas or written as JSON, a list is the same list."""
    parameter = Parameter("x", "list[str]", "[]")
    assert convert(",".join(words), parameter) == words
    assert convert(json.dumps(words), parameter) == words


def test_a_parameter_nobody_reads_is_refused():
    """Given or not makes no difference then, which is never what is meant."""
    declared = [Parameter("beta", "int", "1", read=False), Parameter("betas", "int", "1")]
    with pytest.raises(ConfigurationError) as caught:
        check_parameters({"beta": "1"}, declared, "x.ipynb")
    assert str(caught.value) == (
        "x.ipynb declares a parameter 'beta' that none of its cells reads, so it would change nothing."
        " Did you mean 'betas'?"
    )
    assert check_parameters({"betas": "2"}, declared, "x.ipynb") == {"betas": 2}


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("int", ""),
        ("Annotated[int, Ge(1), Le(9)]", "at least 1, at most 9"),
        ("PositiveInt | None", "above 0"),
        ("Literal['a', 'b']", "a, b"),
        ("FilePath", "an existing file"),
        ("Annotated[list[Annotated[int, Ge(2)]], MinLen(1)]", "length at least 1, each at least 2"),
    ],
)
def test_what_is_allowed_is_said_in_words(annotation, words):
    """For `sta410 params`."""
    assert limits_of(read_annotation(annotation, (), "x")[1]) == words


def test_an_import_gives_no_other_meaning_to_what_can_be_called():
    """A function imported under the name of something callable is never called."""
    cell = "from pathlib import Path as Field\nx: Annotated[int, Field(ge=1)] = 1\n"
    with pytest.raises(ConfigurationError, match="greater than or equal to 1"):
        convert("0", declared_parameters(cell)[0])


def test_a_comment_is_found_behind_any_letters():
    """Columns are counted in bytes by the syntax tree."""
    assert declared_parameters('name: str = "Zürich€"  # where\n')[0].help == "where"


def test_a_tilde_before_no_users_name_stays(tmp_path, monkeypatch):
    """There is no home folder to put in its place."""
    monkeypatch.chdir(tmp_path)
    assert convert("~nobody-of-that-name/x", DECLARED["folder"]) == tmp_path / "~nobody-of-that-name/x"


def test_a_cell_that_is_not_python_is_refused():
    """The error names the line."""
    with pytest.raises(ConfigurationError, match="line 2, is not Python"):
        declared_parameters("a = 1\nb = = 2\n")


@given(st.text())
def test_any_text_survives_as_text(text):
    """A parameter declared as text takes every text as it is."""
    assert convert(text, DECLARED["source"]) == text


@given(st.text(max_size=20), st.sampled_from(sorted(DECLARED)))
def test_any_text_is_a_value_or_a_clear_refusal(text, name):
    """Nothing typed on a command line is a traceback."""
    if name in {"path", "folder"} and "\0" in text:
        text = text.replace("\0", "")
    with contextlib.suppress(ConfigurationError):
        convert(text, DECLARED[name])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "None"),
        (["a", 1], '["a", 1]'),
        ({2, 1}, "[1, 2]"),
    ],
)
def test_values_are_written_as_they_would_be_typed(value, text):
    """Lists as JSON, a set as a list in order, nothing as None."""
    assert as_typed(value) == text


@pytest.mark.parametrize("value", [None, True, 5, 1.5, b"x", ["A"], {"a": 1}, {1}, object()])
@pytest.mark.parametrize("annotation", ["str", "str | None", "Any"])
def test_what_is_no_text_does_not_become_text_unseen(value, annotation):
    """Given from Python or in a file it would reach the cell as 'None', 'true' or '5'."""
    parameter = Parameter("label", annotation, "")
    if value is None and annotation == "str | None":
        assert check_parameters({"label": value}, [parameter], "x.ipynb") == {"label": None}
        return
    with pytest.raises(ConfigurationError, match=r"got .*, which would reach the notebook as the text"):
        check_parameters({"label": value}, [parameter], "x.ipynb")


@pytest.mark.parametrize("value", ["5", Path("/x"), date(2012, 1, 31), Decimal("1.50")])
def test_what_is_meant_as_text_stays_so(value):
    """Paths, days and decimals have one text, and reach a cell as that, as the documentation says."""
    parameter = Parameter("label", "str", "")
    assert check_parameters({"label": value}, [parameter], "x.ipynb") == {"label": str(value)}


@pytest.mark.parametrize(
    ("annotation", "text", "words"),
    [
        ("Path", "", "it is empty; leave it out, or write . for this folder"),
        ("Union[FilePath, DirectoryPath, None]", " ", "it is empty"),
        ("dict[int, float]", '{"1": 2.0}', "the names in a dictionary reach the notebook as text"),
        ("list[dict[int, int]]", '[{"1": 2}]', "declare dict[str, ...]"),
        ("str", "caf\udce9", "it is no text in UTF-8"),
        ("Any", "caf\udce9", "it is no text in UTF-8"),
        ("list[str]", "caf\udce9,a", "it is no text in UTF-8"),
        ("dict", r'{"a": "\ud800"}', "it is no text in UTF-8"),
        ("Path", "caf\udce9", "it is no text in UTF-8"),
        ("int", "9" * 5000, "exceeded maximum size"),
    ],
)
def test_what_would_arrive_as_something_else_is_refused(annotation, text, words):
    """As the current folder, with other names, or not at all; the refusal is short whatever was typed."""
    with pytest.raises(ConfigurationError) as refused:
        convert(text, Parameter("x", annotation, ""))
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300
    str(refused.value).encode()
