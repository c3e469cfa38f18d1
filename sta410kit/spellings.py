"""How a secret reads in other notations, as patterns to look for.

A text is first squeezed to its ASCII letters and digits in lower case, which takes milliseconds for
megabytes. Each spelling has needles: wherever its pattern matches, one of them stands in the squeezed text.
Only the patterns whose needle was found are compiled and searched, so that a text without secrets costs next
to nothing.
"""

import base64
import json
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html.entities import codepoint2name
from urllib.parse import quote

# From this length on a value is also found in another case, broken by line ends, colours or markup, or
# spaced out. Shorter ones would be found by chance in tables of numbers.
LONG = 12
# A needle shorter than this is in every text; such a spelling is always searched.
_NEEDLE = 6
_ALNUM = (string.ascii_letters + string.digits).encode()
_OTHERS = bytes(set(range(256)) - set(_ALNUM))
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_COLOUR = r"(?:\x1b|\\+(?:u001b|x1b|033))\[[0-9;]*m"
_TAG = r"</?[a-z]{1,6}\b[^<>]{0,200}>"
_EDGE = r"[ \t>|│\"',+\\]*"
_BREAK = rf"{_EDGE}(?:[\r\n]|\\[rn]){_EDGE}"
_NOISE = rf"(?:{_COLOUR}|{_TAG}|[\u200b\u00ad]|{_BREAK})*"
_COLOURS, _TAGS = re.compile(_COLOUR), re.compile(_TAG)
# A backslash, which an escape may have been through other notations: JSON in a URL writes it %5C.
_SLASH = r"(?:\\|%(?:25)*5[Cc]|&(?:amp;)*#(?:0*92|[xX]0*5[cC]);)"
_SLASHES = rf"{_SLASH}{{1,64}}"  # as many as six notations make of one; a file may be full of them
_DOUBLED = "\"'"  # CSV and SQL write them twice
_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}


def squeeze(text: str) -> bytes:
    """Return the ASCII letters and digits of `text`, in lower case and without anything between them."""
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _OTHERS)


def squeezed(text: str) -> list[bytes]:
    """Return what needles are looked for in: the squeezed text, as it is, without colours, without markup."""
    texts = [text]
    if "\\" in text:
        texts.append(texts[-1].replace("\\n", "").replace("\\r", ""))
    if any(mark in text for mark in ("\x1b", "u001b", "x1b", "\\033")):
        texts.append(_COLOURS.sub("", texts[-1]))
    if "<" in text:
        texts.append(_TAGS.sub("", texts[-1]))
    return list(dict.fromkeys(map(squeeze, texts)))


