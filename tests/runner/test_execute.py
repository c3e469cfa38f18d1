"""One notebook, headless: its ending is an outcome, and the executed copy is always there."""

from unittest.mock import Mock

import nbformat
import pytest

from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.limits import Watch

pytestmark = pytest.mark.integration


def test_it_runs_in_its_own_folder_with_its_parameters(tmp_path, write_notebook):
    """The kernel's folder is the notebook's, as in JupyterLab."""
    notebook = write_notebook(
        tmp_path / "in" / "x.ipynb", ("n: int = 1", "parameters"), "import os\nprint(n, os.getcwd())"
    )
    counted = []
    result = execute(notebook, tmp_path / "out" / "x.ipynb", {"n": 7}, on_cell=lambda: counted.append(1))
    assert (result.name, result.outcome, result.message) == ("x", "PASSED", "")
    text = (tmp_path / "out" / "x.ipynb").read_text()
    assert f"7 {tmp_path / 'in'}" in text
    assert len(counted) == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x.ipynb"]


@pytest.mark.parametrize(
    ("source", "outcome", "text"),
    [
        ("1 / 0", ExitCode.NOTEBOOK_FAILED, "ZeroDivisionError: division by zero"),
        (
            "from sta410kit.exceptions import DataValidationError\nraise DataValidationError('bad row')",
            ExitCode.DATA_REJECTED,
            "DataValidationError: bad row",
        ),
        (
            "from sta410kit.exceptions import ConfigurationError\nraise ConfigurationError('no file')",
            ExitCode.USAGE,
            "ConfigurationError: no file",
        ),
        (
            "from sta410kit.exceptions import LeakageError\nraise LeakageError('t+1')",
            ExitCode.LEAK_FOUND,
            "t+1",
        ),
        (
            "class DataValidationError(Exception):\n    pass\nraise DataValidationError('own')",
            ExitCode.NOTEBOOK_FAILED,
            "cell In [2]: DataValidationError: own",
        ),
        ("import os\nos._exit(1)", ExitCode.NOTEBOOK_FAILED, "Kernel died with exit code 1"),
    ],
)
def test_a_failing_cell_is_an_outcome_and_is_saved(tmp_path, write_notebook, source, outcome, text):
    """A kit exception keeps its own code, anything else is a failed notebook; the page shows the cell."""
    notebook = write_notebook(tmp_path / "x.ipynb", "print('before')", source, "print('after')")
    result = execute(notebook, tmp_path / "runs" / "x.ipynb", {})
    assert result.outcome == outcome.name
    assert text in result.message
    saved = nbformat.read(tmp_path / "runs" / "x.ipynb", as_version=4)
    assert "before" in str(saved.cells)
    assert "after\\n" not in str([cell.get("outputs") for cell in saved.cells])


def test_a_notebook_that_names_no_kernel_gets_pythons(tmp_path, write_notebook):
    """Its metadata is empty, as written by hand; braces in its name are only letters."""
    path = write_notebook(tmp_path / "odd{red}.ipynb", ("n: int = 1", "parameters"), "print(n)")
    notebook = nbformat.read(path, as_version=4)
    del notebook.metadata["kernelspec"]
    nbformat.write(notebook, path)
    result = execute(path, tmp_path / "out{red}.ipynb", {"n": 7})
    assert (result.outcome, result.message) == ("PASSED", "")
    assert (tmp_path / "out{red}.ipynb").is_file()


SLEEP = "import time\ntime.sleep(600)"
HOARD = f"x = b'x' * 1_000_000_000\n{SLEEP}"


@pytest.mark.parametrize(
    ("limits", "source", "outcome", "text"),
    [
        ({"seconds": 0.3}, SLEEP, ExitCode.TIMED_OUT, "longer than 0.3 seconds"),
        ({"memory": 1200 * 1024**2}, HOARD, ExitCode.OUT_OF_MEMORY, "MiB of memory, 1,200 are allowed"),
    ],
)
def test_a_step_that_uses_more_than_it_may_is_ended(  # noqa: PLR0913, PLR0917 - a case has many parts
    tmp_path, write_notebook, begun, limits, source, outcome, text
):  # fmt: skip
    """Time and memory are enforced while it runs; the saved notebook says where it was."""
    source = begun + source
    notebook = write_notebook(tmp_path / "x.ipynb", source, "print('after')")
    result = execute(notebook, tmp_path / "out.ipynb", {}, watch=Watch(**limits))
    assert result.outcome == outcome.name
    assert text in result.message
    assert result.seconds < 300
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert text in cells[0].source
    assert cells[1].source == source
    assert cells[1].outputs[-1].ename == "KeyboardInterrupt"


def test_a_deadline_that_is_over_ends_a_step_before_it_has_begun(tmp_path, write_notebook):
    """No cell is waited for."""
    result = execute(
        write_notebook(tmp_path / "x.ipynb", SLEEP), tmp_path / "o.ipynb", {}, watch=Watch(deadline=0)
    )
    assert (result.outcome, result.message) == ("TIMED_OUT", "the run's deadline is over")
    assert result.seconds < 300


def test_what_the_tools_themselves_break_is_an_outcome_too(tmp_path, write_notebook, monkeypatch):
    """An internal error keeps its traceback beside the notebook, and no exception leaves."""
    broken = Mock(side_effect=RuntimeError("out of sockets"))
    monkeypatch.setattr("sta410kit.runner.execute.CellSession.execute", broken)
    result = execute(write_notebook(tmp_path / "x.ipynb", "1"), tmp_path / "out.ipynb", {})
    assert result.outcome == "INTERNAL"
    assert result.message == "RuntimeError: out of sockets; more in out.kernel.log"
    assert "Traceback" in (tmp_path / "out.kernel.log").read_text()


def test_a_full_disk_is_no_defect(tmp_path, write_notebook, monkeypatch):
    """The message says what could not be written."""
    full = Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr("sta410kit.runner.execute.write_text", full)
    result = execute(write_notebook(tmp_path / "x.ipynb", "1"), tmp_path / "out.ipynb", {})
    assert result.outcome == "NOTEBOOK_FAILED"
    assert "could not be saved: [Errno 28] No space left on device" in result.message
