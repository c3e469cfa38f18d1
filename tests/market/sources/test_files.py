"""CSV and Parquet files of every kind that people have, and of the kinds they should not have."""

import gzip
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.market import load_prices
from sta410kit.market.sources.files import UnadjustedPricesWarning

pytestmark = pytest.mark.unit

CASES = Path(__file__).parents[2] / "cases"
HEAD = "Date,Open,High,Low,Close,Adj Close,Volume\n"
ROW = "2012-01-03,1,2,1,2,2,10\n"


@pytest.fixture
def load(tmp_path):
    """Return a function that writes a file and loads it."""

    def write_and_load(content, name="AAA.csv", **selection):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_prices(source="files", path=file, **selection)

    return write_and_load


def refused(load, content, name="AAA.csv"):
    with pytest.raises(DataLoadingError) as caught:
        load(content, name)
    assert name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["all.csv", "all.csv.gz", "all.parquet"])
def test_what_is_written_comes_back_exactly(tmp_path, name):
    """The embedded prices survive a round trip through a file to the last bit."""
    prices = load_prices()
    if name.endswith("parquet"):
        prices.to_parquet(tmp_path / name)
    else:
        prices.to_csv(tmp_path / name, index=False)
    back = load_prices(source="files", path=str(tmp_path / name))
    pd.testing.assert_frame_equal(back, prices, check_exact=True)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_date_may_be_the_index_and_the_name_the_symbol(tmp_path, suffix):
    """A frame with a date index and capital column names, as downloaders write it, reads as its symbol."""
    prices = load_prices(symbols="IBM", start="2013-01-01")
    frame = prices.drop(columns="symbol").set_index("date").rename(columns=str.title)
    file = tmp_path / f"IBM{suffix}"
    frame.to_csv(file) if suffix == ".csv" else frame.to_parquet(file)
    pd.testing.assert_frame_equal(load_prices("files", path=file), prices, check_exact=True)


def test_an_index_without_a_name_is_the_date(load):
    """A first column without a name is the date when nothing else is."""
    assert load(",Open,High,Low,Close,Adj Close,Volume\n" + ROW)["date"].tolist() == [
        pd.Timestamp("2012-01-03")
    ]


@pytest.mark.parametrize(
    "head",
    [
        "DATE,OPEN,HIGH,LOW,CLOSE,ADJ_CLOSE,VOL",
        "timestamp,open,high,low,close,adjusted_close,volume",
        "datetime, Open ,High,Low,Close/Last,Adj. Close,Vol.",
        '"Date","Open","High","Low","Close","AdjClose","Volume"',
    ],
)
def test_common_spellings_are_understood(load, head):
    """Case, spaces and punctuation of a column's name do not matter."""
    assert load(f"{head}\n{ROW}").iloc[0].tolist() == [
        "AAA",
        pd.Timestamp("2012-01-03"),
        1.0,
        2.0,
        1.0,
        2.0,
        2.0,
        10,
    ]


def test_symbols_stay_text(load):
    """Symbols that look like numbers, gaps or truth values come back letter by letter."""
    symbols = ["000001", "1e5", "NA", "NAN", "TRUE", "null"]
    rows = "".join(f"{symbol},{ROW}" for symbol in symbols)
    assert load("ticker," + HEAD + rows)["symbol"].tolist() == symbols
    assert load("ticker," + HEAD + rows, symbols="000001,NAN")["symbol"].tolist() == ["000001", "NAN"]


def test_a_company_name_beside_a_symbol_is_not_the_symbol(load):
    """`Name` means the symbol only where no column says it better."""
    assert load("Name,Symbol," + HEAD + "Acme Inc,ACM," + ROW)["symbol"].tolist() == ["ACM"]
    assert load("Name," + HEAD + "ACM," + ROW)["symbol"].tolist() == ["ACM"]


