"""A breaker opens after failures, lets one probe pass and closes on its success."""

import time

import pytest

from sta410kit.exceptions import APIError
from sta410kit.market.resilience import CircuitBreaker
from sta410kit.market.resilience.breaker import state_folder

pytestmark = pytest.mark.integration


def passes(breaker):
    try:
        breaker.check()
    except APIError:
        return False
    return True


@pytest.fixture
def breaker(tmp_path):
    """Give the function that makes the breaker of one service, as each process does."""

    def make(name="Alpaca", **more):
        return CircuitBreaker(name, tmp_path, **{"threshold": 3, "cool_down": 0.2, "lease": 0.4, **more})

    return make


def test_failures_in_a_row_open_it_for_all_processes_and_for_one_service(breaker):
    """Two failures here and one there are three."""
    here, there = breaker(), breaker()
    here.record(success=False)
    here.record(success=False)
    assert passes(there)
    there.record(success=False)
    with pytest.raises(APIError, match="Alpaca has failed 3 times in a row and is not asked again for 0 s"):
        here.check()
    assert passes(breaker("Yahoo"))


def test_a_success_forgets_the_failures_before_it(breaker):
    """They were not in a row."""
    one = breaker()
    for success in (False, False, True, False, False):
        one.record(success=success)
    assert passes(one)


def test_one_probe_passes_and_its_success_closes(breaker):
    """While it is on its way the others wait."""
    one, other = breaker(), breaker()
    for _ in range(3):
        one.record(success=False)
    time.sleep(0.21)
    assert [passes(one), passes(other), passes(one)] == [True, False, False]
    one.record(success=True)
    assert passes(other)


def test_a_probe_that_fails_keeps_it_open_and_one_that_dies_passes_on_its_turn(breaker):
    """After another cool-down; after the lease."""
    one = breaker()
    for _ in range(3):
        one.record(success=False)
    time.sleep(0.21)
    assert passes(one)
    one.record(success=False)
    assert not passes(one)
    time.sleep(0.21)
    assert passes(one)  # this probe never says how it ended
    assert not passes(one)
    time.sleep(0.41)
    assert passes(one)


def test_a_clock_put_back_does_not_keep_it_open(breaker, monkeypatch):
    """The next attempt would be due in an hour."""
    one = breaker()
    with monkeypatch.context() as fast:
        fast.setattr(time, "time", lambda now=time.time: now() + 3600)
        for _ in range(3):
            one.record(success=False)
    assert passes(one)


def test_the_state_is_in_the_cache_folder_or_among_the_temporary_files(tmp_path, monkeypatch):
    """A home that cannot be written to is no reason to fail."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert state_folder() == tmp_path / "cache" / "sta410kit"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert state_folder().parent == tmp_path
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with pytest.raises(APIError, match="can be written to"):
        state_folder()
