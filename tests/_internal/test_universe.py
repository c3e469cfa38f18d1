"""Universe files: who was a member when, and what is said about survivorship."""

from datetime import date

import pandas as pd
import pytest

from sta410kit import guards
from sta410kit._internal.universe import Universe, read_universe, survivorship
from sta410kit.exceptions import ConfigurationError, DataValidationError

pytestmark = pytest.mark.unit


def prices(**sessions):
    """Return one row a session, from 2024-01-01 on, for so many sessions of each symbol."""
    parts = [
        pd.DataFrame({"symbol": name, "date": pd.bdate_range("2024-01-01", periods=count, unit="us")})
        for name, count in sessions.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_file_is_read_with_open_ends_and_returns(tmp_path):
    """A symbol may come back; spaces, a byte-order mark and other columns do no harm."""
    path = tmp_path / "u.csv"
    path.write_text(
        "\ufeffsymbol,from,to,name\nA,2024-01-02,2024-01-03,x\n B ,2024-01-01,,\nA,2024-01-08,2024-01-09,\n"
    )
    universe = read_universe(path)
    assert universe == Universe(
        {
            "A": [(date(2024, 1, 2), date(2024, 1, 3)), (date(2024, 1, 8), date(2024, 1, 9))],
            "B": [(date(2024, 1, 1), date.max)],
        },
        "u.csv",
    )
    assert read_universe(None) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no line with symbol, from and to"),
        ("symbol,from\nA,2024-01-01", "has no line with symbol, from and to"),
        (
            "symbol,from,to\nA,01/02/2024,",
            "line 2: Invalid isoformat string: '01/02/2024'; write days as YYYY",
        ),
        ("symbol,from,to\nA,,", "line 2: Invalid isoformat string: ''"),
        ("symbol,from,to\nA,2024-01-02,2024-01-01", "line 2: A from 2024-01-02: it ends before it begins"),
        ("symbol,from,to\n,2024-01-02,", "line 2:  from 2024-01-02: no symbol"),
        (
            "symbol,from,to\nA,2024-01-01,2024-02-01\nA,2024-02-01,",
            "line 3: A from 2024-02-01: overlaps its period from 2024-01-01",
        ),
        ("symbol,from,to\nA,2024-01-01,\nA,2025-01-01,", "line 3: A from 2025-01-01: overlaps"),
    ],
)
def test_a_wrong_file_is_refused_by_line(tmp_path, text, complaint):
    """The message names the place."""
    path = tmp_path / "u.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=complaint.replace("(", r"\(")):
        read_universe(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_universe(tmp_path / "none.csv")


def test_sessions_of_members_are_marked_both_days_included():
    """What never is a member goes; none at all is an error."""
    universe = Universe(
        {"A": [(date(2024, 1, 2), date(2024, 1, 3))], "C": [(date(2030, 1, 1), date.max)]}, "u.csv"
    )
    rows = prices(A=4, B=4, C=4)
    assert sorted(universe.of(rows)["symbol"].unique()) == ["A", "C"]
    marked = universe.mark(rows)
    assert marked["symbol"].unique().tolist() == ["A"]
    assert marked["member"].tolist() == [False, True, True, False]
    with pytest.raises(
        DataValidationError, match="no symbol is a member on a session of the prices, 2024-01-01"
    ):
        universe.mark(prices(C=4))
    with pytest.raises(DataValidationError, match=r"None of the symbols of u\.csv has prices; it names A, C"):
        universe.of(prices(B=1))


def test_survivorship_is_said_in_words():
    """Without a file the prices tell who survived; with one, who is missing."""
    text = survivorship(prices(A=4, B=4))
    assert text.startswith("All 2 symbols are survivors: their prices reach the last session, 2024-01-04,")
    assert survivorship(prices(A=4, B=2)).startswith(
        "The prices of 1 of 2 symbols end before the last session"
    )
    assert survivorship(prices(A=4)).startswith("The symbol is a survivor:")
    universe = Universe(
        {
            "A": [(date(2024, 1, 1), date.max)],
            "B": [(date(2023, 1, 1), date(2024, 1, 2))],
            "GONE": [(date(2023, 1, 1), date(2024, 1, 2))],
            "LATER": [(date(2025, 1, 1), date.max)],
        },
        "u.csv",
    )
    assert survivorship(universe.mark(prices(A=4, B=4)), universe) == (
        "Members by date from u.csv: 2 symbols, 1 of them on 2024-01-04. 1 member of 3 has no prices, which "
        "biases results towards survivors: GONE."
    )
    whole = Universe({"A": [(date(2024, 1, 1), date.max)]}, "u.csv")
    assert survivorship(whole.mark(prices(A=4)), whole) == (
        "Members by date from u.csv: 1 symbol, 1 of them on 2024-01-04."
    )


def test_the_gate_demands_no_session_outside_of_membership():
    """A symbol that left and came back has no rows between; a hole within is still found."""
    days = pd.bdate_range("2024-01-02", "2024-01-12", unit="us")  # nine sessions of XNYS
    full = pd.DataFrame({"symbol": "A", "date": days})
    holes = full[~full["date"].isin(pd.to_datetime(["2024-01-04", "2024-01-05"]))].assign(symbol="B")
    columns = dict.fromkeys(("open", "high", "low", "close", "adj_close"), 10.0)
    frame = pd.concat([full, holes.iloc[:-2]], ignore_index=True).assign(**columns, volume=1000)

    def missing(universe=None, **how):
        result = guards.validate(frame, "prices", universe=universe, **how)
        return [
            one.message for one in result.checks if one.expectation == "expect_sessions_to_match_calendar"
        ]

    assert "B: 2 sessions of XNYS missing" in missing()[0]
    periods = {"A": [(date(2024, 1, 1), date.max)]}
    back = [(date(2024, 1, 1), date(2024, 1, 3)), (date(2024, 1, 8), date(2024, 1, 10))]
    assert (
        missing(Universe({**periods, "B": back}, "u.csv")) == missing(Universe({"B": back}, "u.csv")) == [""]
    )
    early = [(date(2024, 1, 1), date(2024, 1, 4)), back[1]]
    assert "B: 1 session of XNYS missing" in missing(Universe({"B": early}, "u.csv"))[0]