def test_a_single_file_without_symbols_takes_the_one_asked_for(load):
    """One file and one symbol asked for belong together, unless the file is called like a symbol."""
    assert load(HEAD + ROW, "export.csv", symbols="BRK.B")["symbol"].tolist() == ["BRK.B"]
    assert load(HEAD + ROW, "brk-b.csv", symbols="BRK.B")["symbol"].tolist() == ["BRK.B"]
    assert load(HEAD + ROW, "BRK.B.csv")["symbol"].tolist() == ["BRK.B"]


@pytest.mark.filterwarnings("ignore:No adjusted close")
def test_a_file_named_for_a_symbol_is_not_sold_as_another(load):
    """AAPL.csv holds nothing of MSFT."""
    with pytest.raises(DataLoadingError, match=r"No prices for MSFT\. .*The source holds: AAPL"):
        load(HEAD + ROW, "AAPL.csv", symbols="MSFT")
    assert load(HEAD + ROW, "AAPL.csv", symbols="AAPL")["symbol"].tolist() == ["AAPL"]


def test_nothing_is_repaired(load):
    """A missing close, a negative price, a high below its low and a session twice all come through."""
    bad = "2012-01-04,-1,1,5,,NaN,null\n"
    prices = load(HEAD + ROW + bad + bad)
    assert prices["date"].dt.day.tolist() == [3, 4, 4]
    assert prices.iloc[1, 2:5].tolist() == [-1.0, 1.0, 5.0]
    assert np.isnan(prices.iloc[1, 5:].astype(float)).all()
    assert prices["volume"].dtype == "float64"


def test_a_missing_adjusted_close_is_said(load):
    """Without an adjusted close the close is used, and a warning says what that means."""
    with pytest.warns(
        UnadjustedPricesWarning, match=r"No adjusted close in AAA.csv: .* splits and dividends"
    ):
        prices = load("Date,Open,High,Low,Close,Volume\n2012-01-03,1,2,1,2,10\n")
    assert prices["adj_close"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2012-01-03 00:00:00-05:00", "2012-01-03"),
        ("2012-07-03T00:00:00+0900", "2012-07-03"),
        ("2012-01-03T00:00:00Z", "2012-01-03"),
        ("2012-01-03 16:00:00", "2012-01-03"),
        ("2012/1/3", "2012-01-03"),
        ("20120103", "2012-01-03"),
        ("13/01/2012", "2012-01-13"),
        ("01/13/2012", "2012-01-13"),
        ("13.01.2012", "2012-01-13"),
        ("1/13/2012 16:00:00", "2012-01-13"),
    ],
)
def test_dates_are_sessions_by_their_own_clock(load, written, day):
    """Whatever form a date has, its session is the day it names, never moved to another time zone."""
    assert load(HEAD + ROW.replace("2012-01-03", written))["date"].tolist() == [pd.Timestamp(day)]


def test_one_line_decides_the_order_of_day_and_month_for_the_whole_file(load):
    """A date that only one order allows settles the others."""
    prices = load(HEAD + ROW.replace("2012-01-03", "02/01/2012") + ROW.replace("2012-01-03", "13/01/2012"))
    assert prices["date"].dt.strftime("%m-%d").tolist() == ["01-02", "01-13"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("02/01/2012", "could be day first or month first; write dates as YYYY-MM-DD"),
        ("2012-02-30", "is not in the calendar"),
        ("1325581200", "seconds since 1970"),  # nine in the morning in UTC
        ("40911", "a number, perhaps of seconds since 1970 or of days"),
        ("soon", "cannot be read"),
        ("", "is empty"),
        ("0001-01-01", "outside the years"),
        ("9999-12-31", "outside the years"),
        ("2012-01-03T15:00:00Z", "depends on the exchange's clock"),
    ],
)
def test_a_date_without_one_meaning_is_refused_with_its_line(load, written, words):
    """Nothing is guessed; the message names file, line and value."""
    message = refused(load, HEAD + ROW.replace("2012-01-03", written))
    assert words in message
    assert "AAA.csv, line 2" in message


def test_intraday_prices_are_refused(load):
    """Several times of one day are no sessions."""
    rows = ROW.replace("-03", "-03 15:00:00") + ROW.replace("-03", "-03 16:00:00")
    assert "AAA.csv, line 2: several times of one day" in refused(load, HEAD + rows)


