"""A full disk and a folder that cannot be written: clear errors, and nothing half done."""

import os
import subprocess

import pytest

from sta410kit.exceptions import DatabaseError
from sta410kit.service import process as process_module
from sta410kit.service import queue
from sta410kit.service.database import open_database
from sta410kit.service.worker import Worker

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path):
    """Mount a small disk, which only root can."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "none", folder]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk):
    """Write until nothing more fits, and return the file."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            return path


def test_a_request_on_a_full_disk_is_refused_and_queues_nothing(disk, opened):
    """When there is room again, the same database takes it."""
    database = opened(f"sqlite:///{disk / 'service.sqlite'}")
    queue.enqueue(database, "run", {})
    filler = fill(disk)
    with pytest.raises(DatabaseError, match="database or disk is full"):
        queue.enqueue(database, "run", {"parameters": {"symbols": ["A" * 10_000]}})
    assert len(queue.list_jobs(database)) == 1
    filler.unlink()
    assert queue.enqueue(database, "run", {}).id == 2


def test_a_job_that_cannot_begin_on_a_full_disk_has_an_end(disk, opened, tmp_path, wait_until):
    """Its message names the file; its run folder was not made."""
    database = opened(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    worker = Worker(database, disk, 1)
    worker.start()
    try:
        filler = fill(disk)
        number = queue.enqueue(database, "run", {"parameters": {"symbols": "A" * 10_000}}).id
        assert wait_until(lambda: queue.find_job(database, number).state == "finished")
    finally:
        worker.stop()
    job = queue.find_job(database, number)
    assert (job.outcome, job.exit_code, job.run) == ("INTERNAL", 1, "")
    assert "(No space left on device); no run began" in job.message
    assert [path.name for path in (disk / "runs").iterdir()] == [process_module.FOLDER]
    filler.unlink()


def test_a_read_only_disk_is_named_when_the_service_is_started(disk, use_database):
    """Before anything listens."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    use_database("")
    with pytest.raises(OSError, match=r"Read-only file system: '.*/runs'"):
        open_database(disk)
