"""Scrub registered values from any text before it leaves the process.

The redaction is by value, not by pattern: whatever was handed out as a secret is known exactly, and nothing
else is touched. Logs, run folders, reports and alerts pass their text through `redact`.
"""

import re
import threading

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
        _values |= {value}
        # Longest first: where one secret is the beginning of another, the whole of the longer one goes.
        _pattern = re.compile("|".join(map(re.escape, sorted(_values, key=len, reverse=True))))
    return True


def redact(text: str) -> str:
    """Return `text` with every registered value replaced by ``***``; other text comes back unchanged.

    Removing one value may bring the two halves of another together, so the search is repeated until
    nothing is found.
    """
    pattern = _pattern
    if pattern is None:
        return text
    while pattern.search(text):
        text = pattern.sub(MASK, text)
    return text