@pytest.mark.parametrize("value", ["abc", "1_000", "0x10", "5$", "$$5", "TRUE", "1.2.3", "\u0661"])
def test_what_is_no_number_is_refused_with_its_line(load, value):
    """File, line, column and value are named, blank lines counted."""
    message = refused(load, HEAD + ROW + "\n" + f"2012-01-04,1,2,{value},2,2,10\n")
    assert f"AAA.csv, line 4: Low is {value!r}, which is not a number" in message


@pytest.mark.parametrize(
    ("rows", "opens", "volume"),
    [
        (["1,234.5;1,300;1,200.25;1,250;1,250;53,440"], [1234.5], 53_440),
        (["1.234,5;1.300;1.200,25;1.250;1.250;53.440"], [1234.5], 53_440),
        (["28,5;29;28;28,5;28,5;1.234"], [28.5], 1234),
        (["28.5;29;28;28.5;28.5;1,234"], [28.5], 1234),
        (["1,500;2;1;2;2;1,234,567"], [1500], 1_234_567),
        (["1,500;2;1;2;2;10", "1,5;2;1;2;2;10"], [1.5, 1.5], 10),
        (["$1,234.5;$1,300;$1,200;$1,250;$1,250;5"], [1234.5], 5),
    ],
)
def test_decimal_marks_are_read_where_the_file_tells_which_they_are(load, rows, opens, volume):
    """The last mark of a number, one without three digits behind it, or one that repeats settles the file."""
    lines = [f"2012-01-0{3 + number};{row}\n" for number, row in enumerate(rows)]
    prices = load(HEAD.replace(",", ";") + "".join(lines))
    assert prices["open"].tolist() == opens
    assert prices["volume"].iloc[0] == volume


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("1,234;2;1;2;2;10", "1,234"),  # 1.234 or 1234
        ("1,5;2.5;1;2;2;10", "1,5"),  # both marks are decimal
        ("1,23,4.5;2;1;2;2;10", "1,23,4.5"),
        ("1,5;2;1;2;2;12.34", "1,5"),
    ],
)
def test_a_comma_of_two_meanings_is_refused(load, row, value):
    """The message says how to write numbers."""
    message = refused(load, HEAD.replace(",", ";") + f"2012-01-03;{row}\n")
    assert f"Open is '{value}', which is not a number; write numbers with a decimal point" in message


@pytest.mark.parametrize(
    "written",
    [
        ["2012-01-03T05:00:00Z", "2012-07-03T04:00:00Z"],  # Alpaca: New York's midnight
        ["2012-01-03 05:00:00+00:00", "2012-07-03 05:00:00+00:00"],
        ["1325566800000", "1341288000000"],  # Polygon, in milliseconds
        ["1325548800", "1341273600"],  # midnight in UTC
        ["1325601000", "1341322200"],  # Yahoo: New York's open
        ["1325548800000000000", "1341273600000000000"],
        ["1325548800.0", "1341273600.0"],
    ],
)
def test_instants_of_daily_bars_are_sessions(load, written):
    """In UTC, written or counted, if all are midnight or an hour of New York's session."""
    prices = load(HEAD + "".join(ROW.replace("2012-01-03", one) for one in written))
    assert prices["date"].dt.strftime("%Y-%m-%d").tolist() == ["2012-01-03", "2012-07-03"]


@pytest.mark.parametrize(
    "written",
    [
        ["2012-01-03T09:30:00-05:00", "2012-07-03T09:30:00-04:00"],  # TradingView: New York's open
        ["Jan 3, 2012", "Jul 3, 2012"],  # Investing.com
        ["3-Jan-2012", "3 July 2012"],
    ],
)
def test_dates_as_sites_write_them_are_sessions(load, written):
    """With the offset of New York, and with the name of a month."""
    prices = load(HEAD + "".join(ROW.replace("2012-01-03", f'"{one}"') for one in written))
    assert prices["date"].dt.strftime("%Y-%m-%d").tolist() == ["2012-01-03", "2012-07-03"]


