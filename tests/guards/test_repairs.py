"""Declared repairs change what they say, keep the raw value in sight, and complain when they do nothing."""

import numpy as np
import pandas as pd
import pytest

from sta410kit import guards
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.data_docs import publish
from sta410kit.guards.repairs import UnusedRepairWarning

pytestmark = pytest.mark.unit

SIGNED = 'reason = "The vendor rounds."\nby = "R. Eviewer"\n'


@pytest.fixture
def repair(suite, prices):
    """Give the function that declares repairs and applies them to six bars of two symbols."""

    def apply(*entries, frame=prices):
        text = "".join(f"[[repair]]\n{entry}\n{SIGNED}" for entry in entries)
        (suite.parent / "repairs.toml").write_text(text)
        return guards.apply_repairs(frame, suite)

    return apply


def test_a_quarantined_bar_keeps_its_row_without_values(repair, prices):
    """The source's frame is not changed, and the log has what was there."""
    frame, log = repair('symbol = "BBB"\ndate = 2024-01-03\naction = "quarantine"')
    assert frame.iloc[4, 2:].isna().all()
    assert (
        frame.drop(4)
        .reset_index(drop=True)
        .astype(object)
        .equals(prices.drop(4).reset_index(drop=True).astype({"volume": float}).astype(object))
    )
    assert prices.loc[4, "close"] == 21.5
    assert log[["symbol", "column", "raw", "action", "by"]].iloc[0].tolist() == [
        "BBB", "open", 21.0, "quarantine", "R. Eviewer"
    ]  # fmt: skip


def test_open_and_close_are_clamped_to_the_range_or_the_range_is_extended(repair, prices):
    """The close takes adj_close along; other bars stay."""
    odd = prices.assign(open=[10, 13, 12, 20, 21, 22], close=[10.5, 11.5, 14, 20.5, 21.5, 22.5])
    frame, log = repair('symbol = "*"\naction = "clamp"', frame=odd)
    assert frame["open"].tolist() == [10, 12, 12, 20, 21, 22]
    assert frame["close"].tolist() == [10.5, 11.5, 13, 20.5, 21.5, 22.5]
    assert frame["adj_close"].round(6).tolist() == [10.5, 11.5, 11.607143, 20.5, 21.5, 22.5]
    assert len(log) == 3
    frame, _ = repair('symbol = "AAA"\naction = "extend"', frame=odd)
    assert frame["high"].tolist() == [11, 13, 14, 21, 22, 23]


def test_a_value_is_set_and_a_stretch_is_scaled(repair):
    """Pence become pounds; one volume is corrected and stays a whole number."""
    frame, log = repair(
        'symbol = "AAA"\nfirst = 2024-01-03\nlast = 2024-01-04\naction = "scale"\nfactor = 0.01',
        'symbol = "AAA"\ndate = 2024-01-02\naction = "set"\ncolumns = ["volume"]\nvalue = 150',
    )
    assert frame["close"].round(6).tolist() == [10.5, 0.115, 0.125, 20.5, 21.5, 22.5]
    assert frame["volume"].tolist() == [150, 200, 300, 400, 500, 600]
    assert frame["volume"].dtype == np.int64
    assert log["raw"].tolist()[-1] == 100


def test_rows_are_dropped_all_or_all_but_the_first(repair, prices):
    """A day without a session goes; of a session that is there twice one row stays."""
    frame, log = repair('symbol = "AAA"\ndate = 2024-01-03\naction = "drop"')
    assert (len(frame), log["column"].tolist()) == (5, [""])
    twice = pd.concat([prices, prices.iloc[[5]].assign(close=99.0)], ignore_index=True)
    frame, _ = repair('symbol = "BBB"\ndate = 2024-01-04\naction = "keep_first"', frame=twice)
    assert frame["close"].tolist() == prices["close"].tolist()


def test_a_repair_is_shown_beside_the_raw_value(repair, suite, make_walk, tmp_path):
    """In the result, in its HTML and in the data docs; the gate accepts what it refused."""
    odd = make_walk(rows=80, cents=True)
    odd.loc[100, "open"] = round(1.02 * odd.loc[100, "high"], 2)
    assert guards.validate(odd, suite).critical
    frame, log = repair('symbol = "*"\naction = "clamp"', frame=odd)
    result = guards.validate(frame, suite, repairs=log)
    raw, new = odd.loc[100, ["open", "high"]]
    line = f"clamp by R. Eviewer, 1 value: S1 2015-02-02 open {raw:g} -> {new:g}. The vendor rounds."
    assert (result.critical, result.repairs) == ((), (line,))
    assert result.to_dict()["repairs"] == [line]
    assert "Repaired before it was judged" in result._repr_html_()
    assert "Repaired before it was judged" in publish(result, tmp_path / "docs").read_text()


