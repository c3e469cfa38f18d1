"""``sta410 trade`` sends approved proposals once, against a server that speaks Alpaca's trading API."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from sta410kit._internal.calendars import closed_sessions
from sta410kit.cli.entry import cli
from sta410kit.config import load_config, set_config
from sta410kit.exceptions import ConfigurationError, SecretsManagementError, TradingExecutionError
from sta410kit.runner.manifest import Manifest, StepRecord
from sta410kit.runner.registry import content_digest
from tests.market.alpaca_server import SECRET
from tests.market.broker_server import BrokerServer

pytestmark = pytest.mark.integration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RUN = "20260105-010203-004ab"


def newest_session():
    now = datetime.now(UTC)
    days = closed_sessions("XNYS", (now - EPOCH).days - 30, now)
    return pd.Timestamp((EPOCH + timedelta(days=int(days[-1]))).date())


def proposals(day=None, **shares):
    """Buy where shares are positive, sell where negative, hold at 0; each share costs 100."""
    rows = [
        {
            "symbol": symbol, "date": day or newest_session(), "reference_price": 100.0, "shares": abs(count),
            "side": "buy" if count > 0 else "sell" if count else "hold", "reason": "because",
            "stop_loss": 100.0 - 3 * (count > 0) + 3 * (count < 0) if count else None,
            "take_profit": 100.0 + (count > 0) - (count < 0) if count else None,
        }
        for symbol, count in shares.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write a passed run with proposals."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(orders):
        folder = Path("runs") / RUN
        folder.mkdir(parents=True)
        orders.to_parquet(folder / "orders.parquet")
        digests = {"orders.parquet": content_digest(folder / "orders.parquet")}
        step = StepRecord("06_forecast", "PASSED", artifacts=digests)
        Manifest(RUN, outcome="PASSED", exit_code=0, steps=[step]).write(folder)
        return folder

    return write


def ask(broker, *words):
    set_config(load_config(broker.settings))
    return CliRunner().invoke(cli, ["trade", *words], standalone_mode=False)


def test_nothing_is_sent_unless_it_is_asked_for(run):
    """The dry run shows what would be sent."""
    run(proposals(AAPL=10, IBM=0))
    with BrokerServer() as broker:
        shown = ask(broker)
    assert (shown.return_value, list(broker.posts)) == (0, [])
    assert "│ AAPL   │ buy  │     10 │ +10 proposed, +0 held │ not sent │" in shown.output
    assert "nothing was sent; to send: sta410 trade --send" in shown.output


def test_an_order_is_sent_once_with_its_stop_and_target(run):
    """A second call sends nothing and shows what became of the order."""
    run(proposals(AAPL=10))
    with BrokerServer() as broker:
        assert ask(broker, "--send").return_value == 0
        name = f"sta410-{RUN}-AAPL"
        broker.orders[name] |= {"status": "partially_filled", "filled_qty": "4", "filled_avg_price": "100.5"}
        again = ask(broker, "--send", "--json")
    assert list(broker.posts) == [
        {
            "symbol": "AAPL", "type": "market", "time_in_force": "day", "client_order_id": name,
            "side": "buy", "qty": "10", "order_class": "bracket", "stop_loss": {"stop_price": "97.00"},
            "take_profit": {"limit_price": "101.00"},
        }
    ]  # fmt: skip
    (trade,) = json.loads(again.stdout)["trades"]
    assert trade["outcome"] == "partially_filled, 4 of 10 filled at 100.50"


def test_an_answer_that_was_lost_sends_no_order_twice(run):
    """The broker took the order and the connection broke: the repeated request finds it by its id."""
    run(proposals(AAPL=10))
    with BrokerServer() as broker:
        broker.lost = 1
        sent = ask(broker, "--send")
    assert (sent.return_value, len(broker.posts), len(broker.orders)) == (0, 2, 1)
    assert "accepted, 0 of 10 filled" in sent.output


def test_what_the_broker_refuses_is_reported_and_the_rest_is_sent(run):
    """Exit code 4, with the broker's own reason."""
    run(proposals(AAPL=10, IBM=10))
    with BrokerServer(refused=["AAPL"]) as broker:
        sent = ask(broker, "--send")
    assert (sent.return_value, [one["symbol"] for one in broker.orders.values()]) == (4, ["IBM"])
    assert "insufficient buying power" in sent.output


