"""What a source revises is held for the gate; what is new is added."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from sta410kit.exceptions import APIError, ConfigurationError
from sta410kit.market import load_prices
from sta410kit.market.store.files import PriceStore
from sta410kit.market.store.updating import Market, differences, revisions, update

pytestmark = pytest.mark.unit

MONDAY = datetime(2024, 3, 11, 22, tzinfo=UTC)


@pytest.fixture
def store(vendor, clock, tmp_path):  # noqa: ARG001
    """Give the store after a fetch on Friday; it is Monday now."""
    load_prices("vendor", "AAPL,KO", "2024-02-01")
    clock(MONDAY)
    return PriceStore(tmp_path / "data_cache")


def ask(store, vendor, **how):
    return update(store, vendor, ["AAPL", "KO"], (None, None), Market("XNYS", None, MONDAY), **how)


def held(store):
    rows = revisions(store, "vendor", ["AAPL", "KO"])
    table = differences(store, "vendor", rows)
    return [tuple(row) for row in table.assign(date=table["date"].astype(str)).to_numpy().tolist()]


def test_a_revision_is_held_and_the_stored_value_stays(store, vendor):
    """New sessions are added all the same."""
    vendor.revise("KO", "2024-03-06", close=500.0, volume=7.0)
    before = store.current("vendor", "KO").set_index("date")["close"]["2024-03-06"]
    done = ask(store, vendor)
    assert (done.added, done.symbols) == (4, ("AAPL", "KO"))  # Friday and Monday of both
    assert held(store) == [
        ("KO", "2024-03-06", "bar", "close", before, 500.0),
        ("KO", "2024-03-06", "bar", "volume", 1e6, 7.0),
    ]
    current = store.current("vendor", "KO").set_index("date")["close"]
    assert current["2024-03-06"] == before
    assert current.index[-1] == pd.Timestamp("2024-03-11")


def test_a_revision_is_held_once_and_forgotten_when_it_is_taken_back(store, vendor, clock):
    """Asking again adds nothing; the value as it was ends it."""
    before = store.current("vendor", "KO").set_index("date")["close"]["2024-03-06"]
    vendor.revise("KO", "2024-03-06", close=500.0)
    ask(store, vendor)
    ask(store, vendor, again=True)
    assert len(store.rows("vendor", "KO", "held")) == 1
    vendor.revise("KO", "2024-03-06", close=before)
    clock(MONDAY + timedelta(minutes=1))
    ask(store, vendor, again=True)
    assert held(store) == []


def test_a_bar_that_is_gone_is_a_revision_and_an_empty_answer_is_none(store, vendor):
    """A session that the source no longer has stays until the gate has judged; silence says nothing."""
    whole = vendor.table
    vendor.table = whole[(whole["symbol"] == "AAPL") | (whole["date"] != "2024-03-06")]
    ask(store, vendor)
    assert [row[:4] for row in held(store)] == [
        ("KO", "2024-03-06", "bar", name) for name in ("open", "high", "low", "close", "volume")
    ]
    assert len(load_prices("vendor", "KO", "2024-03-06", "2024-03-06")) == 1
    vendor.table = whole[:0]
    ask(store, vendor, again=True)
    assert {row[0] for row in held(store)} == {"KO"}


def test_an_action_that_is_listed_weeks_late_is_added_with_the_next_session(store, vendor):
    """Some sources list a dividend when it is paid, not on its ex-date."""
    vendor.act("KO", "2024-02-09", "dividend", 0.5)
    ask(store, vendor)
    rows = store.current("vendor", "KO")
    assert rows.loc[rows["kind"] == "dividend", "value"].tolist() == [0.5]
    assert held(store) == []


def test_an_action_that_changes_is_a_revision_and_a_new_one_is_not(store, vendor):
    """Two dividends of one day count together."""
    vendor.act("KO", "2024-03-05", "dividend", 0.25)
    vendor.act("KO", "2024-03-05", "dividend", 0.5)
    ask(store, vendor)
    assert held(store) == []
    rows = store.current("vendor", "KO")
    assert rows.loc[rows["kind"] == "dividend", "value"].tolist() == [0.75]
    vendor.paid = vendor.paid[:1]
    ask(store, vendor, again=True)
    assert held(store) == [("KO", "2024-03-05", "dividend", "value", 0.75, 0.25)]


def test_a_long_list_is_stored_in_parts(vendor, monkeypatch):
    """What was answered before the source failed is not asked for again."""
    monkeypatch.setattr("sta410kit.market.store.updating._AT_ONCE", 1)
    bars = vendor.bars
    vendor.bars = lambda symbols, *span: bars(symbols, *span) if symbols == ["AAPL"] else fail()

    def fail():
        message = "vendor has hung up."
        raise APIError(message)

    with pytest.raises(APIError, match="hung up"):
        load_prices("vendor", "AAPL,KO", "2024-02-01")
    vendor.bars = bars
    load_prices("vendor", "AAPL,KO", "2024-02-01")
    assert [symbols for symbols, _, _ in vendor.asked] == [("AAPL",), ("KO",)]


def test_an_answer_without_prices_is_an_error_of_the_source(store, vendor):
    """It names what is lacking, and nothing is stored."""
    bars = vendor.bars
    vendor.bars = lambda *asked: bars(*asked).drop(columns="close")
    with pytest.raises(APIError, match="vendor answered without close"):
        ask(store, vendor)
    assert store.covered("vendor", "KO") == [(date(2024, 2, 1), date(2024, 3, 7))]


@pytest.mark.parametrize("nothing", [None, pd.DataFrame()])
def test_a_source_may_have_nothing_to_say_of_actions_or_of_bars(store, vendor, monkeypatch, nothing):
    """No frame, or one without columns."""
    monkeypatch.setattr(vendor, "actions", lambda *_: nothing)
    assert ask(store, vendor).added == 4
    monkeypatch.setattr(vendor, "bars", lambda *_: nothing)
    assert ask(store, vendor, again=True).added == 0


def _fails(*_):
    message = "no route to host"
    raise ConnectionError(message)


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        (_fails, r"vendor does not answer \(ConnectionError: no route to host\)"),
        (lambda rows: rows.assign(close="abc"), "wrong type .*could not convert string to float: 'abc'"),
        (lambda rows: rows.assign(date=rows["date"].dt.tz_localize("UTC")), "wrong type .*timezone"),
        (lambda rows: rows.drop(columns="low"), "vendor answered without low"),
    ],
)
def test_an_answer_that_is_none_counts_as_a_source_that_is_down(store, vendor, monkeypatch, bars, message):
    """Whatever a third party's source does, it is named, and the store stays as it was."""
    answer = vendor.bars
    monkeypatch.setattr(vendor, "bars", lambda *asked: bars(answer(*asked)))
    with pytest.raises(APIError, match=message):
        ask(store, vendor)
    assert store.current("vendor", "KO")["date"].max() == pd.Timestamp("2024-03-07")


