"""Notebooks executed anew against the outputs they hold."""

import os

import nbformat
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.comparison.tolerance import Tolerance
from sta410kit.runner.limits import Watch
from sta410kit.runner.regression.compare import regress
from sta410kit.runner.regression.run import print_regressions, regress_all

pytestmark = pytest.mark.integration

TABLE = "import pandas as pd\npd.DataFrame({'symbol': ['IBM', 'FB'], 'close': [1.5, 2.0]})"


@pytest.fixture
def commit(tmp_path, write_notebook):
    """Give the function that writes a notebook with the outputs it has now."""

    def write(*cells, name="x.ipynb"):
        path = write_notebook(tmp_path / name, *cells)
        assert regress(path, Tolerance(), update=True).outcome is ExitCode.PASSED
        return path

    return write


def edit(path, number, source=None, tags=None):
    """Give a cell another source or other tags; its outputs stay."""
    notebook = nbformat.read(path, as_version=4)
    cell = notebook.cells[number]
    cell["source"] = source or cell["source"]
    cell["metadata"]["tags"] = tags or cell["metadata"]["tags"]
    nbformat.write(notebook, path)


def test_what_is_as_committed_passes_and_nothing_is_written(commit):
    """Times, paths and addresses of this run do not count."""
    path = commit(
        "import time, os\nprint(time.strftime('%Y-%m-%d %H:%M:%S'), object(), os.getcwd())",
        "#! A heading",
        TABLE,
        "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    )
    before = path.read_bytes()
    found = regress(path, Tolerance())
    assert (found.outcome, found.cells, found.compared, found.message) == (ExitCode.PASSED, [], 3, "")
    assert path.read_bytes() == before


def test_what_differs_is_named_with_cell_value_and_tolerance(commit, capsys):
    """Exit code 4; the committed outputs stay."""
    path = commit("1", TABLE)
    edit(path, 1, TABLE.replace("2.0", "2.5"))
    before = path.read_bytes()
    found = regress(path, Tolerance(rtol=0.01))
    assert found.outcome is ExitCode.NOTEBOOK_FAILED
    (cell,) = found.cells
    assert (cell.cell, cell.code, cell.tolerance) == (2, "import pandas as pd", "rtol 0.01, atol 1e-12")
    assert cell.differences == ["row 1 of column close: expected 2.0, got 2.5"]
    assert path.read_bytes() == before
    print_regressions([found])
    captured = capsys.readouterr()
    assert "x.ipynb, cell 2 (import pandas as pd); tolerance rtol 0.01" in captured.err
    assert "expected 2.0, got 2.5" in captured.err
    assert "sta410 regress --update" in captured.err
    assert "1 different" in captured.out


def test_update_replaces_only_what_differs(commit, capsys):
    """The rest of the file stays as it is; the difference is shown."""
    path = commit("print('same')", TABLE)
    before = nbformat.read(path, as_version=4)
    edit(path, 1, TABLE.replace("2.0", "2.5"))
    found = regress(path, Tolerance(), update=True)
    assert (found.outcome, found.updated) == (ExitCode.PASSED, True)
    after = nbformat.read(path, as_version=4)
    assert after.cells[0] == before.cells[0]
    assert "2.5" in str(after.cells[1].outputs)
    assert "papermill" not in str(after)
    assert regress(path, Tolerance()).cells == []
    print_regressions([found])
    captured = capsys.readouterr()
    assert "1 updated" in captured.out
    assert "expected 2.0, got 2.5" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize(
    ("tags", "source", "passes"),
    [
        (["rtol=0.5"], "print(2.5)", True),
        (["rtol=0.1"], "print(2.5)", False),
        (["regress-skip"], "print(9)", True),
        (["nbval-ignore-output"], "print(9)", True),
        (["x"], "# NBVAL_IGNORE_OUTPUT\nprint(9)", True),
        (["NBVAL_SKIP"], "1 / 0", True),
        (["nbval-check-output"], "print(9)", False),
        (["nbval-raises-exception", "regress-skip"], "1 / 0", True),
    ],
)
def test_tags_of_the_kit_and_of_nbval_are_honoured(commit, tags, source, passes):
    """Tolerances, cells that are not compared, and cells that are not executed or may raise."""
    path = commit("print(2.0)", "print('after')")
    edit(path, 0, source, tags)
    found = regress(path, Tolerance())
    assert found.outcome is (ExitCode.PASSED if passes else ExitCode.NOTEBOOK_FAILED)
    assert bool(found.cells) is not passes


def test_a_notebook_that_fails_is_never_a_reference(commit, capsys):
    """With the kit's exit code for what a cell raised, also when updating."""
    path = commit("print(1)")
    source = "from sta410kit.exceptions import DataValidationError\nraise DataValidationError('bad')"
    edit(path, 0, source)
    before = path.read_bytes()
    found = regress(path, Tolerance(), update=True)
    assert found.outcome is ExitCode.DATA_REJECTED
    assert path.read_bytes() == before
    print_regressions([found])
    assert "x.ipynb failed: cell In [1]: DataValidationError: bad" in capsys.readouterr().err


def test_a_time_limit_holds(commit):
    """As for a run."""
    path = commit("print(1)")
    edit(path, 0, "import time\ntime.sleep(600)")
    assert regress(path, Tolerance(), watch=Watch(0.3)).outcome is ExitCode.TIMED_OUT


def test_a_malformed_tag_is_refused_before_anything_runs(commit):
    """With the notebook and the cell."""
    path = commit("1")
    edit(path, 0, None, ["rtol=much"])
    with pytest.raises(ConfigurationError, match=r"x\.ipynb, cell 1: tag 'rtol=much'"):
        regress(path, Tolerance())


def test_several_run_side_by_side_and_one_twice_is_one(commit, monkeypatch, tmp_path):
    """Outside a project they have to be named."""
    paths = [commit("print(1)", name="a.ipynb"), commit("print(2)", name="b.ipynb")]
    edit(paths[1], 0, "print(3)")
    found = regress_all([*paths, paths[0]], Tolerance(), jobs=2)
    assert [one.outcome for one in found] == [ExitCode.PASSED, ExitCode.NOTEBOOK_FAILED]
    assert found[1].to_dict()["cells"][0]["differences"] == ["stdout: expected 2, got 3"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="name notebooks: sta410 regress NOTEBOOK"):
        regress_all([], Tolerance())


def test_without_names_it_is_the_projects_chain(project, monkeypatch):
    """On their defaults; a step that cannot run alone fails."""
    monkeypatch.chdir(project)
    found = regress_all([], Tolerance())
    assert [one.notebook.name for one in found] == ["one.ipynb", "two.ipynb"]


def test_trials_are_counted_from_nothing(tmp_path, write_notebook, monkeypatch):
    """What was tried in the project does not show in the verdict, and its ledger gets no entry of this."""
    theirs = str(tmp_path / "theirs.sqlite")
    monkeypatch.setenv("STA410_LEDGER", theirs)
    path = write_notebook(tmp_path / "x.ipynb", "import os\nprint('theirs' in os.environ['STA410_LEDGER'])")
    assert regress(path, Tolerance(), update=True).outcome is ExitCode.PASSED
    (found,) = regress_all([path], Tolerance())
    assert "True" in found.cells[0].differences[0]
    assert "False" in found.cells[0].differences[0]
    assert os.environ["STA410_LEDGER"] == theirs