@pytest.mark.parametrize(("price", "sent"), [(97.01, 1), (97.0, 0), (101.0, 0), (None, 1)])
def test_an_order_is_left_out_once_its_stop_or_target_is_passed(run, price, sent):
    """Bought at 100 with a stop at 97 and a target at 101; a symbol without a newest bar is sent."""
    run(proposals(AAPL=10))
    with BrokerServer() as broker:
        broker.newest = {"AAPL": price} if price else {}
        shown = ask(broker, "--send")
    assert len(broker.posts) == sent
    assert ("20:59 UTC is beyond the stop or target, 97.00 and 101.00" in shown.output) == (not sent)


@pytest.mark.parametrize(
    ("held", "posts"),
    [(4, [("buy", "6")]), (10, []), (12, []), (-3, [("buy", "3")])],
    ids=["in part", "whole", "more", "the other way"],
)
def test_positions_count(run, held, posts):
    """Only what is missing is bought; a position the other way is closed, and nothing opened at once."""
    run(proposals(AAPL=10))
    with BrokerServer(positions=[("AAPL", held, held * 100.0)]) as broker:
        ask(broker, "--send")
    assert [(one["side"], one["qty"]) for one in broker.posts] == posts


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ({"equity": 5_000.0, "last_equity": 5_000.0}, "per_trade_risk"),
        ({"equity": 96_000.0}, "daily_loss_limit"),
        ({"positions": [("KO", 900, 90_500.0)]}, "equity: proposals of 10,000.00 beside other positions"),
    ],
)
def test_the_limits_apply_to_the_account(run, account, reason):
    """Not to the equity that the run assumed."""
    run(proposals(AAPL=100))
    with BrokerServer(**account) as broker:
        refused = ask(broker, "--send").exception
    assert isinstance(refused, TradingExecutionError)
    assert reason in str(refused)
    assert not broker.posts


def test_proposals_of_an_older_session_are_refused(run):
    """A forecast of last week is no view of today."""
    run(proposals(newest_session() - pd.Timedelta(days=7), AAPL=10))
    with BrokerServer() as broker:
        refused = ask(broker, "--send").exception
    assert isinstance(refused, TradingExecutionError)
    assert f"the newest of XNYS that has closed is {newest_session():%Y-%m-%d}" in str(refused)


def test_proposals_that_were_edited_are_refused(run):
    """What is sent is what the guard approved."""
    folder = run(proposals(AAPL=10))
    proposals(AAPL=99).to_parquet(folder / "orders.parquet")
    with BrokerServer() as broker:
        refused = ask(broker, "--send").exception
    assert isinstance(refused, ConfigurationError)
    assert "is not what the run wrote" in str(refused)


def test_a_wrong_key_is_named_by_its_setting(run):
    """And shown nowhere."""
    run(proposals(AAPL=10))
    with BrokerServer() as broker:
        broker.settings["ALPACA_SECRET_KEY"] = wrong = SECRET[::-1]
        refused = ask(broker).exception
    assert isinstance(refused, SecretsManagementError)
    assert "ALPACA_API_KEY and ALPACA_SECRET_KEY" in str(refused)
    assert wrong not in str(refused)


def test_a_live_endpoint_needs_more_than_its_address(run):
    """While PAPER_TRADING is true, nothing is asked of it."""
    run(proposals(AAPL=10))
    with BrokerServer() as broker:
        broker.settings["ALPACA_BASE_URL"] = "https://api.alpaca.markets"
        refused = ask(broker, "--send").exception
    assert isinstance(refused, ConfigurationError)
    assert "set ALPACA_BASE_URL=https://paper-api.alpaca.markets" in str(refused)