@pytest.mark.filterwarnings("ignore:No adjusted close")
@pytest.mark.parametrize(
    "content",
    [
        'Date,Price,Open,High,Low,Vol.,Change %\n01/13/2012,"1,012.5","1,010.0",1020,1000,1.25M,0.5%\n',
        "Datum;Zuletzt;Eröffn.;Hoch;Tief;Vol.;+/- %\n13.01.2012;1.012,5;1.010,0;1.020,0;1.000,0;1,25M;0,5%\n",
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n13.01.2012;1010;1020;1000;1012,5;1.250.000;1,5E9\n",
        "Date;Ouverture;Haut;Bas;Clôture;Volume\n13/01/2012;1\u202f010,0;1020;1000;1012,5 €;1\xa0250 000\n",
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n2012-01-13,1010,1020,1000,1012.5,1250K\n",
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\n2012.01.13\t1010\t1020\t1000\t1012.5\t1250000\n",
        "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen\n13.01.2012;1010;1020;1000;1012,5;1,25 Mio.\n",
    ],
    ids=["Investing.com", "its German site", "Ariva", "French", "Stooq", "MetaTrader", "German"],
)
def test_what_data_sites_export_is_read(load, content):
    """Names in other languages, volumes in millions, and what parts thousands there."""
    prices = load(content)
    assert prices["date"].dt.strftime("%Y-%m-%d").tolist() == ["2012-01-13"]
    assert prices.drop(columns=["symbol", "date"]).to_numpy().tolist() == [
        [1010.0, 1020.0, 1000.0, 1012.5, 1012.5, 1_250_000]
    ]


@pytest.mark.filterwarnings("ignore:No adjusted close")
def test_a_file_without_a_header_is_told_to_have_one(load):
    """As MetaTrader 4 writes it."""
    message = refused(load, "2012.01.03,00:00,1,2,1,2,10\n2012.01.04,00:00,1,2,1,2,10\n")
    assert "The line above the prices must name them: date,open,high,low,close,volume." in message


def test_hours_of_a_day_in_utc_are_no_sessions(load):
    """A session's open and midnight together are intraday prices."""
    rows = [ROW.replace("2012-01-03", f"2012-01-03T{hour}:00Z") for hour in ("05:00", "14:30")]
    assert "depends on the exchange's clock" in refused(load, HEAD + "".join(rows))


@pytest.mark.parametrize("beside", ["timestamp", "Session", "day", "datetime"])
def test_a_column_called_date_is_the_date(load, beside):
    """A stamp or the weekday beside it is kept as another column."""
    assert load(f"{beside},{HEAD}" + f"Tuesday,{ROW}")["date"].dt.strftime("%Y-%m-%d").tolist() == [
        "2012-01-03"
    ]


@pytest.mark.filterwarnings("ignore:No adjusted close")
def test_polygons_letters_are_columns(load):
    """Lower case but for the ticker's T; t is the time in milliseconds."""
    prices = load("T,v,vw,o,c,h,l,t,n\nMSFT,10,1.5,1,2,3,0.5,1325566800000,7\n")
    assert prices.drop(columns="date").to_numpy().tolist() == [["MSFT", 1, 3, 0.5, 2, 2, 10]]


@pytest.mark.filterwarnings("ignore:No adjusted close")
@pytest.mark.parametrize("padding", ["", ",,,,"])
def test_a_preamble_is_skipped(load, padding):
    """As Bloomberg writes it, padded by a spreadsheet or not; a bad row is named by its line."""
    top = f"Security,MSFT US Equity{padding}\nStart Date,2012-01-03{padding}\n\nCurrency,USD{padding}\n"
    head = "Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME\n"
    assert load(f"{top}{head}2012-01-03,1,2,1,2,10\n")["close"].tolist() == [2]
    assert "line 6: PX_OPEN is 'x'" in refused(load, f"{top}{head}2012-01-03,x,2,1,2,10\n")
    assert "line 7: 2 fields where" in refused(load, f"{top}{head}2012-01-03,1,2,1,2,10\n2012-01-04,1\n")


