"""Parameters: declared in the notebook, converted to the declared types, refused with a suggestion."""

import contextlib
import json
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner import child
from sta410kit.runner.parameter_types import convert_all
from sta410kit.runner.parameters import (
    Asked,
    Parameter,
    TypedValue,
    as_typed,
    check_parameters,
    declared_parameters,
    plain,
    typed_values,
)

pytestmark = pytest.mark.unit

CELL = """
import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
import annotated_types as at
from pydantic import DirectoryPath, Field, FilePath
from sta410kit.research.models import ModelName

class Side(Enum):
    BUY = "buy"
    SELL = "sell"

source: str = "sample"  # where prices come from
path: FilePath | DirectoryPath | None = None
symbols: list[str] | None = None
start: date | None = None
horizon: Annotated[int, Field(ge=1, le=250)] = 1
share: Annotated[float, at.Gt(0), at.Lt(1)] = 0.5
model: ModelName = "ridge"
kind: Literal["a", "b"] = "a"
scope: Literal["none", "all"] | None = "all"
label: str | None = None
anything: Any = None
paper: bool = True
weights: dict[str, float] | None = None
days: list[int] = []
dates: list[date] = []
quoted: "int | None" = None
depth: int | str | None = "auto"
pause: timedelta = timedelta(0)
folder: Path = Path("out")
price: Decimal = Decimal("1.5")
at_: datetime | None = None
side: Side = Side.BUY
pair: tuple[int, float] = (1, 2.0)
step: Literal[1, 5] | None = None
steps: list[Literal[1, 5]] = []
count = 1
rate = 0.5
flag = False
names = ["x"]
horizons = [1, 5]
tags = {"a", "b"}
nothing = None
empty = []
day = date(2012, 1, 1)
home = Path("/")
by_month: dict[int, float] = {}
seconds = 60 * 60
threads = int(os.environ.get("NO_SUCH_VARIABLE", "3"))
left, right = 1, "b"
table = object()
"""
DECLARED = declared_parameters(CELL)
BY_NAME = {parameter.name: parameter for parameter in DECLARED}


@pytest.fixture(autouse=True)
def evaluations(monkeypatch):
    """Evaluate in this process, where everything is imported already; what a child would change is undone."""
    calls = []

    def run(function, argument, *, folder, timeout):
        calls.append((function, folder, timeout))
        return json.loads(json.dumps(convert_all(json.loads(json.dumps(argument)))))

    monkeypatch.setattr(child, "run_in_child", run)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.chdir(Path.cwd())
    return calls


@pytest.fixture
def convert(tmp_path):
    """Give the function that converts one text for a parameter of a cell."""

    def run(name, value, declared=DECLARED):
        return check_parameters({name: value}, declared, tmp_path / "x.ipynb")[name]

    return run


