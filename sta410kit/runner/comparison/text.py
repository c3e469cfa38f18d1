"""Text, compared piece by piece: numbers within a tolerance, times, paths and addresses not at all."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sta410kit.runner.comparison.tolerance import Tolerance

_UNIT = r"(?:ns|µs|us|ms|s|secs?|seconds?|min|mins|minutes?|h|hours?)\b"
# What differs from one moment or machine to the next without being a regression, and what stands for it.
_FLEETING = [
    (re.compile(r"\x1b\[[0-9;]*[A-Za-z]"), ""),  # colours of a terminal
    (re.compile(r"[^\n]*\r(?!\n)"), ""),  # what a progress bar has written over
    (re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{4,5}\b"), "<run>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"(?<![\w/:.<])(?:file://)?(?:~|\.{1,2})?(?:/[^\s/'\"<>:,;()\[\]]+){2,}/?"), "<path>"),
    (re.compile(r"\b[A-Za-z]:\\[^\s'\"<>:,;()\[\]]+"), "<path>"),
    (
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}[ T](?!00:00(?::00)?(?![\d:.]))"
            r"\d{2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?: ?UTC|Z| ?[+-]\d{2}:?\d{2})?"
        ),
        "<time>",
    ),
    (re.compile(r"<time> \| (\w+ *)\| \d+ \|"), r"<time> | \1| <process> |"),  # a line of the kit's log
    (re.compile(r"\b(?!00:00:00\b)\d{1,2}:\d{2}:\d{2}(?:\.\d+)?\b"), "<time>"),
    (re.compile(rf"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)? ?{_UNIT}"), "<duration>"),
]
_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_PIECE = re.compile(rf"(?P<date>\b\d{{4}}-\d{{2}}-\d{{2}}\b)|(?P<number>(?<![\w.]){_NUMBER}(?![\w]))")


class Piece(NamedTuple):
    """A part of a text: ``number``, ``date`` or ``words``."""

    kind: str
    text: str


def without_fleeting(text: str) -> str:
    """Return `text` with times, durations, paths, addresses and run ids replaced by their kind.

    Midnight stands for a session and not for a moment; it is kept.
    """
    for pattern, kind in _FLEETING:
        text = pattern.sub(kind, text)
    return text


def pieces(text: str) -> list[Piece]:
    """Return the numbers, dates and words of `text`, in order; white space counts as one blank."""
    found: list[Piece] = []
    end = 0
    for match in _PIECE.finditer(text):
        _add_words(found, text[end : match.start()])
        found.append(Piece(str(match.lastgroup), match[0]))
        end = match.end()
    _add_words(found, text[end:])
    return found


def differences_of_text(expected: str, got: str, tolerance: Tolerance) -> list[str]:
    """Return what differs between two texts, in words; nothing when they agree."""
    before, after = without_fleeting(expected), without_fleeting(got)
    if before == after:
        return []
    ours, theirs = pieces(before), pieces(after)
    if [piece.kind for piece in ours] != [piece.kind for piece in theirs]:
        return [_lines_apart(before, after)]
    found = []
    for one, other in zip(ours, theirs, strict=True):
        if one.kind == "words" and one.text != other.text:
            return [_lines_apart(before, after)]
        if not _same(one, other, tolerance):
            found.append(f"expected {one.text}, got {other.text}")
    return found


def number(text: str) -> float | None:
    """Return the number that a text is as a whole, commas and a percent sign allowed; else nothing."""
    bare = text.strip().removesuffix("%").strip()
    if re.fullmatch(_NUMBER, bare):
        return float(bare.replace(",", ""))
    return {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}.get(bare.lower())


def is_whole(text: str) -> bool:
    """Tell whether a number is written without a fraction."""
    return re.fullmatch(r"[+-]?[\d,]+", text.strip()) is not None


def _add_words(found: list[Piece], text: str) -> None:
    words = " ".join(text.split())
    if words:
        found.append(Piece("words", words))


def _same(one: Piece, other: Piece, tolerance: Tolerance) -> bool:
    if one.text == other.text or one.kind == "words":
        return one.text == other.text
    if one.kind == "date":
        return _is_today(other.text)  # the date of the run, where the reference has that of its own
    whole = is_whole(one.text) and is_whole(other.text)
    expected, got = (float(piece.text.replace(",", "")) for piece in (one, other))
    return tolerance.allows(expected, got, whole=whole)


def _is_today(text: str) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return abs(day - datetime.now(UTC).date()) <= timedelta(days=1)


def _lines_apart(before: str, after: str) -> str:
    """Return the first lines that differ, as ``-`` expected and ``+`` got."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    shown = [line[:200] for line in lines if not line.startswith(("---", "+++", "@@"))]
    more = f"\n... and {len(shown) - 8} more lines" if len(shown) > 8 else ""  # noqa: PLR2004 - what fits the eye
    return "text differs:\n" + "\n".join(shown[:8]) + more
