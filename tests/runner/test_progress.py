"""The progress bar: how many cells are executed, and which step runs."""

import io

import pytest

from sta410kit.runner.pipeline import Step
from sta410kit.runner.progress import Progress

pytestmark = pytest.mark.unit


@pytest.fixture
def steps(tmp_path, write_notebook):
    """Make three steps of two cells."""
    return [Step(write_notebook(tmp_path / f"{name}.ipynb", "1", "2"), (), {}, ()) for name in "abc"]


def test_without_a_terminal_there_is_a_line_a_step(steps, capsys):
    """On standard error."""
    progress = Progress()
    with progress.of(steps):
        with progress.running("a"):
            progress.advance()
        progress.skip("b")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["running a", "unchanged b"]


def test_a_terminal_shows_a_bar_over_all_cells(steps, monkeypatch):
    """An unchanged step counts with all its cells."""
    import rich.console

    screen = io.StringIO()
    real = rich.console.Console
    monkeypatch.setattr(
        rich.console,
        "Console",
        lambda **_: real(file=screen, force_terminal=True, width=120, legacy_windows=False),
    )
    progress = Progress()
    with progress.of(steps):
        progress.skip("a")
        with progress.running("b"):
            progress.advance()
    assert "running" not in screen.getvalue()
    assert "3/6" in screen.getvalue()
    assert screen.getvalue().rstrip().splitlines()[-2].split("\x1b[2K")[-1].startswith("b "), "what ran last"
