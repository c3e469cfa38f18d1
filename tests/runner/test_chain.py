"""The chain: artifacts handed over, stopped at the first failure, explained in its folder."""

import json

import nbformat
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.outcomes import ExitCode
from sta410kit.runner.chain import run_chain, run_notebook
from sta410kit.runner.progress import Progress

pytestmark = pytest.mark.integration

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_artifacts_are_handed_over_and_the_run_explains_itself(project):
    """Both steps ran, on what was typed, and the folder holds notebooks, artifacts, manifest and report."""
    run = run_chain(project, {"start": "5", "factor": "1.5"}, Progress())
    assert run.outcome is ExitCode.PASSED
    assert run.folder.parent == project / "runs"
    assert (run.folder / "double.txt").read_text() == "7.5"
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert manifest["outcome"] == "PASSED"
    assert manifest["parameters"] == {"one": {"start": 5}, "two": {"factor": 1.5}}
    assert [step["name"] for step in manifest["steps"]] == ["one", "two"]
    assert manifest["versions"]["sta410kit"]
    report = (run.folder / "report.html").read_text()
    assert 'href="one.ipynb"' in report
    assert "PASSED" in report


def test_the_chain_stops_at_the_first_failure(project, write_notebook):
    """What comes after is not run, and is said not to have run."""
    write_notebook(
        project / "notebooks" / "one.ipynb", ("start: int = 2", "parameters"), "raise KeyError('x')"
    )
    run = run_chain(project, {}, Progress())
    assert run.outcome is ExitCode.NOTEBOOK_FAILED
    assert [step.name for step in run.steps] == ["one"]
    assert json.loads((run.folder / "manifest.json").read_text())["not_run"] == ["two"]
    assert "not run" in (run.folder / "report.html").read_text()


def test_nothing_runs_when_a_parameter_is_wrong(project):
    """No run folder is made."""
    with pytest.raises(ConfigurationError):
        run_chain(project, {"start": "x"}, Progress())
    assert not (project / "runs").exists()


def test_an_unknown_kernel_is_refused_before_anything_runs(project):
    """The message says which kernels there are and what brings the usual one."""
    path = project / "notebooks" / "two.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec.name = "pyton3"
    nbformat.write(notebook, path)
    with pytest.raises(ConfigurationError, match=r"two\.ipynb wants .*'pyton3'.*'python3'.*make install"):
        run_chain(project, {}, Progress())
    assert not (project / "runs").exists()


def test_wrong_settings_are_refused_before_anything_runs(project):
    """The project's own .env is read, whatever folder the command is typed in."""
    (project / ".env").write_text("GD_ITERATIONS=-1\n")
    with pytest.raises(ConfigurationError, match="GD_ITERATIONS"):
        run_chain(project, {}, Progress())
    assert not (project / "runs").exists()


def test_a_notebook_of_the_project_runs_alone(project):
    """It gets the run folder, and its other defaults stay."""
    run = run_notebook(project / "notebooks" / "one.ipynb", {"start": "9"}, Progress())
    assert run.outcome is ExitCode.PASSED
    assert run.folder.parent == project / "runs"
    assert (run.folder / "number.txt").read_text() == "9"


def test_a_notebook_outside_any_project_has_its_runs_beside_it(tmp_path, write_notebook, monkeypatch):
    """Wherever the command is typed."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    notebook = write_notebook(tmp_path / "mine" / "x.ipynb", "print('hello')")
    run = run_notebook(notebook, {}, Progress())
    assert run.outcome is ExitCode.PASSED
    assert run.folder.parent == tmp_path / "mine" / "runs"


def test_the_report_shows_the_figures_and_escapes_messages(tmp_path, write_notebook):
    """Images are inside the page; markup in an error stays text."""
    notebook = write_notebook(
        tmp_path / "x.ipynb",
        "from IPython.display import Image, display\n"
        "import base64\n"
        f"png = base64.b64decode('{PIXEL}')\n"
        "display(Image(png))",
        "raise ValueError('<script>alert(1)</script>')",
    )
    run = run_notebook(notebook, {}, Progress())
    report = (run.folder / "report.html").read_text()
    assert "data:image/png;base64,iVBOR" in report
    assert "<script>alert" not in report
    assert "&lt;script&gt;alert" in report


def test_two_runs_at_once_get_two_folders(project):
    """Run folders never collide."""
    from concurrent.futures import ThreadPoolExecutor

    from sta410kit.runner.runs import new_run

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: new_run(project / "runs"), range(32)))
    assert len(set(folders)) == 32


def test_the_injected_cell_holds_plain_values(project):
    """Papermill writes the values as Python literals, right below the parameters."""
    run = run_chain(project, {"start": "5"}, Progress())
    cells = nbformat.read(run.folder / "one.ipynb", as_version=4).cells
    injected = next(cell for cell in cells if "injected-parameters" in cell.metadata.tags)
    assert "start = 5" in injected.source
    assert f'run_dir = "{run.folder}"' in injected.source
