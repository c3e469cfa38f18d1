"""Scrub registered values from any text before it leaves the process.

The redaction is by value, not by pattern: whatever was handed out as a secret is known exactly, and nothing
else is touched. `secret_encodings` knows how other notations write it; there it is redacted too.
Logs, run folders, reports and alerts pass their text through `redact`.
"""

import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from sta410kit._internal.secret_encodings import NEEDLE, Spelling, spellings, squeezed

MASK = "***"
# Shorter values would scrub ordinary words. Being longer than the mask, each replacement also shortens the
# text, which is what makes `redact` end.
MINIMUM_LENGTH = 6
# A longer value is looked for piece by piece, and so is one of several lines, which are often shown alone.
_LONGEST = 128
_PIECE = 64
# Bytes times needles from which numpy looks for all of them at once.
_WORTH_NUMPY = 4_000_000
# Characters from which it pays to remember that a text held nothing; notebooks are looked at again and again.
_WORTH_REMEMBERING = 2_000
_REMEMBERED = 10_000
# Letters and digits from which on the end of a text is looked at as the beginning of a value in another
# notation, and how far that is looked back.
_BEGUN = 4
_LOOKED_BACK = 4_000

_lock = threading.Lock()
_values: frozenset[str] = frozenset()
_pattern: "_Search | None" = None


class Found(NamedTuple):
    """Where a registered value stands in a text, and how it is spelled there."""

    start: int
    end: int
    spelling: str


@dataclass(frozen=True)
class _Search:
    """Everything that is looked for."""

    values: frozenset[str]
    clean: set[int] = field(default_factory=set, compare=False)

    @cached_property
    def _spellings(self) -> list[Spelling]:
        return [spelling for value in sorted(self.values) for spelling in spellings(value)]

    @cached_property
    def _needles(self) -> list[bytes]:
        return list(dict.fromkeys(needle for one in self._spellings for needle in one.needles))

    @cached_property
    def _by_needle(self) -> dict[bytes, list[int]]:
        """Which spellings to look for where a needle stands; under the empty one those to look for always."""
        found: dict[bytes, list[int]] = {b"": []}
        for number, one in enumerate(self._spellings):
            for needle in one.needles or (b"",):
                found.setdefault(needle, []).append(number)
        return found

    @cached_property
    def _heads(self) -> dict[bytes, list[bytes]]:
        heads: dict[bytes, list[bytes]] = {}
        for needle in self._needles:
            heads.setdefault(needle[:NEEDLE], []).append(needle)
        return heads

    @cached_property
    def _beginnings(self) -> dict[bytes, list[bytes]]:
        """The beginnings of all needles by their last few letters."""
        found: dict[bytes, list[bytes]] = {}
        for needle in self._needles:
            for size in range(_BEGUN, len(needle)):
                found.setdefault(needle[size - _BEGUN : size], []).append(needle[:size])
        return found

    def begun(self, text: str) -> int:
        """Return how many characters at the end of a text may begin a value, however written."""
        longest = 0
        for stream in squeezed(text):
            begun = [one for one in self._beginnings.get(stream[-_BEGUN:], ()) if stream.endswith(one)]
            beginning = max(begun, key=len, default=b"")
            at = len(text) - len(beginning)
            while at > 0 and not any(part.endswith(beginning) for part in squeezed(text[at:])):
                at -= 1
            longest = max(longest, len(text) - at)
        return longest

    def __call__(self, text: str, *, thorough: bool) -> list[Found]:
        if len(text) < MINIMUM_LENGTH or hash(text) in self.clean:
            return []
        present = {needle for stream in squeezed(text) for needle in self._present(stream)}
        numbers = {number for needle in (b"", *present) for number in self._by_needle[needle]}
        likely = [self._spellings[number] for number in sorted(numbers)]
        likely = [one for one in likely if one.possible(text, present)]
        found = _matches([one for one in likely if one.plain], text)
        if thorough or not found:
            found += _matches([one for one in likely if not one.plain], text)
            found = _outermost(found)  # a plain value is an escaped one as well, and its own beginning
        if not found and len(text) >= _WORTH_REMEMBERING and len(self.clean) < _REMEMBERED:
            self.clean.add(hash(text))
        return found

    def _present(self, stream: bytes) -> set[bytes]:
        """Return those needles that stand in a stream."""
        if len(stream) > 4 * len(self._needles):
            return _present(stream, self._needles)
        places = ((at, stream[at : at + NEEDLE]) for at in range(len(stream) - NEEDLE + 1))
        return {
            needle
            for at, head in places
            for needle in self._heads.get(head, ())
            if stream.startswith(needle, at)
        }


