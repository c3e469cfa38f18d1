"""How a secret reads in other notations, as patterns to look for.

A text is first squeezed to its ASCII letters and digits in lower case, which takes milliseconds for
megabytes. Each spelling has needles: wherever its pattern matches, one of them stands in the squeezed text.
Only the patterns whose needle was found are compiled and searched, so that a text without secrets costs next
to nothing.
"""

import base64
import codecs
import json
import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html.entities import codepoint2name
from urllib.parse import quote

# From this length on a value is also found in another case, broken by line ends, colours or markup, or
# spaced out; from the second length on where it has letters and digits. Shorter ones, and numbers, would be
# found by chance in tables and ordinary words.
LONG, _LONG_IF_MIXED = 12, 8
# A needle shorter than this is in every text; such a spelling is always searched.
NEEDLE = 6
PARTS = ("its beginning", "its end")
_ALNUM = (string.ascii_letters + string.digits).encode()
_OTHERS = bytes(set(range(256)) - set(_ALNUM))
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
# What terminals and pages do not show: colours, movements and links; tags, comments and characters by name.
_CODE = r"(?:\[[0-9;:?]*[A-Za-z]|\][^\x07\x1b\\]{0,300}(?:\x07|\x1b\\|\\u0007)?)"
_COLOUR = rf"(?:\x1b|\\{{1,8}}(?:u001b|x1b|033)){_CODE}"
_TAG = r"<(?:/?[A-Za-z]{1,10}[1-6]?\b[^<>]{0,200}|!--[^<>]{0,200}--)>"
_ENTITY = r"&(?:amp;)*(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,15});"
# Each begins with a character of its own, which makes the search quick; zeros are what UTF-16 has as bytes.
_UNSEEN = (
    rf"\x1b{_CODE}|{_ENTITY}"
    rf"|\\(?:\\{{0,7}}+(?:(?:u001b|x1b|033){_CODE}|x00|u0000|000)|text[a-z]{{1,20}}\{{\}})"
)
_ENDS = r"\\\\{0,7}+[nrt]"  # of lines, escaped; or a backslash before a letter of the value itself
_UNSEENS, _TAGS = re.compile(f"{_UNSEEN}|{_ENDS}"), re.compile(_TAG)
# What may stand between two letters; it takes what it can and gives nothing back, so that no text is slow.
_GAP = rf"(?>(?:%s|{_TAG}|[\W_]){{%d,80}})"
_EDGE = r"[ \t>|│\"',+\\]*"
_BREAK = rf"{_EDGE}(?:[\r\n]|\\[rn]){_EDGE}"
_NOISE = rf"(?:{_COLOUR}|{_TAG}|[\u200b\u00ad]|%s)*"
# A backslash, which an escape may have been through other notations: JSON in a URL writes it %5C.
_SLASH = r"(?:\\|%(?:25)*5[Cc]|&(?:amp;)*#(?:0*92|[xX]0*5[cC]);)"
_SLASHES = rf"{_SLASH}{{1,64}}"  # as many as six notations make of one; a file may be full of them
_DOUBLED = "\"'"  # CSV and SQL write them twice
_NAMED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}


def squeeze(text: str) -> bytes:
    """Return the ASCII letters and digits of `text`, in lower case and without anything between them."""
    return text.encode("utf-8", "surrogatepass").translate(_LOWER, _OTHERS)


def squeezed(text: str) -> list[bytes]:
    """Return what needles are looked for in: the squeezed text, as it is and without what is not shown."""
    texts = [text]
    if any(mark in text for mark in "\\\x1b&"):
        texts.append(_UNSEENS.sub("", text))
    if "<" in text:
        texts.append(_TAGS.sub("", texts[-1]))
    return list(dict.fromkeys(map(squeeze, texts)))