def test_utf_16_is_read_and_windows_text_gets_a_hint(load):
    """The first bytes of UTF-16 say what it is; other bytes could be anything."""
    assert load((HEAD + ROW).encode("utf-16"))["close"].tolist() == [2]
    message = refused(load, ("Name," + HEAD + "Société," + ROW).encode("cp1252"))
    assert "iconv -f WINDOWS-1252 -t UTF-8" in message


def test_a_readme_among_prices_is_left_out(tmp_path):
    """Text without any name of a price column is no table."""
    (tmp_path / "MSFT.csv").write_text(HEAD + ROW)
    (tmp_path / "README.txt").write_text("Prices, from my broker.\n\nNot adjusted, see the site.\n")
    assert load_prices("files", path=tmp_path)["symbol"].tolist() == ["MSFT"]


@pytest.mark.parametrize("group_by", ["column", "ticker"])
def test_parquet_of_yfinance_is_read(tmp_path, group_by):
    """Two levels of columns, prices and tickers in either order."""
    prices = load_prices(symbols="IBM,MSFT", start="2012-01-03", end="2012-03-30")
    wide = prices.pivot_table(
        index="date", columns="symbol", values=["close", "high", "low", "open", "volume"]
    )
    wide = wide.rename_axis(index="Date", columns=["Price", "Ticker"])
    if group_by == "ticker":
        wide = wide.swaplevel(axis=1).sort_index(axis=1)
    wide.to_parquet(tmp_path / "download.parquet")
    with pytest.warns(UnadjustedPricesWarning):
        read = load_prices("files", path=tmp_path / "download.parquet")
    assert read.drop(columns="adj_close").equals(prices.drop(columns="adj_close"))


@pytest.mark.filterwarnings("ignore:No adjusted close")
@pytest.mark.parametrize(
    ("name", "rows", "symbols"),
    [
        ("D01-nasdaq.csv", 795, ["D01-nasdaq"]),
        ("D06-yf-multi2.csv", 1590, ["AAPL", "MSFT"]),
        ("D09-av.csv", 795, ["D09-av"]),
        ("D20-sep.csv", 795, ["MSFT"]),
    ],
)
def test_files_as_vendors_write_them_are_read(name, rows, symbols):
    """Dollar signs; two header rows; newest first; a line that names the separator."""
    prices = load_prices("files", path=CASES / name)
    assert (len(prices), list(prices["symbol"].unique())) == (rows, symbols)
    last = prices[prices["date"] == "2013-03-01"]
    assert last["close"].iloc[-1] == 27.95
    assert prices.groupby("symbol")["date"].agg(lambda days: days.is_monotonic_increasing).all()


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_recognised(load, separator):
    """The separator is the one under which the header makes sense."""
    assert load((HEAD + ROW).replace(",", separator))["close"].tolist() == [2.0]


def test_a_first_line_may_name_the_separator_for_a_spreadsheet(load):
    """The line is skipped, also when lines are counted."""
    content = "sep=;\n" + (HEAD + ROW).replace(",", ";")
    assert load(content)["close"].tolist() == [2.0]
    assert "AAA.csv, line 4: Open is 'x'" in refused(load, content + "2012-01-04;x;2;1;2;2;10\n")


def test_a_dollar_sign_before_a_price_is_no_part_of_it(load):
    """As nasdaq.com writes prices."""
    assert load(HEAD + "01/31/2012,$1.50,$2,$1,$2,$2,10\n")["open"].tolist() == [1.5]