@pytest.mark.parametrize(
    ("kind", "value"), [("Split", 2.0), ("merger", 3.0), ("split", 0.0), ("dividend", None)]
)
def test_an_action_that_prices_cannot_be_adjusted_by_is_refused(store, vendor, kind, value):
    """Whatever is no split would otherwise count as cash; the message names symbol and day."""
    vendor.act("KO", "2024-03-11", kind, value)
    with pytest.raises(
        APIError, match=f"vendor answered with the action '{kind}' of .* for KO on 2024-03-11"
    ):
        ask(store, vendor)


def test_a_symbol_in_other_letters_is_not_stored_beside_the_first(store, vendor):
    """The chain would count the share twice, and a vendor answers for one of them."""
    with pytest.raises(ConfigurationError, match="'ko' would be a second symbol beside 'KO'; write it as KO"):
        update(store, vendor, ["ko"], (None, None), Market("XNYS", None, MONDAY))
    assert store.symbols("vendor") == ("AAPL", "KO")


def test_a_bar_that_comes_later_than_those_of_other_symbols_is_asked_for_again(store, vendor):
    """On the same night, not only once the next session has closed."""
    table = vendor.table
    late = (table["symbol"] == "KO") & (table["date"] == pd.Timestamp("2024-03-11"))
    vendor.table = table[~late]
    assert ask(store, vendor).added == 3  # Friday of both, Monday of AAPL
    vendor.table = table
    done = ask(store, vendor)
    assert (done.added, done.symbols) == (1, ("KO",))
    assert ask(store, vendor).symbols == ()
