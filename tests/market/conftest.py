"""Fixtures of prices from a remote source: a clean state."""

import pytest


@pytest.fixture
def _shared_state(tmp_path, monkeypatch):
    """Give the test rate limits and breakers of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
