"""``sta410 leaks`` as a user types it."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from sta410kit.cli.leaks import leaks
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.functions import import_function
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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder with a module of functions and a file of prices the current one."""
    (tmp_path / "my_functions_of_prices.py").write_text(SOURCE)
    (tmp_path / "broken_functions_of_prices.py").write_text("import not_there_at_all\n")
    (tmp_path / "wrong_functions_of_prices.py").write_text("1 / 0\n")
    (tmp_path / "ending_functions_of_prices.py").write_text("raise SystemExit(0)\n")
    synthetic_prices(seed=3).to_csv(tmp_path / "prices.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in [name for name in sys.modules if name.endswith(("_functions_of_prices", "fm"))]:
        del sys.modules[name]


def call(*words):
    """Return the exit code and what went to standard output."""
    done = CliRunner().invoke(leaks, [*words], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.return_value, done.stdout


@pytest.mark.slow
def test_a_leak_ends_with_5_and_none_with_0(folder):
    """As a subprocess, from the folder the module lies in."""

    def run(name):
        words = ["leaks", f"my_functions_of_prices:{name}", "--data", "prices.csv", "--cutoffs", "5"]
        command = [sys.executable, "-m", "sta410kit", *words]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    found, none = run("ahead"), run("honest")
    assert (found.returncode, none.returncode) == (5, 0), found.stderr + none.stderr
    assert "leak probe: LEAK - 1 of 1 columns, 5 cutoffs" in found.stdout
    assert "(uses t+1)" in found.stdout
    assert none.stdout.startswith("leak probe: no leak found")  # what the function prints goes elsewhere


@pytest.mark.usefixtures("folder")
def test_json_holds_the_whole_report():
    """And nothing else, although the function prints."""
    words = ["my_functions_of_prices:honest", "--data", "prices.csv", "--cutoffs", "4"]
    code, told = call(*words, "--json", "--warmup", "--revisions")
    report = json.loads(told)
    assert code is ExitCode.PASSED
    assert report["warmup"] == {"x": 1}
    assert len(report["cutoffs"]) == 4
    assert "warm-up: x depends for the first session on" in call(*words, "--warmup")[1]


@pytest.mark.usefixtures("folder")
def test_execution_and_horizon_are_declared():
    """They turn one verdict into another."""
    data = ["--data", "prices.csv", "--cutoffs", "4"]
    assert call("my_functions_of_prices:Family.range", *data)[0] is ExitCode.PASSED
    assert (
        call("my_functions_of_prices:Family.range", *data, "--execution", "close")[0] is ExitCode.LEAK_FOUND
    )
    for horizon in ("1", "x=1"):
        assert call("my_functions_of_prices:ahead", *data, "--horizon", horizon)[0] is ExitCode.PASSED


@pytest.mark.usefixtures("folder")
def test_chance_is_no_leak_and_no_pass():
    """Exit code 2: there is no judging it."""
    code, told = call("my_functions_of_prices:chance", "--data", "prices.csv", "--cutoffs", "4")
    assert code is ExitCode.USAGE
    assert "not deterministic" in told


@pytest.mark.parametrize("file", ["fm.py", "./fm.py", "./fm", "sub/../fm.py", "{folder}/fm.py"])
@pytest.mark.parametrize("colon", [":", "::"])
def test_a_file_names_its_module(folder, file, colon):
    """With and without its folder; pytest's two colons are understood as well."""
    (folder / "sub").mkdir()
    (folder / "fm.py").write_text("def build(prices):\n    return 'found'\n")
    assert import_function(file.format(folder=folder) + colon + "build", [])(None) == "found"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("target", "text"),
    [
        (["my_functions_of_prices"], "type module:function"),
        (["my_functions_of_prices:"], "type module:function"),
        (["my_functions_of_prices:honset"], "Did you mean 'honest'"),
        (["my_functions_of_prices:number"], "is int and no function"),
        (["no_such_module_anywhere:build"], "no module 'no_such_module_anywhere'"),
        (["broken_functions_of_prices:build"], "it needs 'not_there_at_all'"),
        (["wrong_functions_of_prices:build"], "ZeroDivisionError"),
        (["ending_functions_of_prices:build"], "importing .* failed: SystemExit: 0"),
        (["my_functions_of_prices:ends"], "raised SystemExit: 0 on the unchanged prices"),
        (["not_there.py:honest"], "there is no file .*not_there.py; type module:function"),
        (["./not_there:honest"], "there is no file .*not_there.py; type module:function"),
        (["my_functions_of_prices:honest", "--horizon", "soon"], "--horizon is 'soon'; give sessions, as 5"),
        (["my_functions_of_prices:honest", "--horizon", "x=soon"], "--horizon is 'x=soon'"),
        (["my_functions_of_prices:honest", "--horizon", "y=5"], "horizon names the column 'y'"),
        (["my_functions_of_prices:honest", "--horizon", "-1"], "horizon is -1"),
    ],
)
def test_a_wrong_target_is_refused(target, text):
    """The message says what to type instead; the exit code is that of wrong use."""
    with pytest.raises(ConfigurationError, match=text) as error:
        call(*target)
    assert error.value.exit_code is ExitCode.USAGE


def test_the_nearest_folder_wins(folder):
    """A module of the current folder hides one of the same name in the project."""
    (folder / "near").mkdir()
    (folder / "near" / "my_functions_of_prices.py").write_text("def honest(prices):\n    return 'near'\n")
    assert import_function("my_functions_of_prices:honest", [folder / "near", folder])(None) == "near"
