"""What a step may use, as it is typed."""

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.limits import parse_memory, parse_seconds

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("2K", 2048), ("1.5M", 1572864), ("2G", 2147483648), ("2gib", 2147483648)]
)
def test_memory_is_typed_in_bytes_or_larger_units(text, size):
    """Units are powers of 1024, in either case."""
    assert parse_memory(text, "--memory") == size


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("0.5s", 0.5), ("15m", 900), ("2h", 7200)])
def test_spans_are_typed_in_seconds_or_larger_units(text, seconds):
    """Seconds are what a bare number means."""
    assert parse_seconds(text, "--timeout") == seconds


@pytest.mark.parametrize("text", ["", "-1", "0", "much", "1X", "nan", "inf", "1 2"])
@pytest.mark.parametrize("parse", [parse_memory, parse_seconds])
def test_anything_else_is_refused_with_an_example(parse, text):
    """The option and what was typed are named."""
    with pytest.raises(ConfigurationError, match=f"^--limit takes something like .*, got '{text}'$"):
        parse(text, "--limit")
