"""Scrub registered values from any text before it leaves the process.

The redaction is by value, not by pattern: whatever was handed out as a secret is known exactly, and nothing
else is touched. JSON, Python literals and URLs spell some characters differently; there it is scrubbed too.
Logs, run folders, reports and alerts pass their text through `redact`.
"""

import json
import re
import threading
from urllib.parse import quote, quote_plus

MASK = "***"
# Shorter values would scrub ordinary words. Being longer than the mask, each replacement also shortens the
# text, which is what makes `redact` end.
MINIMUM_LENGTH = 6

_lock = threading.Lock()
_values: frozenset[str] = frozenset()
_pattern: re.Pattern[str] | None = None


def register(value: str) -> bool:
    """Have `value` scrubbed from now on, for the life of this process.

    Parameters
    ----------
    value : str
        The secret in clear. White space around it does not count.

    Returns
    -------
    bool
        ``False`` when the value has fewer than six characters: too short to scrub without damaging
        ordinary text, and too short to be a credential.
    """
    global _values, _pattern  # noqa: PLW0603 - one register for the process, so that no sink can miss a value
    value = value.strip()
    if len(value) < MINIMUM_LENGTH:
        return False
    with _lock:
        _values |= _forms(value)
        # Longest first: where one secret is the beginning of another, the whole of the longer one goes.
        _pattern = re.compile("|".join(map(re.escape, sorted(_values, key=len, reverse=True))))
    return True


def _forms(value: str) -> set[str]:
    """Return `value` in clear and as other notations spell it; none is shorter than the value."""
    # `repr` escapes an apostrophe only where the whole text holds a quotation mark too.
    literal = repr(f'{value}"')[1:-2]
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        literal,
        literal.replace("\\'", "'"),
        quote(value, errors="replace"),  # a text that is no UTF-8 cannot stand in a URL
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    }


def redact(text: str) -> str:
    """Return `text` with every registered value, in each of its forms, replaced by ``***``.

    Other text comes back unchanged.

    Removing one value may bring the two halves of another together, so the search is repeated until
    nothing is found.
    """
    pattern = _pattern
    if pattern is None:
        return text
    while pattern.search(text):
        text = pattern.sub(MASK, text)
    return text
