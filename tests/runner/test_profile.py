"""Where the time and memory of a run went."""

import json

import pytest
from click.testing import CliRunner

from sta410kit.cli.entry import cli
from sta410kit.runner.profile import profile_run
from tests.stored_runs import store_run


@pytest.mark.unit
def test_what_was_spent_between_steps_is_told(tmp_path):
    """Ten seconds as a whole, of which one step ran for two and, a second later, another for three."""
    found = profile_run(store_run(tmp_path, "20240104-220000-000aa"))
    assert (found.seconds, found.between, found.peak_memory) == (10.0, 5.0, 2**28)
    assert [(step.name, step.seconds) for step in found.steps] == [("01_ingest", 2.0), ("02_validate", 3.0)]


@pytest.mark.integration
def test_the_slowest_cell_and_the_largest_are_named(first_run, monkeypatch):
    """Each executed cell has its time, and the memory of its process after it."""
    monkeypatch.chdir(first_run.cwd)
    asked = CliRunner().invoke(cli, ["profile", first_run.run.name, "--json"], standalone_mode=False)
    found = json.loads(asked.output)
    cells = [cell for cell in found["cells"] if cell["step"] == "04_train"]
    assert [cell["seconds"] for cell in cells] == sorted((cell["seconds"] for cell in cells), reverse=True)
    (train,) = (step for step in found["steps"] if step["name"] == "04_train")
    assert 0 < train["cells_seconds"] <= train["seconds"]
    assert max(cell["peak_memory"] for cell in cells) <= train["peak_memory"]
    assert sum(cell["added_memory"] or 0 for cell in cells) > 2**20
    shown = CliRunner().invoke(cli, ["profile", first_run.run.name], standalone_mode=False).output
    assert "04_train" in shown
    assert "slowest cells, " in shown
