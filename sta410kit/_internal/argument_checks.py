"""Checks of numeric arguments, from Python, NumPy or decimal; an error names the argument."""

import math
import reprlib
from decimal import Decimal
from numbers import Integral, Real

from sta410kit.exceptions import ConfigurationError

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


def require_whole(name: str, value: object, least: int = 1, of: str = "") -> int:
    """Return a whole number of Python's or numpy's as an int, or raise `ConfigurationError`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        message = f"{name} is {shown(value)}; give a whole number{' of ' * bool(of)}{of}, {least} or more."
        raise ConfigurationError(message)
    return int(value)


def require_positive(name: str, value: object, what: str) -> float:
    """Return a finite number above 0 as a float, or raise `ConfigurationError` that asks for `what`."""
    number = as_number(value)
    if not 0 < number < math.inf:
        message = f"{name} is {shown(value)}; give {what} as a positive number."
        raise ConfigurationError(message)
    return number


def as_number(value: object) -> float:
    """Return a real number of Python, numpy or decimal as a float, and NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return math.nan
    try:
        return float(value)
    except (OverflowError, ValueError):  # too large; a signalling NaN
        return math.nan


def shown(value: object) -> str:
    """Return a short text for any value, for an error message."""
    try:
        return _short.repr(value)
    except ValueError:  # Python writes out no number of thousands of digits
        return f"a number of {type(value).__name__} too long to show"
