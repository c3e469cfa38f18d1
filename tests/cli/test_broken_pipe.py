"""A standard output whose reader leaves."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from sta410kit.cli.broken_pipe import keep_writing

pytestmark = pytest.mark.unit


@contextmanager
def piped(monkeypatch):
    """Make a pipe the standard output for the block, and give the end that is read."""
    read, write = os.pipe()
    # No fixture: between its set-up and the test, pytest puts its own standard output back.
    with (
        os.fdopen(write, "w", encoding="utf-8") as output,
        os.fdopen(read, encoding="utf-8") as reader,
        monkeypatch.context() as patch,
    ):
        patch.setattr(sys, "stdout", output)
        yield reader
        sys.stdout.close()


def test_a_reader_who_leaves_stops_nothing(monkeypatch):
    """From then on the output leads nowhere, and each write succeeds."""
    with piped(monkeypatch) as reader:
        keep_writing()
        reader.close()
        for _ in range(2):
            sys.stdout.write("x\n" * 100_000)
            sys.stdout.flush()
        assert os.fstat(sys.stdout.fileno()).st_rdev == Path(os.devnull).stat().st_rdev


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_a_full_disk_is_told_at_the_end(monkeypatch):
    """Printing goes on to the end of the work; then the reason is there to be said."""
    with Path("/dev/full").open("w", encoding="utf-8") as output, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        refused = keep_writing()
        sys.stdout.write("x")
        assert refused() == "No space left on device"


def test_a_reader_who_leaves_is_no_trouble(monkeypatch):
    """What was printed was read as far as somebody wanted it."""
    with piped(monkeypatch) as reader:
        refused = keep_writing()
        reader.close()
        sys.stdout.write("x")
        assert refused() == ""
