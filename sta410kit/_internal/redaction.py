"""Replace registered secrets in text before it leaves the process.

Redaction is by value, not by pattern: what was handed out as a secret is known exactly, and nothing else is
touched. A value is found in plain form and as JSON, Python's ``repr``, URLs, HTML and base64 (at any offset
of a longer text) write it, also with colour codes or line breaks inside it.

A text is first squeezed to its ASCII letters and digits, which takes milliseconds for megabytes. The patterns
of a value are compiled and searched only when its longest run of letters and digits is in there.
"""

import base64
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator
from functools import cached_property
from html.entities import codepoint2name
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"
# Shorter values would redact ordinary words. Each is longer than the mask, so every replacement shortens the
# text, which is what ends the loop in `redact`.
MINIMUM_LENGTH = 6
_LONGEST, _PIECE = 128, 64  # characters: a longer value is looked for in pieces, as a private key is shown
_NEEDLE = 6  # a shorter run of letters and digits is in every text
_REMEMBERED = 10_000  # long texts without a secret, by hash: a notebook is looked at again after every cell

_OTHERS = bytes(byte for byte in range(256) if not chr(byte).isalnum() or byte > 127)  # noqa: PLR2004 - ASCII
# Backslashes that one backslash becomes when text is escaped several times; bounded, so that no text is slow.
_SLASHES = r"\\{1,64}"
_COLOUR = rf"(?:\x1b|{_SLASHES}(?:u001b|x1b))\[[0-9;]*m"
_GAP = rf"(?:{_COLOUR}|(?:[\r\n]|{_SLASHES}[rn])[ \t>│|]*)*"
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_BASE64 = {"+": r"(?:[+\-]|%(?:25)*2[Bb])", "/": r"(?:\\{0,64}/|_|%(?:25)*2[Ff])"}

_lock = threading.Lock()
_forms: "dict[str, tuple[_Form, ...]]" = {}  # by value; one register for the process, for every sink
_clean: set[int] = set()


class _Form:
    """One way to write one value: a pattern per character, `breakable` if colours may be inside."""

    def __init__(
        self, characters: Iterable[str], text: str, *, breakable: bool, around: tuple[str, str] = ("", "")
    ) -> None:
        body = (_GAP if breakable else "").join(characters)
        self._source = f"{around[0]}{body}{around[1]}"
        run = max(re.findall("[0-9A-Za-z]+", text), key=len, default="")
        self.needle = run.encode() if len(run) >= _NEEDLE else b""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._source)


def register(value: str) -> bool:
    """Redact `value`, and each line of it, from now on; return False if it is too short to be a secret."""
    value = value.strip()
    if len(value) < MINIMUM_LENGTH:
        return False
    with _lock:
        for piece in sorted(_pieces(value) - _forms.keys()):
            _forms[piece] = tuple(_forms_of(piece))
            _clean.clear()
    return True


def registered() -> frozenset[str]:
    """Return what is redacted, in clear: only for another process that has to redact it too."""
    return frozenset(_forms)


def find(text: str) -> list[tuple[int, int]]:
    """Return start and end of each stretch of `text` that holds a registered value, in order, merged."""
    if not _forms or len(text) < MINIMUM_LENGTH or hash(text) in _clean:
        return []
    streams = [_squeeze(text)]
    shown = re.sub(_COLOUR, "", text) if "\x1b" in text or "u001b" in text else text
    if shown is not text or "\\" in text:  # escaped line ends hold a letter
        streams.append(_squeeze(shown.replace("\\n", "").replace("\\r", "")))
    known = [form for forms in list(_forms.values()) for form in forms]
    likely = [form for form in known if any(form.needle in stream for stream in streams)]
    found = sorted(match.span() for form in likely for match in form.pattern.finditer(text))
    if not found and len(text) > _LONGEST and len(_clean) < _REMEMBERED:
        _clean.add(hash(text))
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def holds_secret(text: str) -> bool:
    """Tell whether `text` holds a registered value."""
    return bool(find(text))


def redact(text: str) -> str:
    """Return `text` with every registered value replaced by ``***``, until nothing is found."""
    while found := find(text):
        parts, at = [], 0
        for start, end in found:
            parts += [text[at:start], MASK]
            at = end
        text = "".join([*parts, text[at:]])
    return text