def test_declarations_are_read_and_not_run():
    """Names, annotations, defaults and comments are source text; types and choices where they are literal."""
    assert [one.name for one in DECLARED][:3] == ["source", "path", "symbols"]
    source, kind, seconds = (BY_NAME[name] for name in ("source", "kind", "seconds"))
    assert (source.annotation, source.default, source.help) == ("str", "'sample'", "where prices come from")
    assert (kind.choices, BY_NAME["model"].choices[:2]) == (["a", "b"], ["naive", "mean"])
    assert (BY_NAME["steps"].choices, BY_NAME["horizon"].choices) == (["1", "5"], [])
    assert (BY_NAME["names"].type, seconds.type, seconds.default) == ("list", "", "60 * 60")
    assert (BY_NAME["left"].default, BY_NAME["right"].default) == ("1", "'b'")
    assert declared_parameters("import os\nos.remove('x')\n") == []
    (secret,) = declared_parameters("import os\nx: Literal[os.environ['HOME']] = ''")
    assert (secret.type, secret.choices) == ("Literal[os.environ['HOME']]", [])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("source", "000001", "000001"),
        ("source", "NAN", "NAN"),
        ("source", "True", "True"),
        ("source", "none", "none"),
        ("source", "", ""),
        ("symbols", "AAPL, MSFT,", ["AAPL", "MSFT"]),
        ("symbols", "000001", ["000001"]),
        ("symbols", "123,TRUE", ["123", "TRUE"]),
        ("symbols", '["AAPL", "NONE"]', ["AAPL", "NONE"]),
        ("symbols", "None", None),
        ("label", "null", None),
        ("scope", "none", "none"),
        ("scope", "None", None),
        ("anything", "5", "5"),
        ("start", "null", None),
        ("horizon", "20", 20),
        ("model", "boosting", "boosting"),
        ("paper", "false", False),
        ("paper", "1", True),
        ("weights", '{"a": 0.5}', {"a": 0.5}),
        ("days", "1,2,3", [1, 2, 3]),
        ("quoted", "3", 3),
        ("depth", "3", 3),
        ("depth", "sqrt", "sqrt"),
        ("depth", "none", None),
        ("step", "5", 5),
        ("steps", "5,1", [5, 1]),
        ("count", "3", 3),
        ("count", "2.5", 2.5),
        ("rate", "1e-3", 0.001),
        ("flag", "true", True),
        ("names", "a,b", ["a", "b"]),
        ("horizons", "2,3", [2, 3]),
        ("nothing", "10", 10),
        ("nothing", "007", "007"),
        ("nothing", "none", None),
        ("seconds", "7200", 7200),
        ("threads", "4", 4),
        ("left", "5", 5),
        ("right", "5", "5"),
    ],
)
def test_text_becomes_the_declared_type(convert, name, text, value):
    """The annotation says the type, or else the default when it is evaluated; text stays text."""
    found = convert(name, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "value", "plainly"),
    [
        ("start", "2012-01-31", date(2012, 1, 31), "2012-01-31"),
        ("dates", "2012-01-31,", [date(2012, 1, 31)], ["2012-01-31"]),
        ("at_", "2012-01-31T10:00", datetime(2012, 1, 31, 10), "2012-01-31T10:00:00"),  # noqa: DTZ001
        ("price", "2.50", Decimal("2.50"), "2.50"),
        ("pause", "02:30:00", timedelta(hours=2.5), "PT2H30M"),
        ("pair", "[3, 4]", (3, 4.0), [3, 4.0]),
        ("tags", "c,d", {"c", "d"}, ["c", "d"]),
        ("day", "2012-01-31", date(2012, 1, 31), "2012-01-31"),
        ("home", "/srv", Path("/srv"), "/srv"),
        ("by_month", '{"1": 0.5}', {1: 0.5}, {"1": 0.5}),
    ],
)
def test_other_types_come_as_source_that_builds_them(convert, name, text, value, plainly):
    """Evaluated behind the parameters cell; manifests write the plain form."""
    found = convert(name, text)
    names = {}
    exec(f"{CELL}\nfrom pydantic import TypeAdapter", names)  # noqa: S102 - the notebook's cells
    built = eval(found.source, names)  # noqa: S307
    assert (built, type(built)) == (value, type(value))
    assert plain(found) == plainly