@pytest.mark.parametrize("swapped", [False, True], ids=["by price", "by ticker"])
def test_the_header_of_yfinance_with_prices_and_tickers_is_read(load, swapped):
    """A row for each ticker that has values in a session; a value that is none is named by its line."""
    prices = "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\n"
    tickers = "Ticker,A,B,A,B,A,B,A,B,A,B\n"
    head = (tickers + prices if swapped else prices + tickers) + "Date,,,,,,,,,,\n"
    rows = "2024-01-02,1.5,,2,,1,,1.2,,100,\n2024-01-03,1.6,7.5,2,8,1,7,1.3,7.2,100,50\n"
    with pytest.warns(UnadjustedPricesWarning):
        frame = load(head + rows)
    assert frame["symbol"].tolist() == ["A", "A", "B"]
    assert frame["close"].tolist() == [1.5, 1.6, 7.5]
    assert frame["date"].astype(str).tolist() == ["2024-01-02", "2024-01-03", "2024-01-03"]
    assert frame["volume"].tolist() == [100, 100, 50]
    with pytest.raises(DataLoadingError, match=r"line 5: Close is 'x'"):
        load(head + rows.replace("7.5", "x"))


@pytest.mark.parametrize("tidy", [True, False])
def test_a_file_newest_first_is_sorted(load, tidy):
    """For every command alike; rows in no order are left for the gate."""
    rows = [ROW.replace("-03", f"-{day:02}") for day in (3, 4, 5)]
    newest_first = load(HEAD + "".join(reversed(rows)), tidy=tidy)
    assert newest_first["date"].dt.day.tolist() == [3, 4, 5]
    mixed = load(HEAD + rows[1] + rows[0] + rows[2], tidy=False)
    assert mixed["date"].dt.day.tolist() == [4, 3, 5]


def test_a_small_file_that_expands_to_gigabytes_is_not_read(tmp_path):
    """What a Parquet file declares is checked before its columns are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000_000, dtype="int8")), pa.array([1.0]))
    pq.write_table(pa.table({"close": numbers, "open": numbers}), tmp_path / "AAA.parquet")
    with pytest.raises(DataLoadingError, match=r"AAA\.parquet is .* bytes and declares .* it was not read"):
        load_prices("files", path=tmp_path / "AAA.parquet")


@pytest.mark.parametrize(
    "content", ["\ufeff" + HEAD + ROW, (HEAD + ROW).replace("\n", "\r\n"), "\n" + HEAD + ROW]
)
def test_marks_and_line_ends_of_other_systems_do_not_matter(load, content):
    """A byte order mark, Windows line ends and a blank first line are harmless."""
    assert len(load(content)) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEAD, "has a header and no rows"),
        (HEAD + "2012-01-03,1,2,1,2,2\n", "line 2: 6 fields where the header has 7"),
        (HEAD + ROW + "2012-01-04,1,2,1,2,2,10,11\n", "line 3: 8 fields where the header has 7"),
        (HEAD.encode("utf-16"), "has a header and no rows"),
        (b"\x80\x81\x82 junk\n", "is not UTF-8 text"),
        (HEAD.encode() + b"2012-01-03,1,2,1,2,2,\xff\n", "is not UTF-8 text"),
        ("Date,Open\n2012-01-03,1\n", "no column for high, low, close, volume; found Date, Open"),
        ("timestamp,session," + HEAD[5:] + "x,y" + ROW[10:], "'timestamp' and 'session' both mean date"),
        ("ticker," + HEAD + " ," + ROW, "line 2: the symbol is empty"),
    ],
)
def test_a_file_that_is_no_price_table_says_why(load, content, words):
    """Every way a text file can be wrong has words of its own."""
    assert words in refused(load, content)


def test_damaged_files_are_unreadable_data(load, tmp_path):
    """Cut or false Parquet and gzip files are refused without a traceback of a library."""
    load_prices(symbols="FB").to_parquet(tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    refused(load, whole[:3000], "cut.parquet")
    refused(load, b"junk", "false.parquet")
    refused(load, gzip.compress((HEAD + ROW * 500).encode())[:-12], "cut.csv.gz")
    refused(load, b"junk", "false.csv.gz")


def test_a_field_longer_than_any_price_is_refused(load):
    """A quote that never closes swallows the rest of the file; the message says where."""
    assert "AAA.csv" in refused(load, HEAD + ROW + '2012-01-04,"' + "1,2,1,2,2,10\n" * 20_000)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    """A file without permission, or on a disk that fails, is unreadable data."""
    (tmp_path / "AAA.csv").write_text(HEAD + ROW)

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sta410kit.market.tables._opened", fail)
    with pytest.raises(DataLoadingError, match="Permission denied"):
        load_prices("files", path=tmp_path / "AAA.csv")


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("date", [40911], "the date '40911' is a number"),
        ("date", [pd.NaT], "row 1: the date is empty"),
        ("date", [pd.Timestamp("2012-01-03 15:00", tz="UTC")], "depends on the exchange's clock"),
        ("close", [True], "'close' holds bool, not numbers"),
        ("close", ["abc"], "row 1: close is 'abc'"),
    ],
)
def test_parquet_columns_of_the_wrong_type_are_refused(tmp_path, column, values, words):
    """Types a Parquet file brings along are checked like text."""
    frame = load_prices(symbols="FB").head(1).assign(**{column: values})
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataLoadingError) as caught:
        load_prices("files", path=tmp_path / "x.parquet")
    assert words in str(caught.value)


def test_parquet_dates_of_an_exchange_are_its_sessions(tmp_path):
    """Midnight in New York is that day's session, not the day before or after in UTC."""
    frame = load_prices(symbols="FB").head(3)
    zoned = frame.assign(date=frame["date"].dt.tz_localize("America/New_York"))
    zoned.to_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(load_prices("files", path=tmp_path / "x.parquet"), frame)