def unmistakable(text: str) -> bool:
    """Tell whether a text is too long, or too mixed, to stand in another by chance."""
    mixed = any(map(str.isdigit, text)) and any(map(str.isalpha, text))
    return len(text) >= (_LONG_IF_MIXED if mixed else LONG)


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
    hexadecimal with or without separators; a list of byte values; base32, base85; backwards; rotated by 13;
    broken in any places by what is no letter or digit; one character at a time, counted or not; cut off.
    """
    return tuple(_all(value))


def _all(value: str) -> Iterator[Spelling]:
    raw = value.encode("utf-8", "surrogateescape" if _escaped(value) else "surrogatepass")
    wide = [value.encode(codec, "surrogatepass") for codec in ("utf-16-le", "utf-16-be")]
    case = "(?i:{})" if unmistakable(value) else "{}"
    for name, text in (("plain", value), ("backwards", value[::-1])):
        yield Spelling(name, case.format(re.escape(text)), _needles([text]), plain=True)
    needles = _needles((_longest_run(value), *_escapes(value)), all_needed=True)
    yield Spelling("escaped", case.format("".join(map(_character, value))), needles, marks="\\%&+" + _DOUBLED)
    yield from _in_pieces(value, case)
    yield from _cut_off(value)
    apart = r"[^0-9A-Za-z]{0,4}(?:0x|\\+x)?"
    for form in (raw, *wide):
        forms = ("".join(f"{mark}{byte:02x}" for byte in form) for mark in ("", "0x", "x"))
        yield Spelling("hexadecimal", f"(?i:{apart.join(f'{byte:02x}' for byte in form)})", _needles(forms))
    decimal = r"\D{1,12}".join(map(str, raw))
    yield Spelling("byte values", rf"(?<!\d){decimal}(?!\d)", _needles(["".join(map(str, raw))]))
    encoded = [raw, *wide, raw[::-1], raw.hex().encode()]
    encoded += [_base64_core(raw, offset).encode() for offset in range(3)]
    encoded += [json.dumps(value)[1:-1].encode(), quote(value, safe="", errors="replace").encode()]
    for form in dict.fromkeys(encoded):
        yield from (_base64(form, offset) for offset in range(3))
    yield from (_base32(raw, offset) for offset in range(5))
    for encode in (base64.b85encode, base64.a85encode):
        yield _literal("base85", encode(raw).decode(), "{}")
        yield from (_base85(raw, offset, encode) for offset in range(4))
    yield _literal("rotated", codecs.encode(value, "rot13"), case)


def _in_pieces(value: str, case: str) -> Iterator[Spelling]:
    """Yield how a value reads that is broken, spaced out or written one character a line."""
    noise = _NOISE % (_BREAK if unmistakable(value) else "\u2060")
    broken = case.format(noise.join(map(re.escape, value)))
    yield Spelling("broken", broken, _needles([value]), marks="\n\r\\<\x1b\u200b\u00ad\u2060")
    if not unmistakable("".join(_letters(value))):
        return
    for text, unseen in ((_UNSEENS.sub("", value), f"{_UNSEEN}|{_ENDS}"), (value, _UNSEEN)):
        yield Spelling("broken", f"(?i:{(_GAP % (unseen, 0)).join(_letters(text))})", _needles([text]))
    raw = value.encode("utf-8", "replace")
    for start in (0, 1):
        for items in (value, map(str, raw)):
            counted = [part for at, item in enumerate(items, start) for part in (str(at), item)][1:]
            tokens = [part for part in counted if part.isalnum()]
            source = f"(?i:(?<![0-9A-Za-z]){(_GAP % (_UNSEEN, 1)).join(tokens)}(?![0-9A-Za-z]))"
            yield Spelling("counted", source, _needles(["".join(tokens)]))


def _letters(text: str) -> list[str]:
    return [character for character in text if character.isalnum()]


def _cut_off(value: str) -> Iterator[Spelling]:
    """Yield how a key reads of which a third or more is there, from its beginning or to its end.

    As tables shorten it, or as it looks while it is typed. What may be words is not looked for in part.
    """
    for name, forth in zip(PARTS, (1, -1), strict=True):
        text = value[::forth]
        least = max(_LONG_IF_MIXED, len(text) // 3)
        while least < len(text) and not (unmistakable(text[:least]) and _like_a_key(text[:least])):
            least += 1
        if 3 * least > 2 * len(text):
            continue
        core, more = text[:least], [text[least:end] for end in range(len(text), least, -1)]
        rest = "(?:" + "|".join(re.escape(part[::forth]) for part in more) + ")?"
        source = f"{re.escape(core)}{rest}" if forth > 0 else f"{rest}{re.escape(core[::-1])}"
        yield Spelling(name, f"(?i:{source})", _needles([core[::forth]]))


def _like_a_key(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    cases = any(map(str.isupper, text)) and any(map(str.islower, text))
    drawn = digits > 1 or (digits == 1 and cases)
    return drawn and any(map(str.isalpha, text)) and not any(mark in text for mark in " \"'\n")


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
    usable = tuple(needle for needle in found if len(needle) >= NEEDLE)
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
    yield from ("".join(f"u{code:0{digits}x}" for code in codes) for digits in (4, 0))
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
    escapes += [f"u{code:08x}", rf"u\{{0*{code:x}\}}", f"{_SLASHES}".join(f"x{byte:02x}" for byte in octets)]
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
    letters = {"+": r"(?:[+\-]|(?i:%(?:25)*2b))", "/": r"(?:\\*/|_|(?i:%(?:25)*2f))"}
    body = wrapped.join(letters.get(letter, letter) for letter in core)
    before = "[0-9A-Za-z+/_-]?" if offset else ""
    after = "[0-9A-Za-z+/_-]?" if (offset + len(raw)) % 3 else ""
    quoted = (core.replace("+", f"{depth}2b").replace("/", f"{depth}2f") for depth in ("", "25"))
    forms = (core, *quoted)
    return Spelling("base64", f"{before}{body}{after}", _needles(forms, all_needed=True))


def _base64_core(raw: bytes, offset: int) -> str:
    """Return those characters of `raw` in base64 that hold no bits of its neighbours."""
    text = base64.b64encode(bytes(offset) + raw).decode()
    return text[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]


def _base32(raw: bytes, offset: int) -> Spelling:
    """Return how `raw` reads inside a longer text in base32, `offset` bytes into a group."""
    text = base64.b32encode(bytes(offset) + raw).decode()
    core = text[-(-offset * 8 // 5) : (offset + len(raw)) * 8 // 5]
    before = "[A-Z2-7]?" if offset else ""
    after = "[A-Z2-7]?" if (offset + len(raw)) * 8 % 5 else ""
    return Spelling("base32", f"(?i:{before}{core}{after})", _needles([core]))


def _base85(raw: bytes, offset: int, encode: Callable[[bytes], bytes]) -> Spelling:
    """Return how the whole groups of four bytes in `raw` read inside a longer text in base85."""
    skipped = -offset % 4
    whole = raw[skipped : skipped + (len(raw) - skipped) // 4 * 4]
    if len(whole) < _LONG_IF_MIXED:
        whole = raw
    around = r"[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{0,5}"
    text = encode(whole).decode()
    return Spelling("base85", f"{around}{re.escape(text)}{around}", _needles([text]))
