"""Calendars that cannot be had say so in a line."""

import pytest

from sta410kit._internal.calendars import sessions
from sta410kit.exceptions import ConfigurationError

pytestmark = pytest.mark.unit


def test_what_a_library_says_of_a_calendar_is_cut_short(monkeypatch):
    """It may list thousands of sessions; the error names the exchange and the years all the same."""
    import exchange_calendars

    def stumble(*_, **__):
        raise ValueError("Special dates " + "2016-01-03 13:40, " * 1000)

    monkeypatch.setattr(exchange_calendars, "get_calendar", stumble)
    with pytest.raises(ConfigurationError, match="calendar of XTAE does not reach from 20") as caught:
        sessions("XTAE", 16_900, 17_300)
    assert len(str(caught.value)) < 500
