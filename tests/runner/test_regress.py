"""Notebooks are compared with their committed outputs, and runs with a reference run."""

import json
import os

import nbformat
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.comparison.files import EXACT, Tolerance
from sta410kit.runner.manifest import Manifest
from sta410kit.runner.plan import Options, plan_notebook
from sta410kit.runner.progress import Progress
from sta410kit.runner.regress import print_regression, run_nbval, run_reference

pytestmark = pytest.mark.integration


@pytest.fixture
def commit(tmp_path, write_notebook):
    """Return a function that writes a notebook whose last cell holds the output `printed`."""

    def write(*cells, printed, name="x.ipynb"):
        path = write_notebook(tmp_path / name, *cells)
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[-1].execution_count = 2
        notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
        nbformat.write(notebook, path)
        return path

    return write


@pytest.mark.slow  # nbval runs in a process of its own
def test_a_cell_that_differs_is_named_by_its_execution_number(commit, capsys, monkeypatch, tmp_path):
    """All in notebooks/ are compared, as Jupyter numbers cells, and the project's ledger gets no entry."""
    monkeypatch.setenv("STA410_LEDGER", str(tmp_path / "theirs.sqlite"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/pipeline.toml").touch()
    asked = "print('theirs' in os.environ['STA410_LEDGER'])"
    same = commit("import os", asked, printed="False\n", name="notebooks/a.ipynb")
    other = commit("#! A heading", "x = 1", "print(x + 1)", printed="3\n", name="notebooks/b.ipynb")
    before = other.read_bytes()
    found = run_nbval([])
    assert (found.outcome, found.cells) == (ExitCode.NOTEBOOK_FAILED, 4)
    assert list(found.failures) == ["b.ipynb In [2]"], found.failures
    assert "3" in found.failures["b.ipynb In [2]"]
    assert other.read_bytes() == before
    assert os.environ["STA410_LEDGER"].endswith("theirs.sqlite")
    print_regression(found)
    captured = capsys.readouterr()
    assert captured.out == "2 notebooks, 4 cells compared, 1 different\n"
    assert captured.err.startswith("b.ipynb In [2]\n")
    assert f"nbconvert --to notebook --execute --inplace {same} {other}" in captured.err


def test_nbval_is_asked_for_before_anything_runs(monkeypatch, tmp_path):
    """The message says which extra to install; so are a notebook that exists and a project."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"no notebook .*none\.ipynb"):
        run_nbval([tmp_path / "none.ipynb"])
    with pytest.raises(ConfigurationError, match="name notebooks: sta410 regress NOTEBOOK"):
        run_nbval([])
    monkeypatch.setattr("sta410kit.runner.regress.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sta410kit\[test\]'"):
        run_nbval([])


def test_a_reference_run_is_repeated_with_its_parameters_and_compared(tmp_path, write_notebook):
    """Within the tolerance, by recorded values; the file that the notebook reads has changed since."""
    from sta410kit.runner.chain import run_plan

    value = tmp_path / "value.json"
    value.write_text("1.0")
    source = (
        f"import json\nfrom sta410kit.steps import record\nrecord('x', n * json.load(open({str(value)!r})))"
    )
    notebook = write_notebook(tmp_path / "x.ipynb", ("n: int = 1", "parameters"), source)
    reference = run_plan(plan_notebook(notebook, {"n": "3"}, Options()), Progress()).folder
    value.write_text(json.dumps(1.0001))
    run, found = run_reference(reference, EXACT, Progress())
    assert run.outcome is ExitCode.PASSED
    assert [str(one)[:20] for one in found] == ["x: x: first 3.0, sec"]
    assert run_reference(reference, Tolerance(rtol=0.01), Progress())[1] == []


def test_a_run_that_failed_is_no_reference(tmp_path):
    """Nothing runs."""
    Manifest("a", outcome="TIMED_OUT").write(tmp_path)
    with pytest.raises(
        ConfigurationError, match="run a cannot be a reference: it is a chain that ended with TIMED"
    ):
        run_reference(tmp_path, EXACT, Progress())