def test_an_enumeration_of_the_cell_keeps_its_class(convert):
    """The cell's own, not a copy of it."""
    assert convert("side", "sell") == TypedValue("sell", 'TypeAdapter(Side).validate_python("sell")')


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("horizon", "0", "greater than or equal to 1"),
        ("horizon", "1.5", "valid integer"),
        ("horizon", "None", "valid integer"),
        ("horizon", "", "valid integer"),
        ("share", "1", "less than 1"),
        ("model", "rigde", "Did you mean 'ridge'"),
        ("kind", "c", "'a' or 'b'"),
        ("side", "sel", "Did you mean 'sell'"),
        ("paper", "maybe", "valid boolean"),
        ("start", "2012", "a date is written 2012-01-31"),
        ("start", "86400", "a date is written 2012-01-31"),
        ("start", "31.01.2012", "valid date"),
        ("dates", "2012-01-31,86400", "a date is written 2012-01-31"),
        ("rate", "fast", "valid number"),
        ("rate", "inf", "must be finite"),
        ("rate", "NaN", "must be finite"),
        ("count", "x", "got 'x': Input should be a valid number$"),
        ("days", "1,x", "valid integer"),
        ("pause", "2h", "a duration is written 02:30:00"),
        ("horizons", "2,soon", "valid number"),
        ("weights", '{"a": Infinity}', "must be finite"),
        ("weights", "a=1", "written as JSON"),
        ("symbols", '["AAPL"', r'written A,B or, as JSON, \W\["A", "B"\]'),
        ("symbols", "[AAPL,MSFT]", r'written A,B or, as JSON, \W\["A", "B"\]'),
        ("symbols", '["AAPL", 3]', "valid string"),
        ("symbols", "caf\udce9,a", "not text in UTF-8"),
        ("path", "no-such-file.csv", "there is no such file or folder"),
        ("path", " ", "it is empty; leave it out, or write . for this folder"),
        ("nothing", "1,2", "does not tell whether this is a list"),
        ("horizon", "9" * 5000, "exceeded maximum size"),
    ],
)
def test_what_does_not_fit_is_refused_with_name_and_value(convert, name, text, complaint):
    """The message is short and can be written down."""
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        convert(name, text)
    message = str(refused.value)
    assert message.startswith(f"x.ipynb: parameter '{name}' takes ")
    assert len(message) < 350
    message.encode()


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("x: Strange = 1", "its annotation Strange cannot be evaluated: NameError"),
        ("import no_such_module\nx: no_such_module.T = 1", r"cell, line 1 raised ModuleNotFoundError"),
        ("x = no_such_name", r"its default could not be evaluated .*line 1 raised NameError"),
        ("x = object()", "its default of type object does not tell what it takes; annotate"),
        ("import numpy as np\nx = np.float64(1)", "its default of type float64 does not tell"),
        ("import pandas as pd\nx: pd.Timestamp = 1", r"its type pd\.Timestamp cannot be given as text"),
        ("x = []", "its default of type list does not tell"),
        ("raise SystemExit\nx: Strange = 1", "line 1 raised SystemExit"),
    ],
)
def test_a_type_that_cannot_be_known_is_a_refusal(convert, cell, complaint):
    """It never becomes text silently."""
    with pytest.raises(ConfigurationError, match=complaint):
        convert("x", "1", declared_parameters(cell))


def test_expressions_in_the_cell_are_left_out(convert):
    """They declare nothing: prints, magics and calls wait for the run."""
    cell = "get_ipython().run_line_magic('matplotlib', 'inline')\nraiseevaluations()\nn = 3"
    assert convert("n", "7", declared_parameters(cell)) == 7


def test_paths_mean_what_the_shell_means(convert, tmp_path, monkeypatch):
    """Relative to the caller's folder, with a tilde for the home folder; the cell runs in the notebook's."""
    (tmp_path / "prices.csv").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert convert("path", "prices.csv").paths == (tmp_path / "prices.csv",)
    assert convert("path", "~/prices.csv").paths == (tmp_path / "prices.csv",)
    assert convert("folder", "~/new").plain == str(tmp_path / "new")
    assert convert("folder", "~no-such-user/x").plain == f"{tmp_path}/~no-such-user/x"
    (tmp_path / "notebooks" / "beside.py").write_text("T = int")
    declared = declared_parameters("from pathlib import Path\nfrom beside import T\nx: T = 1\nf: Path = None")
    found = check_parameters({"x": "1", "f": "a"}, declared, tmp_path / "notebooks" / "x.ipynb")
    assert (found["x"], found["f"].paths) == (1, (tmp_path / "a",))


def test_all_problems_of_all_notebooks_are_reported_together(evaluations):
    """Undeclared with a suggestion, read by no cell, and ill-typed; one child evaluates all."""
    unread = [Parameter("beta", "int", "1", read=False), Parameter("betas", "int", "1")]
    asked = [
        Asked(Path("x.ipynb"), DECLARED, {"simbols": ["A"], "horizon": ["0"], "source": ["a"]}),
        Asked(Path("y.ipynb"), unread, {"beta": ["1"], "betas": ["b"]}),
        Asked(Path("z.ipynb"), [], {"a": ["1"]}),
    ]
    with pytest.raises(ConfigurationError) as refused:
        typed_values(asked, ["before"])
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0].partition(" ")[0] for line in lines] == [
        "before", "x.ipynb", "y.ipynb", "z.ipynb", "x.ipynb", "y.ipynb",
    ]  # fmt: skip
    assert "does not declare a parameter 'simbols'. Did you mean 'symbols'? It takes: " in lines[1]
    assert lines[2] == (
        "y.ipynb declares a parameter 'beta' that none of its cells reads, so it would change nothing."
        " Did you mean 'betas'?"
    )
    assert lines[3].endswith("It takes no parameters.")
    assert len(evaluations) == 1


