"""``sta410 leaks`` as a user types it."""

import json
import sys

import pytest
from click.testing import CliRunner

from sta410kit.cli.leaks import import_function, leaks
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from tests.guards.leakage.corpus.synthetic import synthetic_prices

pytestmark = pytest.mark.integration

SOURCE = """
import random

def honest(prices):
    print("working")
    return prices[["symbol", "date"]].assign(x=prices.groupby("symbol")["close"].pct_change())

def ahead(prices):
    return prices[["symbol", "date"]].assign(x=prices.groupby("symbol")["close"].shift(-1))

def chance(prices):
    return prices[["symbol", "date"]].assign(x=random.random())

def ends(prices):
    raise SystemExit(0)

class Family:
    @staticmethod
    def range(prices):
        return prices[["symbol", "date"]].assign(x=prices["high"])

number = 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Change into a folder with modules of functions and a file of prices."""
    (tmp_path / "my_functions.py").write_text(SOURCE)
    (tmp_path / "broken_functions.py").write_text("import not_there_at_all\n")
    (tmp_path / "wrong_functions.py").write_text("1 / 0\n")
    (tmp_path / "ending_functions.py").write_text("raise SystemExit(0)\n")
    synthetic_prices(seed=3).to_csv(tmp_path / "prices.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.endswith("_functions")]:
        del sys.modules[name]


def call(target, *options):
    """Return the exit code and standard output."""
    words = [f"my_functions:{target}", "--data", "prices.csv", "--cutoffs", "4", *options]
    done = CliRunner().invoke(leaks, words, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, done.stdout


def test_a_leak_ends_with_5_and_an_honest_function_with_0():
    """What the function prints does not get into the report."""
    code, output = call("ahead")
    assert code is ExitCode.LEAK_FOUND
    assert "leak probe: LEAK - 1 of 1 columns, 4 cutoffs" in output
    assert "(uses t+1)" in output
    code, output = call("honest")
    assert code is ExitCode.PASSED
    assert output.startswith("leak probe: no leak found")


def test_json_is_the_whole_report():
    """And nothing else, although the function prints."""
    code, output = call("honest", "--json", "--warmup", "--revisions")
    report = json.loads(output)
    assert code is ExitCode.PASSED
    assert report["warmup"] == {"x": 1}
    assert len(report["cutoffs"]) == 4
    assert "warm-up: x depends for the first session on" in call("honest", "--warmup")[1]


def test_execution_and_horizon_change_the_verdict():
    """A range of today's bar may not be traded at today's close; a target may look ahead."""
    assert call("Family.range")[0] is ExitCode.PASSED
    assert call("Family.range", "--execution", "close")[0] is ExitCode.LEAK_FOUND
    for horizon in ("1", "x=1"):
        assert call("ahead", "--horizon", horizon)[0] is ExitCode.PASSED


def test_a_random_function_cannot_be_judged():
    """Exit code 2: neither a leak nor a pass."""
    code, output = call("chance")
    assert code is ExitCode.USAGE
    assert "not deterministic" in output


@pytest.mark.parametrize(
    ("target", "options", "text"),
    [
        ("honset", [], "Did you mean 'honest'"),
        ("number", [], "is int and no function"),
        ("ends", [], "raised SystemExit: 0 on the unchanged prices"),
        ("honest", ["--horizon", "soon"], "--horizon is 'soon'; give sessions, as 5"),
        ("honest", ["--horizon", "x=soon"], "--horizon is 'x=soon'"),
        ("honest", ["--horizon", "y=5"], "horizon names the column 'y'"),
        ("honest", ["--horizon", "-1"], "horizon is -1"),
    ],
)
def test_a_function_that_cannot_be_probed_is_refused(target, options, text):
    """With the exit code of wrong usage."""
    with pytest.raises(ConfigurationError, match=text) as error:
        call(target, *options)
    assert error.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("my_functions", "type module:function"),
        ("my_functions:", "type module:function"),
        ("no_such_module_anywhere:build", "no module 'no_such_module_anywhere'"),
        (
            "broken_functions:build",
            "importing broken_functions failed: ModuleNotFoundError: No module named 'not_there_at_all'",
        ),
        ("wrong_functions:build", "ZeroDivisionError"),
        ("ending_functions:build", "importing .* failed: SystemExit: 0"),
        ("not_there.py:honest", "there is no file .*not_there.py; type module:function"),
    ],
)
def test_a_function_that_cannot_be_imported_is_refused(folder, target, text):
    """The message says what to type instead."""
    with pytest.raises(ConfigurationError, match=text):
        import_function(target, [folder])


@pytest.mark.parametrize(
    "name", ["fm_functions.py", "./fm_functions", "sub/../fm_functions.py", "{0}/fm_functions.py"]
)
@pytest.mark.parametrize("colon", [":", "::"])
def test_a_file_names_its_module(folder, name, colon):
    """With and without its folder; pytest's two colons are understood as well."""
    (folder / "sub").mkdir()
    (folder / "fm_functions.py").write_text("def build(prices):\n    return 'found'\n")
    assert import_function(name.format(folder) + colon + "build", [])(None) == "found"
