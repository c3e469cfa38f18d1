"""A project that is destroyed comes back from its backup, whole and verified."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.backup import backup
from sta410kit.runner.runs import LOCK

pytestmark = pytest.mark.integration

RUN = "20240308-120000-aaaaa"
FILES = {
    "data_cache/prices/vendor/KO/2024-01-01_2024-03-07_x_y.parquet": b"bars",
    f"runs/{RUN}/manifest.json": b"{}",
    f"runs/{RUN}/model.skops": b"model",
    f"runs/{RUN}/data_docs/index.html": b"page",
    "holdout.jsonl": b"a line\n",
}


@pytest.fixture
def project(tmp_path):
    """Make a project with a little of everything."""
    folder = tmp_path / "project"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "pipeline.toml").touch()
    (folder / ".env").write_text("SECRET=1")
    with closing(sqlite3.connect(folder / "runs" / "trials.sqlite")) as ledger:
        ledger.execute("PRAGMA journal_mode=WAL")
        ledger.execute("CREATE TABLE trials (name)")
        ledger.execute("INSERT INTO trials VALUES ('ridge')")
        ledger.commit()
    return folder


def destroy(project):
    shutil.rmtree(project / "runs")
    shutil.rmtree(project / "data_cache")
    (project / "holdout.jsonl").unlink()


def trials(project):
    with closing(sqlite3.connect(project / "runs" / "trials.sqlite")) as ledger:
        return ledger.execute("SELECT name FROM trials").fetchall()


@pytest.mark.parametrize("scheme", ["", "file://", "memory://"])
def test_what_was_destroyed_is_restored(project, tmp_path, typed, scheme):
    """To a folder or any address of fsspec; secrets are not copied, and a second backup copies nothing."""
    place = f"{scheme}{tmp_path / 'backups'}"
    done = typed("backup", place, "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["files"], json.loads(done.stdout)["copied"]) == (6, 6)
    assert json.loads(typed("backup", place, "--json", cwd=project).stdout)["copied"] == 0
    destroy(project)
    done = typed("restore", place, cwd=project)
    assert (done.returncode, "6 files" in done.stdout, "6 restored" in done.stdout) == (0, True, True)
    assert {name: (project / name).read_bytes() for name in FILES} == FILES
    assert trials(project) == [("ridge",)]
    assert "0 restored" in typed("restore", place, cwd=project).stdout


def test_a_ledger_in_use_is_copied_in_a_consistent_state(project, tmp_path, typed):
    """What another process has not committed is not there; a run that is going on is left out, by name."""
    with (
        closing(sqlite3.connect(project / "runs" / "trials.sqlite")) as ledger,
        FileLock(project / "runs" / RUN / LOCK),
    ):
        ledger.execute("INSERT INTO trials VALUES ('lasso')")
        found = backup(project, str(tmp_path / "backups"))
        assert found.running == [RUN]
        ledger.commit()
    destroy(project)
    assert typed("restore", tmp_path / "backups", cwd=project).returncode == 0
    assert trials(project) == [("ridge",)]
    assert not (project / "runs" / RUN).exists()


def test_damage_is_noticed_and_the_rest_restored(project, tmp_path, typed):
    """By checksum, with exit code 3, and with --check before it is needed."""
    place = tmp_path / "backups"
    typed("backup", place, cwd=project)
    assert "all intact" in typed("restore", place, "--check", cwd=project).stdout
    next(file for file in place.glob("objects/*/*") if file.read_bytes() == b"model").write_bytes(b"modem")
    destroy(project)
    for option, words in (("--check", "the others are intact"), ("--overwrite", "the others are restored")):
        done = typed("restore", place, option, cwd=project)
        assert done.returncode == 3
        assert "1 of 6 files of the backup" in done.stderr
        assert f"runs/{RUN}/model.skops; {words}" in done.stderr
    assert (project / "runs" / RUN / "manifest.json").exists()
    assert not (project / "runs" / RUN / "model.skops").exists()


def test_newer_files_are_not_lost(project, tmp_path, typed):
    """No file that differs is replaced unless that is asked for; an older backup can be named."""
    place, page = tmp_path / "backups", project / "runs" / RUN / "data_docs" / "index.html"
    first = json.loads(typed("backup", place, "--json", cwd=project).stdout)["snapshot"]
    page.write_bytes(b"newer page")
    typed("backup", place, cwd=project)
    done = typed("restore", place, "--at", first[:22], cwd=project)
    assert (done.returncode, f"runs/{RUN}/data_docs/index.html differ" in done.stderr) == (2, True)
    assert page.read_bytes() == b"newer page"
    typed("restore", place, "--at", first[:22], "--overwrite", cwd=project)
    assert page.read_bytes() == b"page"


def test_what_cannot_be_backed_up_or_restored_says_why(project, tmp_path, typed):
    """No backup, no such kind of address, nothing there, a list that leads out of the project."""
    done = typed("restore", tmp_path / "none", cwd=project)
    assert (done.returncode, "no backup at" in done.stderr) == (2, True)
    done = typed("backup", "nowhere://user:password@host/x", cwd=project)
    assert (done.returncode, "nowhere://***@host/x cannot be used for backups" in done.stderr) == (2, True)
    destroy(project)
    with pytest.raises(ConfigurationError, match="nothing to back up yet"):
        backup(project, str(tmp_path / "backups"))
    entry = {"sha256": "0", "size": 1, "modified": 0}
    content = json.dumps({"runs/../../escaped": entry}).encode()
    from hashlib import sha256

    folder = tmp_path / "evil" / "snapshots"
    folder.mkdir(parents=True)
    (folder / f"20240101T000000Z-{sha256(content).hexdigest()[:16]}.json").write_bytes(content)
    done = typed("restore", tmp_path / "evil", cwd=project)
    assert (done.returncode, "belongs to no project" in done.stderr) == (2, True)
    assert not Path(tmp_path / "escaped").exists()
