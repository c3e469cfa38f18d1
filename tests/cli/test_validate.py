"""The commands that check data: `validate`, `suggest` and `mutate`."""

import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from sta410kit.guards.suites import read_suite
from sta410kit.market import load_prices

pytestmark = pytest.mark.integration


@pytest.fixture
def prices():
    """Give the last 300 sessions of two symbols."""
    return load_prices(symbols=["IBM", "MSFT"], start="2011-12-20")


def test_validate_accepts_clean_prices_and_builds_docs(typed, tmp_path, prices):
    """Exit code 0, a summary line and the page."""
    vendors = {name: name.title().replace("_", " ") for name in prices.columns}
    prices.rename(columns=vendors | {"adj_close": "Adj Close"}).to_csv(tmp_path / "prices.csv", index=False)
    done = typed("validate", "prices.csv", "--suite", "prices", "--symbols", "IBM,MSFT", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "prices: accepted" in done.stdout
    page = Path(done.stdout.split("data docs: ")[1].strip())
    assert page.is_file()
    assert (page.parents[4] / "index.html").is_file()


def test_validate_names_the_row_and_strict_refuses_it(typed, tmp_path, prices):
    """Symbol, date and expectation; exit code 3 with --strict, and for unreadable data."""
    prices.loc[10, "high"] = 1.0
    prices.to_parquet(tmp_path / "prices.parquet")
    done = typed("validate", "prices.parquet", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("prices: accepted without 1 of 598 bars")
    assert "  critical, quarantined: expect_column_pair_values" in done.stdout
    done = typed("validate", "prices.parquet", "--strict", cwd=tmp_path)
    assert done.returncode == 3
    assert "expect_column_pair_values_a_to_be_greater_than_b(high, low)" in done.stdout
    assert "IBM 2012-01-05" in done.stdout
    missing = typed("validate", "prices.parquet", "--symbols", "ZZZ", cwd=tmp_path)
    assert "no ZZZ" in missing.stdout
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "prices.parquet").read_bytes()[:500])
    cut = typed("validate", "cut.parquet", cwd=tmp_path)
    assert cut.returncode == 3
    assert "cut.parquet" in cut.stderr


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda f: f.sample(frac=1, random_state=1), "expect_rows_in_order"),
        (lambda f: f.assign(date=f["date"] + pd.Timedelta("9h")), "expect_dates_without_time"),
        (lambda f: f.assign(symbol=f["symbol"] + " "), "expect_symbols_spelled_alike"),
        (lambda f: f.astype({"close": str}), "be_in_type_list(close)"),
    ],
)
def test_validate_judges_the_file_and_not_what_loading_makes_of_it(typed, tmp_path, prices, change, found):
    """Order, time of day, stray spaces and text for numbers, which a tidy frame no longer has, are named."""
    change(prices).to_parquet(tmp_path / "prices.parquet", index=False)
    done = typed("validate", "prices.parquet", cwd=tmp_path)
    assert done.returncode == 3, done.stdout
    assert found in done.stdout


def test_a_new_column_of_a_file_is_a_difference_to_the_snapshot(typed, tmp_path, prices):
    """What the kit does not use is reported all the same; the snapshot stays as it was."""
    prices.to_csv(tmp_path / "prices.csv", index=False)
    words = ("validate", "prices.csv", "--snapshot", "kept.parquet")
    assert typed(*words, cwd=tmp_path).returncode == 0
    prices.assign(dividend=0.5).to_csv(tmp_path / "prices.csv", index=False)
    done = typed(*words, cwd=tmp_path)
    assert done.returncode == 3, done.stdout
    assert "column dividend (numbers) is new" in done.stdout
    assert "dividend" not in pd.read_parquet(tmp_path / "kept.parquet")


def test_validate_judges_other_frames_by_their_suite(typed, tmp_path):
    """A forecasts file as CSV keeps a symbol such as NA, and its interval order is checked."""
    frame = pd.DataFrame(
        {
            "symbol": ["NA", "000001"],
            "date": ["2013-03-01"] * 2,
            "horizon": 1,
            "model": "ridge",
            "predicted": 0.0,
            "lower": [-0.01, 0.01],
            "upper": 0.02,
        }
    )
    frame.to_csv(tmp_path / "forecasts.csv", index=False)
    done = typed("validate", "forecasts.csv", "--suite", "forecasts", cwd=tmp_path)
    assert done.returncode == 3
    assert "000001 2013-03-01" in done.stdout
    assert "NA 2013-03-01" not in done.stdout


