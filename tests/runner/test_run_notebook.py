"""A notebook from Python: what ended it comes back as an exception of the same class."""

import nbformat
import pytest

from sta410kit.exceptions import DataValidationError, LeakageError, NotebookError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner import run_notebook

pytestmark = pytest.mark.integration


def test_it_returns_the_run(tmp_path, write_notebook, capfd):
    """Parameters are Python values; nothing is said on the terminal."""
    notebook = write_notebook(
        tmp_path / "x.ipynb", ("n: int = 1\nw: list[str] = []", "parameters"), "print(n, w)"
    )
    run = run_notebook(str(notebook), {"n": 7, "w": ["a", "b"]})
    assert run.outcome is ExitCode.PASSED
    assert "7 ['a', 'b']" in (run.folder / "x.ipynb").read_text()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [DataValidationError, LeakageError])
def test_the_kits_exception_comes_back_as_the_same_class(tmp_path, write_notebook, kind):
    """With its message, and the notebook is saved with a mark at the failing cell."""
    name = kind.__name__
    source = f"from sta410kit.exceptions import {name}\nraise {name}('row 3: close -1')"
    notebook = write_notebook(tmp_path / "x.ipynb", "1", source)
    with pytest.raises(kind) as caught:
        run_notebook(notebook)
    assert type(caught.value) is kind
    assert str(caught.value) == "row 3: close -1"
    saved = nbformat.read(next(tmp_path.glob("runs/*/x.ipynb")), as_version=4).cells
    marked = [
        n for n, cell in enumerate(saved) if "papermill-error-cell-tag" in cell.metadata.get("tags", [])
    ]
    assert saved[marked[-1] + 1].source == source


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 / 0", r"x: cell In \[1\]: ZeroDivisionError: division by zero \[NOTEBOOK_FAILED; executed"),
        (
            "import sta410kit\nclass DataValidationError(Exception): pass\nraise DataValidationError('own')",
            "own",
        ),
        ("import os\nos._exit(3)", "Kernel died with exit code 3"),
    ],
)
def test_any_other_failure_is_a_notebook_error(tmp_path, write_notebook, source, text):
    """Also an exception that only has the name of one of the kit's."""
    with pytest.raises(NotebookError, match=text):
        run_notebook(write_notebook(tmp_path / "x.ipynb", source))
