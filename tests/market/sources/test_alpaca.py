"""Prices from Alpaca, against a server that speaks its API and misbehaves on demand."""

import time
from contextlib import suppress
from datetime import UTC, date, datetime

import hypothesis
import hypothesis.strategies as st
import pandas as pd
import pytest

from sta410kit.exceptions import APIError, ConfigurationError, SecretsManagementError
from sta410kit.market.resilience import Timeouts
from sta410kit.market.sources.alpaca import AlpacaSource
from tests.market.alpaca_server import KEY, SECRET, AlpacaServer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("_shared_state")]

BARS = {
    "AAPL": [
        ("2024-01-02T05:00:00Z", 187.15, 188.44, 183.885, 185.64, 82488682),
        ("2024-01-03T05:00:00Z", 184.22, 185.88, 183.43, 184.25, 58414460),
        ("2024-07-03T04:00:00Z", 220.0, 221.55, 219.03, 221.55, 37369801),
    ],
    "KO": [("2024-01-02T05:00:00Z", 58.95, 59.94, 58.93, 59.82, 14459600)],
}
ACTIONS = {
    "forward_splits": [
        {
            "symbol": "AAPL",
            "new_rate": 4,
            "old_rate": 1,
            "ex_date": "2020-08-31",
            "process_date": "2020-08-31",
        }
    ],
    "reverse_splits": [
        {"symbol": "KO", "new_rate": 1, "old_rate": 50, "ex_date": "2023-08-24", "process_date": "2023-08-24"}
    ],
    "stock_dividends": [
        {"symbol": "KO", "rate": 0.05, "ex_date": "2023-05-19", "process_date": "2023-05-19"}
    ],
    "cash_dividends": [
        # Paid, and so listed, after the period that is asked for below.
        {"symbol": "AAPL", "rate": 0.24, "ex_date": "2024-02-09", "process_date": "2024-02-15", "id": "a"}
    ],
    "spin_offs": [{"symbol": "KO", "ex_date": "2023-01-03", "process_date": "2023-01-03"}],
}
YEAR = (date(2024, 1, 1), date(2024, 12, 31))
BAR = {"t": "2024-01-03T05:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}


@pytest.fixture
def server(monkeypatch):
    """Start a server and point the settings at it."""
    with AlpacaServer(BARS, ACTIONS) as one:
        for name, value in one.settings.items():
            monkeypatch.setenv(name, value)
        yield one


@pytest.fixture
def source():
    """Open Alpaca with the patience of a test."""
    return AlpacaSource(timeouts=Timeouts(connect=5, read=1, whole=2))


def test_bars_are_those_of_the_sessions_in_new_york(server, source):
    """Winter and summer time; both ends of the period included; symbols spelt as asked for."""
    bars = source.bars(["KO", "aapl"], date(2024, 1, 3), date(2024, 7, 3))
    expected = pd.DataFrame(
        {
            "symbol": pd.Series(["aapl", "aapl"], dtype="str"),
            "date": pd.Series(["2024-01-03", "2024-07-03"], dtype="datetime64[us]"),
            "open": [184.22, 220.0], "high": [185.88, 221.55], "low": [183.43, 219.03],
            "close": [184.25, 221.55], "volume": [58414460.0, 37369801.0],
        }
    )  # fmt: skip
    pd.testing.assert_frame_equal(bars, expected)
    path, query = server.requests[0]
    assert path == "/v2/stocks/bars"
    assert (query["adjustment"], query["feed"], query["timeframe"]) == ("raw", "sip", "1Day")


def test_the_last_quarter_of_an_hour_is_not_asked_for(server, source):
    """A free subscription is refused for it; a period that has not begun is asked for nowhere."""
    today = datetime.now(UTC).date()
    source.bars(["KO"], date(2024, 1, 2), today)
    until = datetime.fromisoformat(server.requests[0][1]["end"])
    assert (datetime.now(UTC) - until).total_seconds() >= 900
    assert source.bars(["KO"], date(2999, 1, 1), date(2999, 1, 2)).empty
    assert len(server.requests) == 1


def test_actions_are_found_by_their_ex_date(server, source):
    """New shares per old share, cash per share; a stock dividend is a split, a spin-off is none."""
    found = source.actions(["AAPL", "KO"], date(2020, 1, 1), date(2024, 2, 9))
    assert found.astype({"date": "str"}).to_numpy().tolist() == [
        ["AAPL", "2020-08-31", "split", 4.0],
        ["AAPL", "2024-02-09", "dividend", 0.24],
        ["KO", "2023-05-19", "split", 1.05],
        ["KO", "2023-08-24", "split", 0.02],
    ]
    assert server.requests[0][0] == "/v1/corporate-actions"


def test_pages_are_put_together_and_a_row_on_two_of_them_counts_once(server, source):
    """The later answer for a session is the newer one."""
    server.page_size = 1
    assert len(source.bars(["AAPL", "KO"], *YEAR)) == 4
    again = {**BAR, "c": 2}
    server.faults += [
        {"bars": {"AAPL": [BAR]}, "next_page_token": "x"},
        {"bars": {"AAPL": [again], "TSLA": [BAR]}, "next_page_token": None},
    ]
    bars = source.bars(["AAPL"], *YEAR)
    assert bars[["symbol", "close"]].to_numpy().tolist() == [["AAPL", 2.0]]


@pytest.mark.parametrize("symbols", [250, 0])
def test_many_symbols_are_asked_for_by_the_hundred(server, source, symbols):
    """None needs no request."""
    bars = source.bars([*(f"S{number}" for number in range(symbols)), *BARS][: symbols or None], *YEAR)
    assert len(server.requests) == (3 if symbols else 1)
    assert len(bars) == (0 if symbols else 4)
    assert source.bars([], *YEAR).empty


@pytest.mark.parametrize(
    "fault", ["429", ("429", {"Retry-After": "0"}), "500", "502", "504", "reset", "stall",
              "truncated", "html"],
)  # fmt: skip
def test_what_passes_is_waited_for(server, source, fault):
    """Two requests of two pages fail, and the result is that of a clean night."""
    server.page_size = 2
    clean = source.bars(["AAPL", "KO"], *YEAR)
    server.faults += [fault, None, fault]
    pd.testing.assert_frame_equal(source.bars(["AAPL", "KO"], *YEAR), clean)
    assert len(server.requests) == 2 + 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("500", "HTTP 500: sorry"),
        ("502", "HTTP 502: Bad Gateway"),
        ("reset", "the connection failed"),
        ("stall", "no answer in time (ReadTimeout)"),
        ("truncated", "the answer is no complete JSON: {"),
        ("drip", "the answer was not complete after 2 s"),
    ],
)
def test_what_does_not_pass_ends_as_source_unavailable(server, source, fault, said, monkeypatch):
    """After as many repetitions as are set."""
    monkeypatch.setenv("REQUEST_RETRIES", "1")
    server.refuse_all = fault
    with pytest.raises(APIError) as refused:
        source.bars(["AAPL"], *YEAR)
    assert str(refused.value).startswith("Alpaca was asked 2 times without success: ")
    assert said in str(refused.value)
    assert refused.value.exit_code == 11
    assert len(server.requests) == 2


