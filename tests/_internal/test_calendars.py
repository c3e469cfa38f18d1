"""Calendars that cannot be had say so in a line."""

from datetime import UTC, datetime

import pytest

from sta410kit._internal.calendars import close_of, closed_sessions, sessions
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


@pytest.mark.parametrize(
    ("market", "moment", "newest"),
    [
        ("XNYS", datetime(2024, 12, 31, 20, 59, tzinfo=UTC), "2024-12-30"),
        ("XNYS", datetime(2024, 12, 31, 21, 0, tzinfo=UTC), "2024-12-31"),
        ("XNYS", datetime(2025, 1, 1, 12, 0, tzinfo=UTC), "2024-12-31"),
        ("24/7", datetime(2024, 12, 31, 23, 59, tzinfo=UTC), "2024-12-30"),
        ("XTKS", datetime(2024, 11, 26, 7, 0, tzinfo=UTC), "2024-11-26"),
    ],
)
def test_a_session_has_closed_once_its_exchange_says_so(market, moment, newest):
    """New York closes at 21:00 UTC in winter, also on the last day of a year; Tokyo before noon."""
    assert str(closed_sessions(market, 19_990, moment).astype("M8[D]")[-1]) == newest


def test_the_close_of_a_half_day_is_earlier():
    """The day after Thanksgiving closes at one in New York."""
    assert close_of("XNYS", "2024-11-29") == datetime(2024, 11, 29, 18, 0, tzinfo=UTC)