def register(value: str) -> bool:
    """Have `value` scrubbed from now on, for the life of this process.

    In a Jupyter kernel, what the kernel sends to its clients is scrubbed from now on too.

    Parameters
    ----------
    value : str
        The secret in clear. White space around it does not count. Each line of one of several lines, such as
        a private key, is a secret of its own.

    Returns
    -------
    bool
        ``False`` when the value has fewer than six characters: too short to scrub without damaging
        ordinary text, and too short to be a credential.
    """
    global _values, _pattern  # one register for the process, so that no sink can miss a value
    value = value.strip()
    if len(value) < MINIMUM_LENGTH:
        return False
    with _lock:
        more = _values | _pieces(value)
        if more != _values:
            _values, _pattern = more, _Search(more)
    if "ipykernel" in sys.modules:
        from sta410kit._internal.kernel_redaction import guard_kernel

        guard_kernel()
    return True


def _pieces(value: str) -> set[str]:
    """Return what is looked for on its own: the value, or parts of it that together are all of it."""
    lines = [line.strip() for line in value.splitlines()]
    pieces = {line for line in lines if len(line) >= MINIMUM_LENGTH} if len(lines) > 1 else set()
    if len(value) <= _LONGEST:
        return pieces | {value}
    whole = pieces or {value}
    return {part for piece in whole for part in _parts(piece)}


def _parts(text: str) -> Iterable[str]:
    number = -(-len(text) // (_LONGEST if len(text) <= _LONGEST else _PIECE))
    size = -(-len(text) // number)
    return (part for at in range(0, len(text), size) if len(part := text[at : at + size]) >= MINIMUM_LENGTH)


def registered() -> frozenset[str]:
    """Return what is scrubbed, in clear: for another process that has to scrub it too, and nobody else."""
    return _values


def find(text: str) -> list[Found]:
    """Return where registered values stand in `text`, in whatever notation, in order.

    Several may overlap; none lies in another.
    """
    return [] if _pattern is None else _pattern(text, thorough=True)


def holds_secret(text: str) -> bool:
    """Tell whether a registered value stands in `text`, in whatever notation."""
    return _pattern is not None and bool(_pattern(text, thorough=False))


def _matches(wanted: list[Spelling], text: str) -> list[Found]:
    return [Found(*match.span(), one.name) for one in wanted for match in one.pattern.finditer(text)]


def _outermost(found: list[Found]) -> list[Found]:
    """Return those that lie in no other, the first of several that are alike."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.end > kept[-1].end:
            kept.append(one)
    return kept


def redact(text: str) -> str:
    """Return `text` with every registered value, in each of its forms, replaced by ``***``.

    Other text comes back unchanged.

    Removing one value may bring the two halves of another together, so the search is repeated until
    nothing is found.
    """
    while _pattern is not None and (found := _pattern(text, thorough=False)):
        parts, at = [], 0
        for start, end in _merged(found):
            parts += [text[at:start], MASK]
            at = end
        text = "".join([*parts, text[at:]])
    return text


def redact_after(before: str, text: str) -> str:
    """Return `text` redacted as what follows `before`: a value that began there is taken out to its end."""
    text = redact(text)
    ends = [one.end for one in find(before + text) if one.start < len(before) < one.end]
    return MASK + text[max(ends) - len(before) :] if ends else text


def beginning_of_a_secret(text: str) -> int:
    """Return how many characters at the end of `text` may belong to a registered value that is not all there.

    In another notation or in pieces only from a few letters on, for every letter begins something.
    """
    if _pattern is None:
        return 0
    size = max(
        (
            size
            for value in _values
            for size in range(1, min(len(value), len(text) + 1))
            if text.endswith(value[:size])
        ),
        default=0,
    )
    size = max(size, _pattern.begun(text[-_LOOKED_BACK:]))
    if not size:
        return 0
    # A secret that is complete is not cut in two.
    first = len(text) - size
    return len(text) - min([first, *(one.start for one in find(text) if one.start < first < one.end)])


def _merged(found: list[Found]) -> list[tuple[int, int]]:
    """Return stretches that touch or overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end, _ in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _present(stream: bytes, needles: list[bytes]) -> set[bytes]:
    """Return those of `needles` that stand in `stream`."""
    if len(stream) * len(needles) < _WORTH_NUMPY:
        return {needle for needle in needles if needle in stream}
    import numpy as np

    # The first four bytes of every needle, looked up for every place of the stream at once; at the few places
    # that are left, the next two as well. What remains is compared in full.
    words = np.ndarray(len(stream) - 5, dtype="<u4", buffer=stream, strides=(1,))
    begins = np.zeros(1 << 16, dtype=bool)
    factor = np.uint32(2654435761)
    heads = np.frombuffer(b"".join(needle[:4] for needle in needles), dtype="<u4")
    begins[(heads * factor) >> np.uint32(16)] = True
    found: set[bytes] = set()
    by_head: dict[bytes, list[bytes]] = {}
    for needle in needles:
        by_head.setdefault(needle[:6], []).append(needle)
    block = 1 << 20
    for at in range(0, len(words), block):
        places = at + np.flatnonzero(begins[(words[at : at + block] * factor) >> np.uint32(16)])
        for place in places.tolist():
            for needle in by_head.get(stream[place : place + 6], ()):
                if needle not in found and stream.startswith(needle, place):
                    found.add(needle)
    return found
