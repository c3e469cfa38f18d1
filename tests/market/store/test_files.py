"""The files of the store: nothing is overwritten, damage is noticed, and DuckDB reads them as they lie."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import CacheError, ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.market import load_prices
from sta410kit.market.store.files import PriceStore, is_intact, merged, missing
from tests.market.vendor import NOON

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.fixture
def store(tmp_path):
    return PriceStore(tmp_path / "data_cache")


def bar(day, close=10.0, symbol="KO"):
    values = dict.fromkeys(["open", "high", "low", "close"], close)
    return pd.DataFrame(
        {"symbol": [symbol], "date": pd.to_datetime([day]), "kind": "bar", **values, "volume": 5.0}
    )


def keep(store, day, close=10.0, symbol="KO"):
    span = (date.fromisoformat(day), date.fromisoformat(day))
    store.append("vendor", bar(day, close, symbol), {symbol: span})


def test_nothing_is_overwritten(store, clock):
    """A second value of a bar stands beside the first, each with the moment it was seen."""
    keep(store, "2024-03-07", 10.0)
    clock(NOON + timedelta(days=1))
    keep(store, "2024-03-07", 11.0)
    rows = store.rows("vendor", "KO")
    assert rows["close"].tolist() == [10.0, 11.0]
    assert rows["seen_at"].tolist() == [NOON, NOON + timedelta(days=1)]
    assert store.current("vendor", "KO")["close"].tolist() == [11.0]
    assert store.current("vendor", "KO", NOON)["close"].tolist() == [10.0]
    assert store.current("vendor", "KO", NOON - timedelta(seconds=1)).empty


def test_many_files_become_one_that_says_the_same(store, clock):
    """Compaction keeps each row, and what was asked for."""
    days = pd.date_range("2024-01-01", periods=31)
    for number, day in enumerate(days):
        clock(NOON + timedelta(minutes=number))
        keep(store, f"{day:%Y-%m-%d}", 100.0 + number)
    files = list(store.root.rglob("*.parquet"))
    assert [file.name[:22] for file in files] == ["2024-01-01_2024-01-31_"]
    rows = store.rows("vendor", "KO")
    assert rows["close"].tolist() == [100.0 + number for number in range(31)]
    assert rows["seen_at"].nunique() == 31
    assert store.covered("vendor", "KO") == [(date(2024, 1, 1), date(2024, 1, 31))]


def test_a_damaged_file_is_set_aside_and_fetched_again(vendor, tmp_path):
    """One changed byte is noticed; the period that the file covered is asked for once more."""
    prices = load_prices("vendor", "KO", "2024-01-02")
    (file,) = tmp_path.rglob("*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert load_prices("vendor").equals(prices)
    assert vendor.asked == [(("KO",), "2024-01-02", "2024-03-07")] * 2
    assert [path.name for path in (tmp_path / "data_cache" / "corrupt").rglob("*.parquet")] == [file.name]


def test_a_damaged_history_does_not_pass_for_a_short_one(vendor, tmp_path):
    """With the source down, prices of the last days alone are no substitute."""
    load_prices("vendor", "KO", "2024-01-02", "2024-02-29")
    load_prices("vendor", "KO")
    next(file for file in tmp_path.rglob("*.parquet") if "_2024-02-29_" in file.name).write_bytes(b"")
    vendor.down = True
    with pytest.raises(Exception, match="do not cover the period"):
        load_prices("vendor", "KO")


def test_the_name_of_a_file_vouches_for_its_content(store):
    """The last part is the SHA-256 of the content, cut short."""
    keep(store, "2024-03-07")
    (file,) = store.root.rglob("*.parquet")
    assert file.stem[-16:] == hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    assert is_intact(file, file.read_bytes())
    assert not is_intact(file, b"other")


@pytest.mark.parametrize("symbol", ["BRK/B", "^GSPC", "BTC-USD", "a b", "ÄÖ", "EURUSD=X"])
def test_any_symbol_has_a_folder(store, symbol):
    """Also one with a slash."""
    keep(store, "2024-03-07", symbol=symbol)
    assert store.symbols("vendor") == (symbol,)
    assert store.rows("vendor", symbol)["symbol"].tolist() == [symbol]


def test_a_symbol_is_no_way_out_of_the_folder(store):
    """Dots alone are a path."""
    with pytest.raises(ConfigurationError, match=r"'\.\.' is no symbol"):
        store.rows("vendor", "..")


def test_threads_write_at_the_same_time(store):
    """Each append is there in the end, once."""
    days = [f"2024-01-{day:02}" for day in range(1, 29)] * 2
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: keep(store, each[1], each[0]), enumerate(days)))
    rows = store.rows("vendor", "KO")
    assert sorted(rows["close"]) == list(range(56))


def test_duckdb_reads_the_store_as_it_lies(store, clock):
    """The query of docs/data.md gives the newest row of each bar."""
    import duckdb

    keep(store, "2024-03-06", 9.0)
    keep(store, "2024-03-07", 10.0)
    clock(NOON + timedelta(days=1))
    keep(store, "2024-03-07", 11.0)
    (query,) = re.findall(r"^```sql\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found = duckdb.sql(query.replace("data_cache/prices/alpaca", f"{store.root}/prices/vendor")).fetchall()
    assert found == [("KO", date(2024, 3, 6), 9.0), ("KO", date(2024, 3, 7), 11.0)]


DAYS = st.integers(0, 60).map(lambda days: date(2024, 1, 1) + timedelta(days=days))
SPANS = st.tuples(DAYS, DAYS).map(sorted).map(tuple)


@given(SPANS, st.lists(SPANS, max_size=6))
def test_what_is_missing_and_what_is_covered_make_the_whole(wanted, covered):
    """Day by day."""

    def days(spans):
        return {a + timedelta(days=n) for a, b in spans for n in range((b - a).days + 1)}

    lacking = missing(wanted, covered)
    assert days(lacking) == days([wanted]) - days(covered)
    assert days(merged(covered)) == days(covered)
    assert merged(lacking) == lacking


def test_what_others_leave_in_the_folders_is_no_part_of_the_store(store, clock):  # noqa: ARG001
    """A copy under another name, notes, and what Jupyter keeps of a folder that it has opened."""
    keep(store, "2024-03-07")
    folder = store.root / "prices" / "vendor"
    (folder / ".ipynb_checkpoints").mkdir()
    for name in ("2024_x_y_z.parquet", "2024-03-07_notes_a_b.parquet", "README.txt"):
        (folder / "KO" / name).write_text("no prices")
    assert store.symbols("vendor") == ("KO",)
    assert store.covered("vendor", "KO") == [(date(2024, 3, 7), date(2024, 3, 7))]
    assert store.rows("vendor", "KO")["close"].tolist() == [10.0]


def test_a_folder_that_cannot_be_written_is_refused_by_the_name_of_its_setting(vendor, tmp_path):  # noqa: ARG001
    """The chain ends with 2, as for every wrong setting, and not as if the notebook had to be mended."""
    (tmp_path / "data_cache").write_text("a file")
    with pytest.raises(CacheError, match=r"data_cache cannot be written .* check DATA_CACHE_DIR") as refused:
        load_prices("vendor", "KO")
    assert refused.value.exit_code is ExitCode.USAGE