def redact_values(value: Any) -> Any:  # noqa: ANN401 - anything that JSON can hold
    """Return `value` with every text in it redacted, at any depth; itself where nothing was found."""
    if isinstance(value, str):
        clean = redact(value)
        return value if clean == value else clean
    if isinstance(value, dict):
        entries = {redact_values(key): redact_values(item) for key, item in value.items()}
        same = all(a is b for a, b in zip(entries.values(), value.values(), strict=False))
        return value if same and entries.keys() == value.keys() else entries
    if isinstance(value, list | tuple):
        items = [redact_values(item) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def unfinished_secret(text: str) -> int:
    """Return how many characters at the end of `text` may begin a registered value that goes on later."""
    size = 0
    for value in list(_forms):
        for form in _written(value):
            tail = text[-len(form) + 1 :]
            at = tail.find(form[0])
            while at >= 0 and not form.startswith(tail[at:]):
                at = tail.find(form[0], at + 1)
            size = max(size, len(tail) - at if at >= 0 else 0)
    first = len(text) - size
    # A value that is complete is not cut in two.
    return len(text) - min([first, *(start for start, end in find(text) if start < first < end)])


def _pieces(value: str) -> set[str]:
    """Return what is looked for on its own: the value, or parts that together are all of it."""
    lines = [line.strip() for line in value.splitlines()]
    pieces = {value} if len(value) <= _LONGEST else set()
    if len(lines) > 1 or not pieces:
        for line in lines:
            size = -(-len(line) // max(1, -(-len(line) // _PIECE))) if len(line) > _LONGEST else len(line)
            pieces |= {line[at : at + size] for at in range(0, len(line), size or 1)}
    return {piece for piece in pieces if len(piece) >= MINIMUM_LENGTH}


def _squeeze(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").translate(None, _OTHERS)


def _forms_of(value: str) -> Iterator[_Form]:
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    breakable = len(value) >= (8 if mixed else 12)
    yield _Form(map(_character, value), value, breakable=breakable)
    raw = value.encode("utf-8", "surrogateescape" if _has_raw_bytes(value) else "surrogatepass")
    for offset in range(3):
        core = _base64_core(raw, offset)
        before = "[0-9A-Za-z+/_-]?" if offset else ""
        after = "[0-9A-Za-z+/_-]?" if (offset + len(raw)) % 3 else ""
        characters = (_BASE64.get(letter, letter) for letter in core)
        yield _Form(characters, core, breakable=breakable, around=(before, after))


def _base64_core(raw: bytes, offset: int) -> str:
    """Return those characters of `raw` in base64, `offset` bytes into a group, that hold no other bits."""
    text = base64.b64encode(bytes(offset) + raw).decode()
    return text[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]


def _has_raw_bytes(value: str) -> bool:
    """Tell whether a value holds bytes that are not UTF-8, as an environment variable may."""
    return any("\udc80" <= character <= "\udcff" for character in value) and not any(
        "\ud800" <= character <= "\udc7f" or "\udd00" <= character <= "\udfff" for character in value
    )


def _character(character: str) -> str:
    """Return a pattern for one character of a value, as plain text and in each notation that escapes it."""
    if character.isascii() and character.isalnum():
        return character
    code, octets = ord(character), character.encode("utf-8", "replace")
    units = character.encode("utf-16-be", "surrogatepass").hex()
    percent = "".join(rf"%(?:25)*{byte:02x}" for byte in octets)
    escapes = [_SLASHES.join(f"u{units[at : at + 4]}" for at in range(0, len(units), 4)), f"u{code:08x}"]
    escapes += [
        _SLASHES.join(f"x{byte:02x}" for byte in octets),
        f"x{code:02x}",
        *_ESCAPES.get(character, ""),
    ]
    names = "|apos" if character == "'" else f"|{codepoint2name[code]}" if code in codepoint2name else ""
    entity = f"&(?:amp;)*(?:#0*{code}|#x0*{code:x}{names});"
    plain = _SLASHES if character == "\\" else rf"\\{{0,64}}{re.escape(character)}"
    space = r"|\+" if character == " " else ""
    return rf"(?:{plain}{space}|(?i:{percent}|{entity}|{_SLASHES}(?:{'|'.join(escapes)})))"


def _written(value: str) -> set[str]:
    """Return how `value` is written in the usual notations, for a text that ends within it."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    forms |= {html.escape(value), *(_base64_core(raw, offset) for offset in range(3))}
    return forms | {quote(raw), quote(raw, safe=""), quote_plus(raw)}
