"""The progress bar: how much is left, from how long steps took the last time."""

import io
from types import SimpleNamespace

import pytest

from sta410kit.runner.pipeline import Step
from sta410kit.runner.progress import Progress

pytestmark = pytest.mark.unit


@pytest.fixture
def steps(tmp_path, write_notebook):
    """Make three steps of two cells; the second and third follow the first."""
    return [Step(write_notebook(tmp_path / f"{name}.ipynb", "1", "2"), (), {}, ()) for name in "abc"]


BEFORE = {"a": set(), "b": {"a"}, "c": {"a"}}


def test_the_time_left_is_that_of_the_longest_way(steps):
    """Side by side steps do not add up; what is done does not count."""
    progress = Progress()
    with progress.of(steps, BEFORE, {"a": 10.0, "b": 100.0, "c": 30.0}, jobs=2):
        assert progress.left() == 110.0
        assert str(progress) == ", about 1 min 50 s left"
        progress.skip("a")
        assert progress.left() == 100.0
        progress.advance("b")
        assert progress.left() == 50.0
        assert str(progress) == ", about 50 s left"
        progress.skip("b")
        progress.skip("c")
        assert progress.left() == 0.0


def test_what_has_to_wait_for_a_job_adds_up(steps):
    """One at a time, the time left is that of all of them."""
    progress = Progress()
    with progress.of(steps, BEFORE, {"a": 10.0, "b": 100.0, "c": 30.0}, jobs=1):
        assert progress.left() == 140.0


def test_no_time_is_told_where_none_is_known(steps):
    """As in the first run of a project."""
    progress = Progress()
    with progress.of(steps, BEFORE, {"a": 10.0}):
        assert progress.left() is None
        assert str(progress) == ""


def test_without_a_terminal_there_is_a_line_a_step(steps, capsys, monkeypatch):
    """On standard error."""
    monkeypatch.setattr("sta410kit.runner.progress.time", SimpleNamespace(monotonic=lambda: 0.0))
    progress = Progress()
    with progress.of(steps, BEFORE, {"a": 10.0, "b": 1.0, "c": 1.0}):
        progress.begin("a")
        progress.end("a")
        progress.skip("b")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["running a, about 12 s left", "unchanged b"]


def test_a_terminal_sees_what_runs_and_how_long_it_still_takes(steps, monkeypatch):
    """The bar is drawn with cells, time gone and time left."""
    import rich.console

    screen = io.StringIO()
    real = rich.console.Console
    monkeypatch.setattr(
        rich.console,
        "Console",
        lambda **_: real(file=screen, force_terminal=True, width=120, legacy_windows=False),
    )
    progress = Progress()
    with progress.of(steps, BEFORE, {"a": 10.0, "b": 1.0, "c": 1.0}):
        progress.begin("a")
        progress.advance("a")
    assert "running" not in screen.getvalue()
    assert "1/6" in screen.getvalue()
    assert "s left" in screen.getvalue()