@pytest.mark.usefixtures("server")
def test_a_server_that_is_not_there_is_unavailable(source, monkeypatch):
    """Nothing listens at its port."""
    monkeypatch.setenv("ALPACA_DATA_URL", "http://127.0.0.1:1")
    with pytest.raises(APIError, match="the connection failed"):
        source.bars(["AAPL"], *YEAR)


@pytest.mark.parametrize(
    ("form", "skew"), [("seconds", 0), ("date", 3600), ("date", -3600), ("reset", -3600)]
)
def test_retry_after_is_obeyed_by_the_clock_of_the_server(server, source, form, skew):
    """Not sooner, and an hour's difference between the clocks is no hour of waiting."""
    server.clock_skew = skew
    until = pd.Timestamp(time.time() + skew + 2, unit="s")
    headers = {
        "seconds": {"Retry-After": "1"},
        "date": {"Retry-After": until.strftime("%a, %d %b %Y %H:%M:%S GMT")},
        "reset": {"X-RateLimit-Reset": f"{until.timestamp():.0f}"},
    }
    server.faults.append(("429", headers[form]))
    source.bars(["KO"], *YEAR)
    assert 0.99 <= server.arrivals[1] - server.arrivals[0] < 5


def test_a_service_that_asks_for_ten_minutes_is_not_waited_for(server, source):
    """It is unavailable tonight."""
    server.refuse_all = ("429", {"Retry-After": "600"})
    with pytest.raises(APIError, match="HTTP 429: too many requests, and asks to wait 600 s"):
        source.bars(["KO"], *YEAR)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer", [{"bars": None}, {"bars": {}}, {"bars": {"AAPL": None}}, {"bars": {"AAPL": []}}]
)
def test_an_empty_answer_has_no_rows(server, source, answer):
    """A symbol without bars is absent; the columns are there."""
    server.faults.append(answer)
    bars = source.bars(["AAPL"], *YEAR)
    assert bars.empty
    assert list(bars) == ["symbol", "date", "open", "high", "low", "close", "volume"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"message": "hello"}, "{'message': 'hello'} at bars: Field required"),
        ({"bars": [BAR]}, "at bars: Input should be a valid dictionary"),
        ({"bars": {"AAPL": 5}}, "5 at bars.AAPL: Input should be a valid list"),
        ({"bars": {"AAPL": [[1]]}}, "[1] at bars.AAPL.0: Input should be a valid dictionary"),
        ({"bars": {"AAPL": [BAR, {**BAR, "c": "12.5"}]}}, "'12.5' at bars.AAPL.1.c: Input should be"),
        ({"bars": {"AAPL": [{**BAR, "v": None}]}}, "None at bars.AAPL.0.v"),
        ({"bars": {"AAPL": [{**BAR, "c": True}]}}, "True at bars.AAPL.0.c"),
        ({"bars": {"AAPL": [{**BAR, "c": float("nan")}]}}, "nan at bars.AAPL.0.c"),
        ({"bars": {"AAPL": [{**BAR, "t": 1704258000}]}}, "1704258000 at bars.AAPL.0.t"),
        ({"bars": {"AAPL": [{**BAR, "t": "Wednesday"}]}}, "'Wednesday' at bars.AAPL.0.t"),
        ({"bars": {"AAPL": [{**BAR, "t": "2024-01-03T00:00:00Z"}]}}, "not midnight in New York"),
        ({"bars": {"AAPL": [{**BAR, "t": "2024-01-03T05:00:00"}]}}, "not midnight in New York"),
        ({"bars": {"AAPL": [BAR]}, "next_page_token": 7}, "7 at next_page_token"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_named(server, source, answer, said):
    """With their place in the answer, and without asking again."""
    server.faults.append(answer)
    with pytest.raises(APIError) as refused:
        source.bars(["AAPL"], *YEAR)
    assert said in str(refused.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"new_rate": 4, "old_rate": 0, "ex_date": "2024-02-01"}, "forward_splits.0.old_rate: Input should"),
        ({"new_rate": 4, "old_rate": 1, "ex_date": "soon"}, "at corporate_actions.forward_splits.0.ex_date"),
        ({"new_rate": 4, "old_rate": 1}, "ex_date: Field required"),
    ],
)  # fmt: skip
def test_actions_of_the_wrong_kind_are_named(server, source, action, said):
    """A ratio by zero would make prices infinite."""
    server.faults.append({"corporate_actions": {"forward_splits": [{"symbol": "KO", **action}]}})
    with pytest.raises(APIError) as refused:
        source.actions(["KO"], *YEAR)
    assert said in str(refused.value)


