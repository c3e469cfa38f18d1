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
    """From then on the output leads nowhere, each write succeeds, and there is nothing to be said of it."""
    with piped(monkeypatch) as reader:
        refused = keep_writing()
        reader.close()
        for _ in range(2):
            sys.stdout.write("x\n" * 100_000)
            sys.stdout.flush()
        assert refused() == ""
        assert os.fstat(sys.stdout.fileno()).st_rdev == Path(os.devnull).stat().st_rdev