def test_mutants_that_are_caught_end_well_and_are_reported_as_json(typed, tmp_path, prices):
    """`mutate` names what caught each corruption."""
    file = tmp_path / "prices.csv"
    prices.to_csv(file, index=False)
    done = typed("mutate", "--data", file, "--only", "bars_repeated,column_lost", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["rate"] == 1.0
    assert "expect_no_stale_bars" in report["mutants"][1]["caught_by"] + report["mutants"][0]["caught_by"]


def test_a_surviving_mutant_ends_with_three(typed, tmp_path, prices):
    """A suite without the guard lets repeated bars live: the exit code is that of rejected data."""
    for folder in ("notebooks", "expectations"):
        (tmp_path / folder).mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    path = tmp_path / "expectations" / "prices.json"
    content = json.loads(read_suite("prices").path.read_text())
    generic = [item for item in content["expectations"] if item["type"].startswith("expect_column")]
    path.write_text(json.dumps({**content, "expectations": generic}))
    file = tmp_path / "prices.csv"
    prices.to_csv(file, index=False)
    done = typed("mutate", "--data", file, "--only", "bars_repeated", cwd=tmp_path)
    assert done.returncode == 3
    assert "bars_repeated: SURVIVED. Bars repeat the one before them." in done.stdout
    assert "an error that 'prices' would accept in these data" in done.stderr


def test_a_draft_accepts_the_data_it_was_made_from(typed, tmp_path, prices):
    """`suggest` writes a suite that `validate` can use at once; `--snapshot` keeps what was accepted."""
    file, suite, kept = (tmp_path / name for name in ("mine.csv", "mine.json", "kept.parquet"))
    prices.to_csv(file, index=False)
    drafted = typed("suggest", file, cwd=tmp_path)
    assert "mine.json: a draft with" in drafted.stdout
    assert "Column close holds numbers." in drafted.stdout
    assert typed("suggest", file, cwd=tmp_path).returncode == 2  # not over what may have been edited
    done = typed("validate", file, "--suite", suite, "--snapshot", kept, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert kept.is_file()


def test_triage_prints_decisions_and_writes_a_page_with_the_entries(typed, tmp_path, prices):
    """Exit code 0 when what is at fault can be left out; the entry is on the page."""
    prices.loc[100, "open"] = prices.loc[100, "high"] + 0.01
    prices.to_parquet(tmp_path / "prices.parquet")
    done = typed("triage", "prices.parquet", "--output", "page.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 decision" in done.stdout
    assert "1. warning: open outside of its bar by cents (IBM: 2012-05-" in done.stdout
    assert "clamp the open to low and high, in every bar: repairs.toml" in done.stdout
    assert "action = &#34;clamp&#34;" in (tmp_path / "page.html").read_text()
    done = typed("triage", "prices.parquet", "--entries", cwd=tmp_path)
    assert tomllib.loads(done.stdout)["repair"][0]["action"] == "clamp"
    assert typed("triage", "prices.parquet", "--exchange", "XASX", cwd=tmp_path).returncode == 3
    (tmp_path / "old").mkdir()
    prices.to_parquet(tmp_path / "old" / "prices.parquet")
    typed("triage", "old/prices.parquet", cwd=tmp_path)
    pages = sorted(path.name for path in (tmp_path / "runs" / "triage").iterdir())
    assert pages == ["old-prices.parquet.html", "prices.parquet.html"]
    assert json.loads(typed("runs", "--json", cwd=tmp_path).stdout) == []
    prices.loc[100, "open"] = prices.loc[100, "high"]
    prices.to_parquet(tmp_path / "clean.parquet")
    done = typed("triage", "clean.parquet", cwd=tmp_path)
    assert done.stdout.splitlines()[1:] == ["nothing to decide"]


def test_an_exchange_is_chosen_on_the_command_line_and_an_unknown_one_refused(typed, tmp_path, prices):
    """Sydney's calendar refuses New York's prices."""
    prices.to_parquet(tmp_path / "prices.parquet")
    done = typed("validate", "prices.parquet", "--exchange", "XASX", cwd=tmp_path)
    assert done.returncode == 3
    assert "judged by XASX" in done.stdout
    done = typed("validate", "prices.parquet", "--exchange", "XNYZ", cwd=tmp_path)
    assert (done.returncode, "no exchange calendar called 'XNYZ'" in done.stderr) == (2, True)


@pytest.mark.filterwarnings("ignore:No adjusted close")
def test_a_file_without_symbols_holds_the_one_asked_for(tmp_path, typed, prices):
    """As in a run; two symbols asked for are not both there."""
    prices[prices["symbol"] == "MSFT"].drop(columns="symbol").to_csv(tmp_path / "prices.csv", index=False)
    assert typed("validate", "prices.csv", "--symbols", "MSFT", cwd=tmp_path).returncode == 0
    done = typed("validate", "prices.csv", "--symbols", "MSFT,AAPL", cwd=tmp_path)
    assert (done.returncode, "no AAPL, MSFT" in done.stdout) == (3, True)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_minute_bars_have_a_suite_of_their_own(typed, tmp_path, suffix):
    """The daily suite refuses them and names it; it shows the minute. Decisions are about sessions only."""
    times = pd.date_range("2024-01-02 09:30", periods=60, freq="min").astype("datetime64[us]")
    close = [10 + 0.01 * ((7 * number) % 13) for number in range(60)]
    bars = pd.DataFrame({"symbol": "AAA", "date": times, "open": close, "high": close, "low": close})
    bars = bars.assign(close=close, adj_close=close, volume=range(1000, 1060))
    bars.loc[30, "high"] = 1.0
    file = f"bars.{suffix}"
    bars.to_csv(tmp_path / file, index=False) if suffix == "csv" else bars.to_parquet(tmp_path / file)
    refused = typed("validate", file, cwd=tmp_path)
    assert refused.returncode == 3
    assert f"`sta410 validate {file} --suite minute_bars`" in refused.stderr
    done = typed("validate", file, "--suite", "minute_bars", cwd=tmp_path)
    assert done.stdout.startswith("minute_bars: accepted without 1 of 60 bars"), done.stdout + done.stderr
    assert "quarantined AAA 2024-01-02T10:00:00: high=" in done.stdout
    triage = typed("triage", file, "--suite", "minute_bars", cwd=tmp_path)
    assert triage.returncode == 2
    assert "judges intraday bars" in triage.stderr