def test_an_answer_that_is_no_object_is_refused(server, source):
    """A list, say."""
    server.answer = lambda *_: [1, 2]
    with pytest.raises(APIError, match=r"no JSON object: \[1, 2\]"):
        source.bars(["KO"], *YEAR)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["AAPL", *BAR]), inner, max_size=3)
    ),
    max_leaves=8,
)


@hypothesis.given(answer=st.fixed_dictionaries({"bars": JSON}, optional={"next_page_token": JSON}))
def test_whatever_is_answered_gives_bars_or_an_error_of_the_source(server, source, answer):
    """Never an error of Python's."""
    server.answer = lambda *_: answer
    with suppress(APIError):
        assert list(source.bars(["AAPL"], *YEAR)["symbol"]) in ([], ["AAPL"])


@pytest.mark.parametrize("tokens", ["same", "new"])
def test_pages_without_end_end_in_an_error(server, source, tokens):
    """Also when the same rows come under ever new tokens."""
    server.answer = lambda *_: {
        "bars": {"KO": [BAR]},
        "next_page_token": "again" if tokens == "same" else f"{len(server.requests)}",
    }
    with pytest.raises(APIError, match="pages have no end"):
        source.bars(["KO"], *YEAR)
    assert len(server.requests) <= 21


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refused_key_names_both_variables_and_shows_none(server, source, status, monkeypatch, capfd):
    """Even if the server repeats the keys; nothing is asked again."""
    if status == "401":
        monkeypatch.setenv("ALPACA_SECRET_KEY", wrong := SECRET[::-1])
    else:
        wrong = SECRET
        server.refuse_all = "403"  # what it says is not about keys but the plan
    with pytest.raises(
        SecretsManagementError, match=f"HTTP {status}.*ALPACA_API_KEY and ALPACA_SECRET_KEY"
    ) as told:
        source.bars(["KO"], *YEAR)
    said = capfd.readouterr()
    for text in (str(told.value), said.out, said.err):
        assert KEY not in text
        assert wrong not in text
    assert len(server.requests) == 1


def test_a_refused_request_is_the_callers_mistake(server, source):
    """Such as a symbol that is none; repeating it would not help."""
    server.refuse_all = "400"
    with pytest.raises(
        ConfigurationError, match=r"Alpaca at http://127.0.0.1:\d+ refused the request \(HTTP 400"
    ):
        source.bars(["^GSPC"], *YEAR)
    assert len(server.requests) == 1


def test_without_keys_nothing_is_asked(server, source, monkeypatch):
    """The error names both variables."""
    monkeypatch.delenv("ALPACA_SECRET_KEY")
    with pytest.raises(SecretsManagementError, match="ALPACA_SECRET_KEY"):
        source.bars(["KO"], *YEAR)
    assert server.requests == []


def test_a_source_that_is_down_is_left_alone(server, monkeypatch):
    """After eight failures in a row, over all processes, no request is sent until a probe may be."""
    monkeypatch.setenv("REQUEST_RETRIES", "3")
    server.refuse_all = "500"
    for _ in range(2):
        with pytest.raises(APIError, match="asked 4 times"):
            AlpacaSource().bars(["KO"], *YEAR)
    with pytest.raises(APIError, match="has failed 8 times in a row and is not asked again for"):
        AlpacaSource().bars(["KO"], *YEAR)
    assert len(server.requests) == 8
