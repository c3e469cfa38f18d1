"""`sta410 runs`, `show`, `diff`, `verify` and `regress`; `--json` prints one JSON document."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Change into a project with a notebook that prints a number and one that fails."""
    monkeypatch.chdir(tmp_path)
    for name, source in (("good", "print(2.5)"), ("bad", "1 / 0")):
        nbformat.write(new_notebook(cells=[new_code_cell(source)]), tmp_path / f"{name}.ipynb")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").write_text("")
    return tmp_path


@pytest.fixture
def sta410(typed):
    """Return a function that runs a command here and returns the exit code and both streams."""

    def run(*words):
        done = typed(*words, cwd=Path.cwd())
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.usefixtures("place")
def test_a_run_can_be_listed_shown_compared_verified_and_pruned(sta410):
    """As text and as JSON."""
    assert sta410("run", "good.ipynb")[0] == 0
    code, out, _ = sta410("run", "bad.ipynb", "--json")
    assert code == 4
    bad = json.loads(out)
    assert (bad["outcome"], bad["exit_code"]) == ("NOTEBOOK_FAILED", 4)
    listed = json.loads(sta410("runs", "--json")[1])
    assert [one["outcome"] for one in listed] == ["NOTEBOOK_FAILED", "PASSED"]
    assert {one["kind"] for one in listed} == {"notebook"}
    assert len(json.loads(sta410("runs", "--json", "-n", "1")[1])) == 1
    assert "good.ipynb" in sta410("runs")[1]
    good = listed[1]["run"]
    assert json.loads(sta410("show", good, "--json")[1])["state"] == "PASSED"
    assert f"run {bad['run']}: NOTEBOOK_FAILED" in sta410("show", "latest")[1]
    assert sta410("diff", good, good)[1] == f"first:  {good}\nsecond: {good}\nnothing differs\n"
    assert json.loads(sta410("diff", good, "latest", "--json")[1])["same"] is False
    assert json.loads(sta410("diff", good, "--json")[1])["second"] == bad["run"]
    assert "no run before" in sta410("diff")[2]
    assert json.loads(sta410("verify", good, "--json")[1])["exit_code"] == 0
    assert "is reproduced" in sta410("verify", good)[1]
    assert "would remove 2 runs" in sta410("runs", "prune", "--keep", "0", "--dry-run")[1]
    pruned = json.loads(sta410("runs", "prune", "--keep", "1", "--json")[1])
    assert [one["run"] for one in pruned["runs"]] == [good]
    assert [one["run"] for one in json.loads(sta410("runs", "--json")[1])] == [bad["run"]]
    again = json.loads(sta410("run", "bad.ipynb", "--json")[1])["run"]
    assert sta410("diff")[1].startswith(f"first:  {bad['run']}\nsecond: {again}\n")


@pytest.mark.slow  # nbval runs in a process of its own
def test_regress_ends_with_4_if_a_cell_differs_or_the_reference_does(place, sta410):
    """The cells are on standard error, or in the JSON."""
    notebook = nbformat.read(place / "good.ipynb", as_version=4)
    notebook.cells[0].execution_count = 1
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text="3.5\n")]
    nbformat.write(notebook, place / "good.ipynb")
    code, out, err = sta410("regress", "good.ipynb")
    assert (code, out) == (4, "1 notebook, 1 cell compared, 1 different\n")
    assert err.startswith("good.ipynb In [1]\n")
    assert sta410("run", "good.ipynb")[0] == 0
    code, out, _ = sta410("regress", "good.ipynb", "--reference", "latest", "--json", "--timeout", "1m")
    found = json.loads(out)
    assert (code, found["exit_code"], list(found["failures"])) == (4, 4, ["good.ipynb In [1]"])
    assert found["differences"] == []


def test_a_dry_run_and_nothing_to_resume_are_json_too(tmp_path, monkeypatch, sta410):
    """A list of steps, and a run that is null."""
    (tmp_path / "notebooks").mkdir()
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), tmp_path / "notebooks" / "one.ipynb")
    (tmp_path / "notebooks" / "pipeline.toml").write_text('[[step]]\nnotebook = "one.ipynb"\n')
    monkeypatch.chdir(tmp_path)
    rows = json.loads(sta410("run", "--dry-run", "--json")[1])
    assert rows == [{"step": "one", "run": True, "why": "it has never passed"}]
    assert json.loads(sta410("run", "--resume", "--json")[1])["run"] is None
    assert "nothing to resume" in sta410("run", "--resume")[1]


@pytest.mark.slow
def test_docs_are_those_of_the_chain_after_a_failed_verification_and_a_regression(
    first_run, tmp_path, monkeypatch, sta410
):
    """Both leave newer data docs, which nobody asked for."""
    shutil.copytree(first_run.cwd, tmp_path / "project", symlinks=True)
    shutil.copytree(ROOT / "notebooks", tmp_path / "project/notebooks", dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "project")
    runs = tmp_path / "project/runs"
    prices = runs / first_run.run.name / "prices.parquet"
    prices.write_bytes(prices.read_bytes()[:-1])
    assert sta410("verify", "latest", "--anyway")[0] == 10
    assert len(list(runs.glob(".verify-*/**/data_docs/index.html"))) == 1
    assert sta410("regress", "notebooks/02_validate.ipynb")[0] == 0
    assert len(list(runs.glob("alone/*/data_docs/index.html"))) == 1
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    assert sta410("docs")[0] == 0
    assert opened == [(runs / first_run.run.name / "data_docs/index.html").as_uri()]
