"""Clients of the pages: over the shared run of the chain, and over made-up runs for what that cannot show."""

from datetime import UTC, datetime, timedelta

import pytest

from sta410kit.runner.manifest import Manifest, StepRecord

START = datetime(2026, 1, 5, 21, tzinfo=UTC)


@pytest.fixture
def pages(service):
    """Give a viewer's client of the service over the project with the shared run of the chain."""
    with service.client("viewer", accept="text/html") as client:
        yield client


@pytest.fixture
def project(tmp_path):
    """Make a project of one notebook without runs."""
    from nbformat import write
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell("start: int = 2  # where to begin"), new_code_cell("print(start)")]
    cells[0].metadata["tags"] = ["parameters"]
    (tmp_path / "notebooks").mkdir()
    write(new_notebook(cells=cells), tmp_path / "notebooks" / "one.ipynb")
    (tmp_path / "notebooks" / "pipeline.toml").write_text('[[step]]\nnotebook = "one.ipynb"\n')
    return tmp_path


@pytest.fixture
def client(project, serve_project, monkeypatch):
    """Give a client over that project, as `sta410 ui` serves it: its user may do everything."""
    monkeypatch.chdir(project)
    with serve_project(project, local=True) as service, service.client(accept="text/html") as found:
        yield found


@pytest.fixture
def make_run(project):
    """Give the function that writes a finished run, started so many days after the first."""

    def make(day=0, **values):
        started = START + timedelta(days=day)
        folder = project / "runs" / f"{started:%Y%m%d-%H%M%S}-000aa"
        folder.mkdir(parents=True)
        times = {"started": started.isoformat(), "finished": (started + timedelta(seconds=75)).isoformat()}
        step = StepRecord("one", "PASSED", 75.0, started=started.isoformat())
        defaults = {"outcome": "PASSED", "exit_code": 0, "steps": [step]}
        Manifest(folder.name, **{**times, **defaults, **values}).write(folder)
        return folder

    return make