def test_a_folder_is_all_its_price_files(tmp_path):
    """Every supported file counts once; hidden files, other files and subfolders do not."""
    (tmp_path / "AAA.csv").write_text(HEAD + ROW)
    (tmp_path / "BBB.CSV").write_text(HEAD + ROW)
    (tmp_path / ".CCC.csv").write_text("junk")
    (tmp_path / "notes.md").write_text("junk")
    (tmp_path / "DDD.csv").mkdir()
    assert load_prices("files", path=tmp_path)["symbol"].tolist() == ["AAA", "BBB"]
    assert load_prices("files", path=tmp_path, symbols="BBB")["symbol"].tolist() == ["BBB"]


def test_a_symbol_in_two_files_keeps_both_rows(tmp_path):
    """Duplicates across files are the gate's to name, so they are not dropped."""
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("Symbol," + HEAD + "AAA," + ROW)
    assert len(load_prices("files", path=tmp_path)) == 2


def test_a_relative_path_starts_at_the_current_folder(tmp_path, monkeypatch):
    """A path means what it means in a shell."""
    (tmp_path / "AAA.csv").write_text(HEAD + ROW)
    monkeypatch.chdir(tmp_path)
    assert len(load_prices("files", path="AAA.csv")) == 1


def test_what_is_not_there_is_a_configuration_error(tmp_path):
    """A missing file, an empty folder and an unknown kind of file name the path and what would do."""
    (tmp_path / "x.xls").write_text("junk")
    (tmp_path / "empty").mkdir()
    for path, words in [
        (tmp_path / "nope.csv", "There is no file or folder"),
        (tmp_path / "empty", "holds no price file; supported are .csv"),
        (tmp_path / "x.xls", "is no price file; supported are .csv"),
        ("x" * 5000, "cannot be looked up"),
        (5, "path is 5, which is no path"),
        (["x.csv"], "which is no path; give one file or folder"),
    ]:
        with pytest.raises(ConfigurationError, match=words):
            load_prices("files", path=path)


def test_one_warning_covers_a_folder(tmp_path):
    """Ten files without an adjusted close warn once, not ten times."""
    for number in range(10):
        (tmp_path / f"S{number}.csv").write_text("Date,Open,High,Low,Close,Volume\n2012-01-03,1,2,1,2,10\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_prices("files", path=tmp_path)
    assert [str(each.message).split(":")[0] for each in caught] == [
        "No adjusted close in S0.csv, S1.csv, S2.csv, S3.csv, S4.csv and 5 more"
    ]
