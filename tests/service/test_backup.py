"""The service's registry is part of a backup of its project."""

import shutil

import pytest

from sta410kit.runner.backup import backup, restore
from sta410kit.service import queue
from sta410kit.service.database import open_database
from sta410kit.service.users import Users

pytestmark = pytest.mark.integration


def test_users_and_queue_come_back(tmp_path, monkeypatch):
    """They are copied while the registry is open; a restored token is accepted, a later user is unknown."""
    project = tmp_path / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(project)
    database = open_database(project)
    token = Users(database).add("nina", "runner")
    job = queue.enqueue(database, "run", {"parameters": {"model": "naive"}}, by="nina")
    with database.read():
        backup(project, str(tmp_path / "backups"))
    Users(database).add("omar", "viewer")
    database.close()
    shutil.rmtree(project / "runs")
    restore(project, str(tmp_path / "backups"))
    database = open_database(project)
    assert [one.name for one in Users(database).all()] == ["nina"]
    assert Users(database).verify(token).role == "runner"
    assert queue.find_job(database, job.id).request == {"parameters": {"model": "naive"}}
    database.close()
