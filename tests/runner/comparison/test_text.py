"""Text is compared by numbers within a tolerance; what differs from moment to moment does not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.comparison.text import differences_of_text, number, pieces, without_fleeting
from sta410kit.runner.comparison.tolerance import Tolerance

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("read at 2024-01-05 10:11:12.5 UTC", "read at 2025-06-07T08:09:10Z"),
        ("it is 10:11:12", "it is 9:08:07"),
        ("Wall time: 1.21 s", "Wall time: 350 ms"),
        ("took 3 minutes", "took 45 seconds"),
        ("<object at 0x7f32a4b0>", "<object at 0x1>"),
        ("wrote /data/ann/p/prices.parquet", "wrote /srv/x9/prices.parquet"),
        (r"wrote C:\Users\ann\x.csv", r"wrote D:\x.csv"),
        ("run 20240105-101112-123ab", "run 20250607-080910-045f0"),
        ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174999"),
        ("10%|#   | 1/9\r50%|##  | 5/9\rdone", "done"),
        ("\x1b[31mred\x1b[0m", "red"),
        (
            "2024-01-05 10:11:12.123 | INFO     | 4711 | x:f:1 - hi",
            "2025-01-05 10:11:12.124 | INFO     | 12 | x:f:1 - hi",
        ),
        ("mean  0.12345678", "mean 0.12345679"),
        ("a   1.0\nb  22.0", "a  1.0\nb 22.00"),
        ("-0.0000", "0.0000"),
    ],
)
def test_what_is_no_regression(one, other):
    """Times, durations, paths, addresses, ids, colours, spacing and rounding errors."""
    assert differences_of_text(one, other, Tolerance()) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("R2 0.50", "R2 0.51", ["expected 0.50, got 0.51"]),
        ("12,154 rows", "12,155 rows", ["expected 12,154, got 12,155"]),
        ("10000000 rows", "10000001 rows", ["expected 10000000, got 10000001"]),
        ("last 2012-05-18", "last 2012-05-21", ["expected 2012-05-18, got 2012-05-21"]),
        ("2012-05-18 00:00:00", "2012-05-21 00:00:00", ["expected 2012-05-18, got 2012-05-21"]),
        ("buy 3", "sell 3", ["text differs:\n-buy 3\n+sell 3"]),
        ("1 2", "1 2 3", ["text differs:\n-1 2\n+1 2 3"]),
    ],
)
def test_what_is_one(one, other, found):
    """Numbers, counts, sessions and words."""
    assert differences_of_text(one, other, Tolerance()) == found


def test_a_date_of_the_run_is_no_regression():
    """Where the reference has the date of its own run."""
    from datetime import UTC, datetime

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert differences_of_text("made on 2020-01-02", f"made on {today}", Tolerance()) == []
    assert differences_of_text("on 2020-01-02", "on 2020-13-99", Tolerance()) != []


def test_a_wider_tolerance_is_for_whole_numbers_too():
    """Whoever asks for it means all numbers."""
    assert differences_of_text("1000 rows, 1.00", "1001 rows, 1.001", Tolerance(rtol=1e-2)) == []
    assert len(differences_of_text("1000 rows, 1.00", "1001 rows, 1.001", Tolerance())) == 2


def test_long_differences_are_cut():
    """What fits the eye."""
    one, other = ("\n".join(f"{word}{n} x" for n in range(30)) for word in ("a", "b"))
    assert "... and 52 more lines" in differences_of_text(one, other, Tolerance())[0]


@given(st.text(max_size=200))
def test_any_text_equals_itself(text):
    """And taking out what is fleeting twice is as good as once."""
    assert differences_of_text(text, text, Tolerance()) == []
    once = without_fleeting(text)
    assert "".join(piece.text for piece in pieces(once)).replace(" ", "") == "".join(once.split())


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_is_near_itself(value):
    """Missing and infinite ones too."""
    assert Tolerance(0.0, 0.0).allows(value, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.5", 1234.5), ("-3 %", -3.0), (" .5 ", 0.5), ("1e-3", 0.001), ("x", None), ("1 2", None)],
)
def test_a_number_is_the_whole_text_or_none(text, value):
    """With thousands and percent."""
    assert number(text) == value


def test_tags_of_a_cell_set_its_tolerance():
    """The others stay."""
    found = Tolerance(atol=1.0).of_cell(["figure", "rtol=1e-3", "figure-rms = 5"], "x.ipynb, cell 3")
    assert found == Tolerance(1e-3, 1.0, 5.0)
    for tag in ("rtol=much", "atol=-1", "figure-rms=inf"):
        with pytest.raises(ConfigurationError, match=f"x.ipynb, cell 3: tag '{tag}': expected a number"):
            Tolerance().of_cell([tag], "x.ipynb, cell 3")


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [(1.0, 1.1, False), (float("inf"), 1e308, False), (float("nan"), 1.0, False), (0.0, 1e-13, True)],
)
def test_nearness(one, other, near):
    """By the formula of NumPy."""
    assert Tolerance().allows(one, other) is near
