"""Completion: the shells' scripts, and the names of this project behind them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from sta410kit._internal.project import find_project
from sta410kit.cli.entry import cli
from sta410kit.runner.manifest import Manifest

PROJECT = find_project(Path(__file__))


def completed(*words):
    """Return what would be offered for the last word."""
    *before, last = words
    found = ShellComplete(cli, {}, "sta410", "_STA410_COMPLETE").get_completions(list(before), last)
    return [item.value for item in found]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sw"], ["sweep"]),
        (["sweep", "notebooks/04_train.ipynb", "-g", "m"], ["model="]),
        (["sweep", "notebooks/04_train.ipynb", "-g", "model=ri"], ["model=ridge"]),
        (["sweep", "notebooks/04_train.ipynb", "-g", "model=ridge,n"], ["model=ridge,naive"]),
        (["sweep", "notebooks/04_train.ipynb", "-p", "horizon="], []),
        (["sweep", "no-such.ipynb", "-g", ""], []),
        (["run", "notebooks/06_forecast.ipynb", "-p", "eq"], ["equity="]),
        (["run", "-p", "so"], ["source="]),
        (["run", "-p", "run_d"], []),
        (["run", "--from", "04"], ["04_train"]),
        (["run", "--to", "05"], ["05_evaluate"]),
        (["validate", "x.csv", "--suite", "pri"], ["prices"]),
        (["completion", "f"], ["fish"]),
    ],
)
def test_names_of_the_project_are_offered(monkeypatch, words, offered):
    """Parameters with their choices, steps and suites; nothing where something is wrong."""
    monkeypatch.chdir(PROJECT)
    assert completed(*words) == offered


@pytest.mark.unit
def test_outside_a_project_nothing_is_offered(monkeypatch, tmp_path):
    """And nothing is raised either."""
    monkeypatch.chdir(tmp_path)
    assert completed("run", "-p", "") == []
    assert completed("run", "--from", "") == []


@pytest.mark.unit
def test_runs_are_offered_newest_first(monkeypatch, tmp_path):
    """With what they were; one whose manifest cannot be read too."""
    monkeypatch.chdir(tmp_path)
    for name in ("20260101-000000-aaaa", "20260102-000000-bbbb"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    Manifest("20260102-000000-bbbb", outcome="PASSED").write(tmp_path / "runs" / "20260102-000000-bbbb")
    before = ShellComplete(cli, {}, "sta410", "_STA410_COMPLETE")
    for words in (["show"], ["verify"], ["diff"], ["diff", "20260101-000000-aaaa"]):
        found = before.get_completions(words, "2026")
        assert [(item.value, item.help) for item in found] == [
            ("20260102-000000-bbbb", "chain, PASSED"),
            ("20260101-000000-aaaa", None),
        ]


@pytest.mark.integration
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell):
    """It asks the command itself."""
    script = subprocess.check_output([sys.executable, "-m", "sta410kit", "completion", shell], text=True)
    assert f"_STA410_COMPLETE={shell}_complete" in script


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_names_of_parameters():
    """Values behind the equals sign are words of their own to bash, and are not offered."""
    script = (
        "source <(sta410 completion bash)\n"
        "COMP_WORDS=(sta410 sweep notebooks/04_train.ipynb -g mod)\nCOMP_CWORD=4\n"
        '_sta410_completion sta410\nprintf "<%s>" "${COMPREPLY[@]}"\n'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=PROJECT, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "<model=>"
