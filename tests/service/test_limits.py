"""How often a token may be used, and an address may guess."""

from sta410kit.service.limits import Limits


def test_where_a_minute_of_the_clock_ends_no_more_pass(monkeypatch):
    """Five a minute are five in any sixty seconds; then one has to wait until the first is that old."""
    moment = 1_800_000_000 // 60 * 60 + 59.75
    monkeypatch.setattr("time.time", lambda: moment)
    limits, waits = Limits(5), []
    for _ in range(7):
        waits.append(limits.request("user eve"))
        moment += 0.125
    assert waits == [0, 0, 0, 0, 0, 59, 59]
    moment += 60
    assert limits.request("user eve") == 0
