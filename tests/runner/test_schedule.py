"""Steps side by side: order, failures, interrupts."""

import threading

import pytest

from sta410kit.runner.schedule import run_graph

pytestmark = pytest.mark.unit


def go(needs, work, *, done=None, jobs=2, stop=None):
    """Run a graph and return whether it was interrupted, and what came to its end in which order."""
    ended = []
    interrupted = run_graph(
        needs,
        work,
        good=bool,
        done=done or (lambda name, _: ended.append(name)),
        jobs=jobs,
        stop=stop or threading.Event(),
    )
    return interrupted, ended


def test_what_is_needed_comes_first():
    """In any order of declaration."""
    needs = {"c": ["b"], "b": ["a"], "a": []}
    assert go(needs, lambda _: True, jobs=1) == (False, ["a", "b", "c"])


def test_nothing_begins_after_a_failure():
    """What runs already is completed."""
    assert go({"a": [], "b": ["a"]}, lambda _: False) == (False, ["a"])


def test_an_interrupt_stops_what_runs_and_is_no_loss():
    """The result that had just come in is taken once more."""
    stop, calls = threading.Event(), []

    def done(name, _):
        calls.append(name)
        if len(calls) == 1:
            raise KeyboardInterrupt

    interrupted, _ = go({"a": [], "b": ["a"]}, lambda _: True, done=done, stop=stop)
    assert interrupted
    assert stop.is_set()
    assert calls == ["a", "a"]


def test_an_error_stops_what_runs_and_is_raised():
    """Steps that are no longer needed are not waited for."""
    stop = threading.Event()

    def work(name):
        if name == "bad":
            raise OSError(28, "No space left on device")
        return stop.wait(120)

    with pytest.raises(OSError, match="No space left"):
        go({"bad": [], "long": []}, work, stop=stop)
    assert stop.is_set()
