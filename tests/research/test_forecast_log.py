"""The forecast log and the scorecard."""

import math

import pandas as pd
import pytest

from sta410kit.exceptions import DataLoadingError
from sta410kit.research.forecast_log import ForecastLog, scorecard

MONDAY, TUESDAY, WEDNESDAY = "2024-01-08", "2024-01-09", "2024-01-10"


def forecast(symbol="A", date=MONDAY, predicted=0.01, **changes):
    return {
        "symbol": symbol, "date": date, "horizon": 1, "model": "ridge", "predicted": predicted,
        "lower": predicted - 0.02, "upper": predicted + 0.02,
    } | changes  # fmt: skip


def prices(*closes, symbol="A"):
    frame = pd.DataFrame(
        {"symbol": symbol, "date": pd.to_datetime([MONDAY, TUESDAY, WEDNESDAY][: len(closes)])}
    )
    return frame.assign(**dict.fromkeys(("open", "high", "low", "close", "adj_close"), closes), volume=100)


@pytest.fixture
def log(tmp_path):
    return ForecastLog(tmp_path / "runs" / "forecasts.sqlite")


def test_a_forecast_is_settled_by_the_prices_that_know_its_outcome(log):
    """The outcome is the log return to the next session, at whose close it is known."""
    log.add([forecast(), forecast("B")], run="one", made=f"{MONDAY}T22:00:00+00:00")
    assert log.settle(prices(100.0)) == 0
    assert log.open_before(TUESDAY)
    assert log.settle(prices(100.0, 102.0)) == 1
    row = log.read().set_index("symbol").loc["A"]
    assert row["actual"] == pytest.approx(math.log(1.02))
    assert (f"{row['known']:%Y-%m-%d}", bool(row["live"])) == (TUESDAY, True)
    assert log.read().set_index("symbol")["actual"].isna().loc["B"]


def test_the_first_forecast_of_a_session_counts(log):
    """A second opinion, once the outcome may be known, does not replace it; nor do revised prices."""
    log.add([forecast(predicted=0.01)], run="one", made=f"{MONDAY}T22:00:00+00:00")
    log.add([forecast(predicted=0.05)], run="two", made=f"{TUESDAY}T22:00:00+00:00")
    log.settle(prices(100.0, 102.0))
    assert log.settle(prices(100.0, 150.0)) == 0
    rows = log.read()
    assert rows[["predicted", "run"]].to_numpy().tolist() == [[0.01, "one"]]
    assert rows["actual"].tolist() == pytest.approx([math.log(1.02)])


def test_a_forecast_made_after_its_outcome_is_not_scored(log):
    """Old prices run through today's model show nothing about the future."""
    log.add([forecast()], run="one", made="2024-03-01T22:00:00+00:00")
    log.settle(prices(100.0, 102.0))
    assert log.read()["live"].tolist() == [False]
    assert scorecard(log.read()).empty


def test_the_scorecard_holds_literal_scores(log):
    """Three outcomes of +1 %, -0.5 % and +3 %: two signs right, one outcome outside its interval."""
    made = [forecast("A"), forecast("B"), forecast("C", predicted=0.005), forecast("D")]
    log.add(made, run="one", made=f"{MONDAY}T22:00:00+00:00")
    for symbol, size in (("A", 0.01), ("B", -0.005), ("C", 0.03)):
        log.settle(prices(100.0, 100.0 * math.exp(size), symbol=symbol))
    row = scorecard(log.read()).iloc[0]
    assert (row["model"], row["forecasts"], row["scored"]) == ("ridge", 4, 3)
    assert row["hit_rate"] == pytest.approx(2 / 3)
    assert row["coverage"] == pytest.approx(2 / 3)
    # errors 0, 0.015 and 0.025 against outcomes of 0.01, 0.005 and 0.03
    assert row["r2_against_naive"] == pytest.approx(
        1 - (0.015**2 + 0.025**2) / (0.01**2 + 0.005**2 + 0.03**2)
    )


def test_a_log_that_is_no_database_is_named(log):
    """It is left as it is."""
    log.path.parent.mkdir()
    log.path.write_text("no database, but long enough to be read as one" * 10, encoding="utf-8")
    with pytest.raises(DataLoadingError, match=r"forecasts.sqlite cannot be used .* move it away"):
        log.read()
    assert log.path.read_text(encoding="utf-8").startswith("no database")


def test_an_empty_log_has_no_rows(log):
    """Reading makes no file."""
    assert log.read().empty
    assert not log.open_before(WEDNESDAY)
    assert not log.path.exists()


@pytest.mark.parametrize(
    ("target", "outcome"),
    # The open of Tuesday is known on Tuesday, that of Wednesday a session later.
    [("open_to_open", math.log(108 / 104)), ("volatility_scaled", math.log(1.02))],
)
def test_a_forecast_is_settled_by_its_own_target(log, target, outcome):
    """From open to open it waits one session longer; one scaled by volatility was given in returns."""
    log.add([forecast(target=target)], run="one", made=f"{MONDAY}T22:00:00+00:00")
    bars = prices(100.0, 102.0, 105.0).assign(open=[99.0, 104.0, 108.0], high=110.0, low=90.0)
    assert log.settle(bars.head(2)) == int(target != "open_to_open")
    log.settle(bars)
    assert log.read()["actual"].tolist() == pytest.approx([outcome])


def test_ranks_are_settled_among_the_symbols_that_were_ranked(log):
    """Of A, B and C, B was the middle one; D was not forecast. With fewer symbols they wait."""
    log.add([forecast(name, target="rank") for name in "ABC"], run="one", made=f"{MONDAY}T22:00:00+00:00")
    ends = {"A": 99.0, "B": 101.0, "C": 102.0, "D": 103.0}
    four = pd.concat([prices(100.0, end, symbol=name) for name, end in ends.items()], ignore_index=True)
    assert log.settle(prices(100.0, 99.0)) == 0
    assert log.settle(four[four["symbol"] < "C"]) == 0
    assert log.settle(four) == 3
    assert dict(zip(log.read()["symbol"], log.read()["actual"], strict=True)) == {"A": -1, "B": 0, "C": 1}
