"""A project with an empty store, a source that is under control, and a clock that can be set."""

import pytest

from sta410kit.market import sources
from sta410kit.market.store import files
from tests.market.vendor import NOON, Vendor


@pytest.fixture
def clock(monkeypatch):
    """Give the function that sets the clock; it starts at noon of a Friday."""
    moments = [NOON]
    monkeypatch.setattr(files, "now", lambda: moments[-1])
    return moments.append


@pytest.fixture
def vendor(tmp_path, monkeypatch, clock):  # noqa: ARG001 - it is noon
    """Give the source `vendor`, in a project of its own."""
    monkeypatch.chdir(tmp_path)
    found = Vendor()
    monkeypatch.setattr(sources, "open_source", lambda _: found)
    monkeypatch.setattr(sources, "remote_sources", lambda: {"vendor": ""})
    return found