@dataclass(frozen=True)
class Spelling:
    """One way, or one family of ways, to write a value.

    Attributes
    ----------
    name : str
        What to call it: ``plain``, ``base64``.
    source : str
        A regular expression.
    needles : tuple of bytes
        One of them stands in the squeezed text wherever the expression matches; none: it is always searched.
    plain : bool
        Whether the expression is short. Those are looked for first: to compile the others takes longer than
        to search a text.
    marks : str
        Characters of which one stands in any text that the expression matches, but for what is found plain.
    """

    name: str
    source: str
    needles: tuple[bytes, ...] = ()
    plain: bool = False
    marks: str = ""

    def possible(self, text: str, present: set[bytes]) -> bool:
        """Tell whether the expression may match in a text whose squeezed form holds the needles `present`."""
        found = not self.needles or not present.isdisjoint(self.needles)
        return found and (not self.marks or any(mark in text for mark in self.marks))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression, compiled when it is first needed."""
        return re.compile(self.source)


def spellings(value: str) -> tuple[Spelling, ...]:
    """Return every way in which `value` is looked for.

    Plain, in URLs (once and several times quoted), JSON, Python, HTML and octal escapes and mixtures of them;
    base64 at any offset of a longer text (both alphabets, wrapped, of UTF-8 and UTF-16, and twice over);
    hexadecimal with or without separators; a list of byte values; base32, base85; backwards; one
    character at a time.
    """
    return tuple(_all(value))


def _all(value: str) -> Iterator[Spelling]:
    raw = value.encode("utf-8", "surrogateescape" if _escaped(value) else "surrogatepass")
    case = "(?i:{})" if len(value) >= LONG else "{}"
    for name, text in (("plain", value), ("backwards", value[::-1])):
        yield Spelling(name, case.format(re.escape(text)), _needles([text]), plain=True)
    needles = _needles((_longest_run(value), *_escapes(value)), all_needed=True)
    yield Spelling("escaped", case.format("".join(map(_character, value))), needles, marks="\\%&+" + _DOUBLED)
    if len(value) >= LONG:
        broken = case.format(_NOISE.join(map(re.escape, value)))
        yield Spelling("broken", broken, _needles([value]), marks="\n\r\\<\x1b\u200b\u00ad")
    apart = r"[^0-9A-Za-z]{0,4}(?:0x|\\+x)?"
    forms = ("".join(f"{mark}{byte:02x}" for byte in raw) for mark in ("", "0x", "x"))
    yield Spelling("hexadecimal", f"(?i:{apart.join(f'{byte:02x}' for byte in raw)})", _needles(forms))
    decimal = r"\D{1,12}".join(map(str, raw))
    yield Spelling("byte values", rf"(?<!\d){decimal}(?!\d)", _needles(["".join(map(str, raw))]))
    encoded = [raw, value.encode("utf-16-le", "surrogatepass")]
    encoded += [_base64_core(raw, offset).encode() for offset in range(3)]
    encoded += [json.dumps(value)[1:-1].encode(), quote(value, safe="", errors="replace").encode()]
    for form in dict.fromkeys(encoded):
        yield from (_base64(form, offset) for offset in range(3))
    yield _literal("base32", base64.b32encode(raw).decode().rstrip("=")[: len(raw) * 8 // 5], "(?i:{})")
    for encode in (base64.b85encode, base64.a85encode):
        yield _literal("base85", encode(raw).decode(), "{}")
    letters = re.findall("[0-9A-Za-z]", value)
    if len(letters) >= LONG:
        yield Spelling("spaced out", f"(?i:{'[^0-9A-Za-z]{1,40}'.join(letters)})", _needles([value]))


def _escaped(value: str) -> bool:
    """Tell whether a value holds bytes that are no UTF-8, as a variable of the process may."""
    return any("\udc80" <= character <= "\udcff" for character in value) and not any(
        "\ud800" <= character <= "\udc7f" or "\udd00" <= character <= "\udfff" for character in value
    )


def _literal(name: str, text: str, case: str) -> Spelling:
    return Spelling(name, case.format(re.escape(text)), _needles([text]))


def _needles(forms: Iterable[str], *, all_needed: bool = False) -> tuple[bytes, ...]:
    """Return what to look for first; nothing where that would say nothing."""
    found = tuple(dict.fromkeys(map(squeeze, forms)))
    usable = tuple(needle for needle in found if len(needle) >= _NEEDLE)
    return () if all_needed and len(usable) < len(found) else usable


def _longest_run(text: str) -> str:
    """Return the longest stretch of letters and digits, which notations that escape the others keep."""
    return max(re.findall(r"[0-9A-Za-z]+", text), key=len, default="")


def _escapes(text: str) -> Iterator[str]:
    """Yield `text` with every character escaped, in each notation, for the needles."""
    codes = [ord(character) for character in text]
    octets = text.encode("utf-8", "replace")
    yield "".join(f"{byte:02x}" for byte in octets)
    yield from ("".join(f"%{'25' * depth}{byte:02x}" for byte in octets) for depth in (1, 2, 3))
    yield "".join(f"x{code:02x}" for code in codes)
    yield "".join(f"x{byte:02x}" for byte in octets)
    yield "".join(f"u{code:04x}" for code in codes)
    yield "".join(map(str, codes))
    yield from ("".join(f"{'amp' * depth}{code}" for code in codes) for depth in (1, 2))
    yield from ("".join(f"{'amp' * depth}x{code:x}" for code in codes) for depth in (0, 1, 2))
    yield "".join(f"{byte:03o}" for byte in octets)


def _character(character: str) -> str:
    """Return a pattern for one character in any notation."""
    code, octets = ord(character), character.encode("utf-8", "replace")
    plain = re.escape(character)
    slashes = ""
    if character == "\\":
        plain = _SLASHES
    elif not (character.isascii() and character.isalnum()):
        slashes = f"(?:{_SLASHES})?"
        if character in _DOUBLED:
            plain = rf"{plain}(?:{slashes}{plain})?"
    if character == " ":
        plain += r"|\+"
    units = character.encode("utf-16-be", "surrogatepass")
    escapes = [
        f"{_SLASHES}".join(f"u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
    ]
    escapes += [f"u{code:08x}", f"{_SLASHES}".join(f"x{byte:02x}" for byte in octets)]
    escapes.append(f"{_SLASHES}".join(f"{byte:03o}" for byte in octets))
    if 0x80 <= code <= 0xFF:  # noqa: PLR2004 - what \xNN can hold and UTF-8 writes in two bytes
        escapes.append(f"x{code:02x}")
    if character in _NAMED:
        escapes.append(_NAMED[character])
    names = "|apos" if character == "'" else f"|{codepoint2name[code]}" if code in codepoint2name else ""
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in octets)
    entity = f"&(?:amp;)*(?:#(?:0*{code}|x0*{code:x}){names});"
    return rf"(?:{slashes}(?:{plain}|(?i:{percent}|{entity}))|(?i:{_SLASHES}(?:{'|'.join(escapes)})))"


def _base64(raw: bytes, offset: int) -> Spelling:
    """Return how `raw` reads inside a longer text in base64, when `offset` bytes of a group stand before it.

    The first and the last character may hold bits of the neighbours too; they are taken along.
    """
    core = _base64_core(raw, offset)
    wrapped = rf"(?:{_BREAK})*" if len(core) > LONG else ""
    letters = {"+": r"(?:[+\-]|(?i:%2b))", "/": r"(?:\\*/|_|(?i:%2f))"}
    body = wrapped.join(letters.get(letter, letter) for letter in core)
    before = "[0-9A-Za-z+/_-]?" if offset else ""
    after = "[0-9A-Za-z+/_-]?" if (offset + len(raw)) % 3 else ""
    return Spelling("base64", f"{before}{body}{after}", _needles([core], all_needed=True))


def _base64_core(raw: bytes, offset: int) -> str:
    """Return those characters of `raw` in base64 that hold no bits of its neighbours."""
    text = base64.b64encode(bytes(offset) + raw).decode()
    return text[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