def test_nothing_is_evaluated_where_nothing_is_given(evaluations):
    """A run on its defaults needs no child."""
    assert check_parameters({}, DECLARED, Path("x.ipynb")) == {}
    assert evaluations == []


def test_a_cell_that_takes_too_long_is_a_refusal(monkeypatch):
    """As is one that ends its process."""

    def fail(*_, **__):
        message = "took longer than 120 s"
        raise child.ChildFailedError(message)

    monkeypatch.setattr(child, "run_in_child", fail)
    with pytest.raises(ConfigurationError, match=r"cell of x.ipynb could not be evaluated: took longer"):
        check_parameters({"count": "1"}, DECLARED, Path("x.ipynb"))


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60))
def test_a_range_is_a_range(low, high, value):
    """A whole number is taken exactly when it lies between the bounds."""
    cell = "from typing import Annotated\nfrom annotated_types import Ge, Le\n"
    declared = declared_parameters(f"{cell}x: Annotated[int, Ge({low}), Le({high})] = 0")
    if low <= value <= high:
        assert check_parameters({"x": str(value)}, declared, Path("x.ipynb")) == {"x": value}
    else:
        with pytest.raises(ConfigurationError, match="than or equal to"):
            check_parameters({"x": str(value)}, declared, Path("x.ipynb"))


@given(st.lists(st.text(st.characters(categories=("Lu", "Nd")), min_size=1), max_size=5))
def test_a_list_of_words_comes_back(words):
    """Joined by commas or written as JSON, a list is the same list."""
    for text in (",".join(words), json.dumps(words)):
        assert check_parameters({"symbols": text}, DECLARED, Path("x.ipynb")) == {"symbols": words}


@given(st.text(max_size=20), st.sampled_from(sorted(set(BY_NAME) - {"table", "empty"})))
def test_any_text_is_a_value_or_a_clear_refusal(text, name):
    """Nothing typed on a command line is a traceback; text stays as it is."""
    text = text.replace("\0", "") if name in {"path", "folder"} else text
    with contextlib.suppress(ConfigurationError):
        found = check_parameters({name: text}, DECLARED, Path("x.ipynb"))
        assert name != "source" or found == {"source": text}


def test_a_cell_that_is_not_python_is_refused():
    """The error names the line."""
    with pytest.raises(ConfigurationError, match="line 2, is not Python"):
        declared_parameters("a = 1\nb = = 2\n")


def test_a_comment_is_found_after_any_letters():
    """The syntax tree counts columns in bytes."""
    assert declared_parameters('name: str = "Zürich€"  # where\n')[0].help == "where"


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
def test_values_are_recorded_as_they_would_be_typed(value, text):
    """Lists as JSON, a set as a list in order, nothing as None."""
    assert as_typed(value) == text


@pytest.mark.parametrize("value", [None, True, 5, 1.5, b"x", ["A"], {"a": 1}, {1}, object()])
@pytest.mark.parametrize("name", ["source", "label", "anything"])
def test_numbers_and_none_do_not_become_text_silently(convert, name, value):
    """Given from Python or in a file they would reach the cell as 'None', 'true' or '5'."""
    if value is None and name != "source":
        assert convert(name, value) is None
        return
    with pytest.raises(ConfigurationError, match="it would reach the notebook as text"):
        convert(name, value)


@pytest.mark.parametrize("value", ["5", Path("/x"), date(2012, 1, 31), Decimal("1.50")])
def test_what_has_one_text_may_be_given_for_text(convert, value):
    """Paths, days and decimals are written as they are typed."""
    assert convert("source", value) == str(value)
