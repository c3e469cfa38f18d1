"""``run.log`` is read in terminals."""

import pytest

from sta410kit.runner.run_log import NAME, RunLog

pytestmark = pytest.mark.unit


def test_a_log_holds_no_control_characters(tmp_path):
    """An error message of a notebook neither sets the title of a terminal nor clears it."""
    RunLog(tmp_path).say("ValueError: \x1b]0;title\x07bad\x1b[2J value\nnext", "train")
    first, second = (tmp_path / NAME).read_text().splitlines()
    assert first.endswith(" train: ValueError: bad value")
    assert second.endswith(" train: next")
