"""Small pieces of text that messages share."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

# Escape sequences of terminals, other control characters, marks that reverse the order of letters, and halves
# of surrogate pairs.
_CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return `text` without control characters except tabs and line ends: data must not steer a terminal."""
    return _CONTROL.sub("", text)


def did_you_mean(given: object, known: Iterable[object]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name nearest to `given`, or nothing."""
    names = {str(name).casefold(): str(name) for name in known}
    near = get_close_matches(str(given).casefold(), names, n=1, cutoff=0.5)
    return f" Did you mean '{names[near[0]]}'?" if near else ""


def percent(value: float | None, form: str = ".0%", none: str = "") -> str:
    """Return a number in a format, a fraction in percent with a space: ``-0.08 %``; `none` without one."""
    missing = value is None or value != value  # noqa: PLR0124 - not a number
    return none if missing else f"{value:{form}}".replace("%", " %")


def utc(moment: str) -> str:
    """Return a moment in UTC, as manifests hold it, for people: ``2026-11-30 08:19:32 UTC``."""
    return f"{moment[:19].replace('T', ' ')} UTC"


def pluralize(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 warning``, ``0 warnings``, ``12,154 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
