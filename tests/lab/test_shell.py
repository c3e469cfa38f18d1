"""Magics, errors in one line, progress and links, in an IPython shell."""

import atexit
import re

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from sta410kit import lab, steps
from sta410kit._internal import long_work
from sta410kit.lab import shell as kit_shell
from sta410kit.lab.display import address
from sta410kit.lab.exploration import Exploration
from sta410kit.lab.shell import extend
from tests.runner.conftest import save

pytestmark = pytest.mark.integration


@pytest.fixture
def project(tmp_path):
    """Make a project whose one step doubles a number."""
    save(
        tmp_path / "notebooks" / "one.ipynb",
        ("start: int = 2\nrun_dir: str | None = None", "parameters"),
        "from pathlib import Path\n(Path(run_dir) / 'double.txt').write_text(f'{2.0 * start}')",
    )
    declared = '[[step]]\nnotebook = "one.ipynb"\nproduces = { double = "double.txt" }\n'
    (tmp_path / "notebooks" / "pipeline.toml").write_text(declared)
    return tmp_path


def new_shell():
    """Make a shell without a history, which would be a file of the user's."""
    made = InteractiveShell(config=Config(HistoryManager={"enabled": False, "hist_file": ":memory:"}))
    atexit.unregister(made.atexit_operations)
    return made


@pytest.fixture
def shell(project, monkeypatch):
    """Give a shell with the extension, in a project of two steps."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(steps, "_explored", [])
    monkeypatch.setattr(long_work, "_watchers", [])
    made = new_shell()
    lab.load_ipython_extension(made)
    return made


def test_the_gate_judges_what_a_cell_ends_with(shell):
    """Variables of the cell stay; the result has the failures, and pages in the data docs."""
    shell.run_cell("from sta410kit.market import load_prices").raise_error()
    cell = "%%gate prices\nbad = load_prices(symbols=['IBM'])\nbad.loc[9, 'close'] *= 100\nbad"
    result = shell.run_cell(cell).result
    assert result.suite == "prices"
    assert [check.expectation for check in result.critical][:1] == ["expect_prices_within_bar"]
    assert len(shell.user_ns["bad"]) == 3270


def test_leaks_probes_a_function_of_the_notebook(shell):
    """A function that looks ahead is found; a name that is none has the nearest one beside it."""
    shell.run_cell(
        "def tomorrow(prices):\n    return prices.groupby('symbol')['close'].shift(-1)"
    ).raise_error()
    report = shell.run_cell("%leaks tomorrow").result
    assert report.leaks
    assert "Did you mean 'tomorrow'?" in str(shell.run_cell("%leaks tomorow").error_in_exec)


def test_run_chain_runs_the_project_and_shows_how_it_ended(shell):
    """With parameters as typed; a wrong one is refused before anything runs."""
    result = shell.run_cell("%run_chain -p start=5").result
    assert result.outcome.name == "PASSED"
    assert (result.folder / "double.txt").read_text() == "10.0"
    assert "report.html" in result._repr_html_()
    assert "strat" in str(shell.run_cell("%run_chain -p strat=5").error_in_exec)


@pytest.mark.parametrize(
    ("text", "offered"),
    [("%run_chain -p st", "start="), ("%%gate pri", "prices"), ("%leaks lo", "load_prices")],
)
def test_magics_complete_what_they_take(shell, text, offered):
    """Parameters of the chain, suites, functions of the notebook."""
    shell.run_cell("from sta410kit.market import load_prices").raise_error()
    with provisionalcompleter():
        found = {one.text for one in shell.Completer.completions(text, len(text))}
    assert offered in found


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("from sta410kit.exceptions import DataLoadingError\nraise DataLoadingError('no file x')",
         "DataLoadingError: no file x"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt: interrupted"),
    ],
)  # fmt: skip
def test_a_refusal_and_an_interrupt_are_one_line(shell, capsys, cell, line):
    """The cell has failed all the same, and the traceback is there for who wants it."""
    assert not shell.run_cell(cell).success
    shown = re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out).strip()
    assert shown == f"{line}  (%tb shows the traceback)"
    shell.run_cell("%tb")
    assert "Traceback" in capsys.readouterr().out


@pytest.mark.usefixtures("shell")
def test_long_work_shows_one_line_and_short_work_none(monkeypatch, capsys):
    """The line is about folds that are done, of how many."""
    assert list(long_work.reported("abc", "fold", 3)) == ["a", "b", "c"]
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(kit_shell, "_LONG", 0.0)
    list(long_work.reported("abc", "fold", 3))
    assert "1 of 3 folds" in capsys.readouterr().out


def test_a_page_that_a_cell_has_written_is_linked(project, monkeypatch, capsys):
    """The address is the one under which Jupyter's server has the file."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(long_work, "_watchers", [])
    monkeypatch.setenv("STA410_LAB_ROOT", str(project))
    monkeypatch.setenv("STA410_LAB_URL", "/user/me/")
    made = new_shell()
    exploration = Exploration(made.user_ns)
    extend(made, exploration)
    page = exploration.folder / "02 x" / "data_docs" / "index.html"
    made.run_cell(
        f"from pathlib import Path\np = Path({str(page)!r})\np.parent.mkdir(parents=True)\np.write_text('')"
    )
    assert f"data docs: {page}" in capsys.readouterr().out
    made.run_cell("1")
    assert "data docs" not in capsys.readouterr().out
    assert address(page) == "/user/me/files/runs/explore/02%20x/data_docs/index.html"
