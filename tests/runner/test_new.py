"""`sta410 new`: what it makes runs at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from sta410kit.cli.entry import cli
from sta410kit.exceptions import ConfigurationError
from sta410kit.market import load_prices

BIN = Path(sys.executable).parent


def ask(*words):
    return CliRunner().invoke(cli, ["new", *words], standalone_mode=False)


def run(*words, cwd):
    environment = {**os.environ, "STA410_LEDGER": str(cwd / "trials.sqlite")}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Make a project and change into it."""
    assert ask("project", str(tmp_path / "own")).return_value == 0
    monkeypatch.chdir(tmp_path / "own")
    return tmp_path / "own"


def test_a_project_has_what_its_readme_names(made):
    """Notebooks without outputs, suites, tests, CI; the requirements name the kit."""
    assert sorted(path.name for path in made.iterdir()) == [
        ".env.example", ".github", ".gitignore", "Makefile", "README.md", "expectations", "notebooks",
        "requirements.txt", "tests",
    ]  # fmt: skip
    notebooks = [json.loads(path.read_text("utf-8")) for path in (made / "notebooks").glob("*.ipynb")]
    assert len(notebooks) == 7
    assert not any(cell.get("outputs") for notebook in notebooks for cell in notebook["cells"])
    assert "# own\n" in (made / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_everything_that_new_makes_passes_its_test_and_runs_as_it_says(made):
    """Each in one command, none edited; then what it says comes next, word for word."""
    load_prices(symbols=["IBM"], start="2010-01-01").to_csv("PRICES.csv", index=False)
    said = []
    for what in ("feature mine", "feature mine_too", "model Mine", "notebook look", "source vendor",
                 "expectation no_jumps"):  # fmt: skip
        asked = ask(*what.split())
        assert asked.return_value == 0
        said += [line.partition("  #")[0].strip() for line in asked.output.partition("next:")[2].splitlines()]
    told = [line.removeprefix("python -m pytest ") for line in said if line.startswith("python -m pytest ")]
    tests = run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *dict.fromkeys(told), cwd=made
    )
    assert tests.returncode == 0, tests.stdout
    assert "6 passed" in tests.stdout
    commands = [line.split() for line in dict.fromkeys(said) if line.startswith("sta410 ")]
    assert [words[1] for words in commands] == ["run", "run", "run", "sweep", "fetch", "run", "validate"]
    for words in commands:
        done = run(BIN / "sta410", *words[1:], cwd=made)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    first = min((made / "runs").glob("2*/features.parquet"))
    assert {"mine", "mine_too"} <= set(pd.read_parquet(first).columns)


@pytest.mark.slow
def test_a_minimal_project_passes_its_test(tmp_path):
    """Two notebooks, one after the other."""
    assert ask("project", str(tmp_path / "small"), "--minimal").return_value == 0
    names = sorted(path.name for path in (tmp_path / "small" / "notebooks").iterdir())
    assert names == ["01_prices.ipynb", "02_forecast.ipynb", "pipeline.toml"]
    tests = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "small")
    assert tests.returncode == 0, tests.stdout


def test_an_expectation_is_declared_and_judges_as_a_warning(made):
    """In the suite `prices`, under the name of its class; a second one joins the module."""
    ask("expectation", "NoJumps")
    ask("expectation", "expect_no_holes")
    assert "class ExpectNoHoles(BlockExpectation)" in (made / "my_expectations.py").read_text("utf-8")
    asked = json.loads((made / "expectations" / "prices.json").read_text("utf-8"))["expectations"][-2:]
    assert [(one["type"], one["meta"]) for one in asked] == [
        ("expect_no_jumps", {"severity": "warning"}),
        ("expect_no_holes", {"severity": "warning"}),
    ]
    code = "from sta410kit.market import load_prices\nfrom sta410kit.guards import validate\n"
    code += "frame = load_prices(symbols=['IBM'])\nframe.loc[9:, 'adj_close'] *= 9\n"
    code += "print([c.rows[0]['date'] for c in validate(frame, 'prices').checks if c.expectation.startswith"
    code += "(('expect_no_j', 'expect_no_h'))])"
    found = run(sys.executable, "-c", code, cwd=made)
    assert found.stdout == "['2000-03-14', '2000-03-14']\n", found.stderr


def test_a_feature_is_declared_once_and_its_suites_expect_it(made):
    """The declaration stands before the first step, and comments stay."""
    ask("feature", "mine")
    assert ask("feature", "mine_too").output.splitlines()[:2] == [
        "changed my_features.py",
        "changed tests/test_my_features.py",
    ]
    text = (made / "notebooks" / "pipeline.toml").read_text("utf-8")
    assert text.startswith('modules = ["my_features"]\n\n# The chain:')
    for suite in ("features", "training"):
        content = json.loads((made / "expectations" / f"{suite}.json").read_text("utf-8"))
        kinds = [one["type"] for one in content["expectations"] if one["kwargs"].get("column") == "mine"]
        assert sorted(kinds) == [
            "expect_column_to_exist",
            "expect_column_values_to_be_between",
            "expect_column_values_to_be_in_type_list",
            "expect_column_values_to_not_be_null",
        ]


def test_a_source_is_found_by_its_name(made):
    """A second one joins the same table."""
    ask("source", "one")
    ask("source", "two_of_them")
    text = (made / "notebooks" / "pipeline.toml").read_text("utf-8")
    assert text.count("[sources]") == 1
    code = "from sta410kit.market.sources import open_source\nprint(open_source('two_of_them').name)"
    found = run(sys.executable, "-c", code, cwd=made)
    assert found.stdout == "two_of_them\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("feature", "return_5"), "there is a feature 'return_5' in sta410kit.research.features.returns"),
        (("feature", "1x"), "'1x' cannot name a feature"),
        (("expectation", "rows_in_order"), "there is an expectation 'expect_rows_in_order' in sta410kit"),
        (("model", "class"), "'class' cannot name a model"),
        (("notebook", "../up"), "'../up' cannot name a notebook"),
        (("notebook", "01_ingest"), "'01_ingest' cannot name a notebook"),
        (("project", "."), "is not empty; name a new folder"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(made, words, message):
    """Nothing is written."""
    before = sorted(made.rglob("*"))
    refused = ask(*words).exception
    assert isinstance(refused, ConfigurationError)
    assert message in str(refused)
    assert sorted(made.rglob("*")) == before


@pytest.mark.usefixtures("made")
def test_what_is_there_is_not_replaced():
    """A model of that name, a notebook of that name."""
    ask("model", "Mine")
    ask("notebook", "look")
    for words in (("model", "Mine"), ("notebook", "look")):
        assert "choose another name" in str(ask(*words).exception)


def test_outside_a_project_it_says_how_to_make_one(tmp_path, monkeypatch):
    """Only a project is made anywhere."""
    monkeypatch.chdir(tmp_path)
    assert "sta410 new project DIR" in str(ask("feature", "mine").exception)
