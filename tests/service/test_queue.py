"""The queue: every job is claimed once, and has one end."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.service import queue

pytestmark = pytest.mark.integration


def test_a_job_goes_from_the_queue_to_its_end(database):
    """It is claimed by one worker, and keeps what was asked for and what came of it."""
    asked = queue.enqueue(database, "run", {"parameters": {"model": "naive"}}, by="ann")
    assert (asked.state, asked.request) == ("queued", {"parameters": {"model": "naive"}})
    job = queue.claim(database, "one", "store")
    assert (job.id, job.state, job.attempts) == (asked.id, "running", 1)
    assert queue.claim(database, "two", "store") is None
    assert queue.change(database, job, run="20261130-000000-00000")
    assert queue.finish(database, job, queue.Ending("PASSED", 0, run="20261130-000000-00000"))
    done = queue.find_job(database, job.id)
    assert (done.state, done.outcome, done.exit_code, done.by) == ("finished", "PASSED", 0, "ann")
    assert done.created <= done.started <= done.finished
    assert queue.job_of_run(database, "20261130-000000-00000") == done


def test_workers_that_claim_at_once_share_the_jobs(database):
    """Thirty jobs, four workers: each job is claimed once, by the age of the jobs."""
    asked = [queue.enqueue(database, "run", {}).id for _ in range(30)]

    def work(worker):
        claimed = []
        while job := queue.claim(database, worker, "store"):
            claimed.append(job.id)
        return claimed

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(work, "abcd"))
    assert sorted(itertools.chain(*shares)) == asked
    assert all(share == sorted(share) for share in shares)


def test_a_schedule_has_one_unfinished_job(database):
    """Two hosts whose timers fire at once get the same one; after its end there may be another."""
    with ThreadPoolExecutor(4) as pool:
        ask = [
            pool.submit(queue.enqueue, database, "run", {}, schedule="n", session="2024-11-26")
            for _ in "1234"
        ]
    (number,) = {one.result().id for one in ask}
    queue.finish(database, queue.claim(database, "one", "store"), queue.Ending("NOTEBOOK_FAILED", 4))
    assert queue.failed_lately(database, "n", "2024-11-26", 900)
    assert not queue.failed_lately(database, "n", "2024-11-27", 900)
    assert queue.enqueue(database, "run", {}, schedule="n", session="2024-11-26").id > number


def test_a_job_is_cancelled_before_it_begins_or_marked_while_it_runs(database):
    """A finished one stays as it is."""
    for _ in range(2):
        queue.enqueue(database, "run", {})
    running = queue.claim(database, "one", "store")
    queued = queue.cancel(database, running.id + 1, "ann")
    assert (queued.state, queued.outcome) == ("finished", "CANCELLED")
    assert queue.claim(database, "one", "store") is None
    marked = queue.cancel(database, running.id, "bob")
    assert (marked.state, marked.cancelled_by) == ("running", "bob")
    queue.finish(database, running, queue.Ending("INTERRUPTED", 130))
    assert queue.cancel(database, running.id, "eve").cancelled_by == "bob"


def test_a_worker_that_was_taken_for_dead_changes_nothing_any_more(database):
    """Neither after another has taken its job over, nor after the job went back into the queue."""
    queue.enqueue(database, "run", {})
    first = queue.claim(database, "one", "store")
    assert queue.change(database, first, worker="two")
    assert not queue.finish(database, first, queue.Ending("PASSED", 0))
    assert queue.requeue(database, queue.find_job(database, first.id))
    again = queue.claim(database, "one", "store")
    assert (again.id, again.attempts) == (first.id, 2)
    assert not queue.finish(database, first, queue.Ending("PASSED", 0))


def test_silent_workers_of_other_hosts_are_found_by_the_clock_of_the_database(database):
    """Those over the same run store are always given: their locks can be looked at."""
    for store in ("here", "there"):
        queue.enqueue(database, "run", {})
        queue.claim(database, f"worker-{store}", store)
    near, far = queue.running_elsewhere(database, "me", "here", silence=60)
    assert ([job.worker for job in near], far) == (["worker-here"], [])
    _, far = queue.running_elsewhere(database, "me", "here", silence=-1)
    assert [job.worker for job in far] == ["worker-there"]
    assert queue.count_jobs(database) == {"queued": 0, "running": 2, "finished": 0}


def test_lists_give_the_newest_first(database):
    """By state, and page by page."""
    numbers = [queue.enqueue(database, "run", {}).id for _ in range(5)]
    queue.claim(database, "one", "store")
    listed = queue.list_jobs(database, ["queued"], limit=2, before=numbers[4])
    assert [job.id for job in listed] == [numbers[3], numbers[2]]
    with pytest.raises(ConfigurationError, match="there is no job 999"):
        queue.find_job(database, 999)