def test_a_bar_that_a_repair_emptied_is_no_finding(repair, suite, make_walk):
    """It is a known gap, even for a strict gate; one that the source leaves empty is declared alike."""
    odd = make_walk(rows=80, cents=True)
    odd.loc[100, ["open", "high", "low", "close", "adj_close", "volume"]] = np.nan
    odd.loc[20, ["open", "high", "low", "close", "adj_close"]] *= 3.0
    assert not guards.validate(odd, suite, strict=True).passed
    emptied = [
        f'symbol = "{odd.loc[row, "symbol"]}"\ndate = {odd.loc[row, "date"]:%Y-%m-%d}\naction = "quarantine"'
        for row in (20, 100)
    ]
    frame, log = repair(*emptied, frame=odd)
    result = guards.validate(frame, suite, repairs=log, strict=True)
    assert (result.critical, result.accepted, str(result.coverage)) == ((), (), "")
    assert result.repairs[0].startswith("quarantine by R. Eviewer, 12 values: S0 ")
    frame.loc[30, "close"] = np.nan
    (missing,) = guards.validate(frame, suite, repairs=log).critical
    assert missing.rows == (
        {"symbol": "S0", "date": f"{frame.loc[30, 'date']:%Y-%m-%d}", "close": missing.rows[0]["close"]},
    )


def test_bars_that_repairs_emptied_count_against_the_limit(repair, suite, make_walk):
    """Two of every hundred bars are too many, whoever leaves them out."""
    walks = make_walk(rows=100, cents=True)
    days = walks["date"].dt.strftime("%Y-%m-%d")
    entries = [
        f'symbol = "{walks["symbol"][row]}"\ndate = {days[row]}\naction = "quarantine"'
        for row in (10, 20, 110, 120, 210, 220)
    ]
    frame, log = repair(*entries, frame=walks)
    assert guards.validate(frame, suite, repairs=log).passed
    frame.loc[50, "low"] = 0.0
    result = guards.validate(frame, suite, repairs=log)
    assert result.excess == (
        "7 of 300 bars are quarantined or emptied by repairs, more than the suite allows (max_bars 0.02)"
    )


def test_a_snapshot_keeps_what_it_has_of_an_emptied_bar(repair, suite, make_walk, tmp_path):
    """The bar is not revised by being emptied, and its absence does not become the history."""
    walks, kept = make_walk(rows=80, cents=True), tmp_path / "kept.parquet"
    guards.keep_snapshot(walks, guards.validate(walks, suite), kept)
    frame, log = repair(
        f'symbol = "S0"\ndate = {walks.loc[20, "date"]:%Y-%m-%d}\naction = "quarantine"', frame=walks
    )
    result = guards.validate(frame, suite, snapshot=kept, repairs=log, strict=True)
    assert result.critical == ()
    guards.keep_snapshot(frame, result, kept)
    assert pd.read_parquet(kept)["close"].tolist() == walks["close"].tolist()
    assert guards.validate(walks, suite, snapshot=kept).failures == ()  # its volume is a whole number again
    (drift,) = guards.validate(walks.astype({"volume": float}), suite, snapshot=kept).critical
    assert "column volume was whole numbers and is numbers" in drift.message


def test_a_repair_that_matches_nothing_says_so(repair):
    """It may have a slip in it, or be done at the source; a rule for every bar may rest."""
    with pytest.warns(UnusedRepairWarning, match=r"repair 1 \(AAA 2023-01-03: drop\)"):
        repair('symbol = "AAA"\ndate = 2023-01-03\naction = "drop"')
    assert len(repair('symbol = "*"\naction = "clamp"')[1]) == 0


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('action = "clam"', "no action called 'clam'. Did you mean 'clamp'"),
        ('action = "scale"', "scale needs factor"),
        ('action = "set"\nvalue = 1', "set needs columns"),
        ('action = "clamp"\ncolumns = ["opn"]', "'opn' is no column of prices"),
        ('action = "clamp"\ndates = 2020-01-01', "no key called 'dates'"),
        ("", "has no action"),
        ('action = "set"\ncolumns = ["close"]\nvalue = "abc"', "value must be a number, got 'abc'"),
        ('action = "scale"\nfactor = 0', "factor must be a number above zero, got 0"),
        ('action = "scale"\nfactor = -1', "factor must be a number above zero, got -1"),
        ('action = "scale"\nfactor = nan', "factor must be a number above zero, got nan"),
        ('action = "scale"\nfactor = "0.6"', "factor must be a number above zero, got '0.6'"),
        ('action = "scale"\nfactor = true', "factor must be a number above zero, got True"),
        ('action = "drop"\nsymbol = ["SYC", "SYD"]', "symbol must be one symbol as text"),
        ('action = "clamp"\ncolumns = 3', "columns must be a list of column names, got 3"),
        (
            'action = "drop"\ndate = "2021-08-04"',
            "a date such as 2027-03-01, without quotes, got '2021-08-04'",
        ),
    ],
)
def test_a_broken_entry_is_refused(repair, entry, words):
    """Before anything is repaired."""
    with pytest.raises(ConfigurationError, match=r"repairs\.toml, repair 1") as error:
        repair(entry)
    assert words in str(error.value)
