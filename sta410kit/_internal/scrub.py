"""Scrub what is not one text: the nested values of a message or a notebook, and bytes such as an image's."""

import base64
import binascii
import zlib
from typing import Any

from sta410kit._internal.redaction import find, holds_secret, redact

# Under these names base64 stands for bytes, which have to keep their length and their meaning.
_BINARY = ("image/", "audio/", "video/", "font/", "application/pdf", "application/octet-stream")
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT_IMAGES = ("image/svg+xml",)


def scrub(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return `value` with registered secrets taken out of every text in it, however deep.

    What holds none comes back as the same object. An image or another file in base64, under the name of its
    type, keeps its length, so that it can still be opened.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        clean = {redact(key) if isinstance(key, str) else key: _entry(key, value[key]) for key in value}
        same = all(a is b for a, b in zip(clean.values(), value.values(), strict=False))
        return value if same and clean.keys() == value.keys() else clean
    if isinstance(value, list | tuple):
        items = [scrub(item) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def _entry(name: Any, value: Any) -> Any:  # noqa: ANN401
    if isinstance(name, str) and name.startswith(_BINARY) and name not in _TEXT_IMAGES:
        text = "".join(value) if isinstance(value, list) else value
        if isinstance(text, str):
            clean = _scrub_base64(text)
            return value if clean == text else clean
    return scrub(value)


def _scrub_base64(text: str) -> str:
    if not holds_secret(text):
        return text
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return redact(text)
    return base64.b64encode(scrub_bytes(raw)).decode()


def scrub_bytes(raw: bytes) -> bytes:
    """Return `raw` with stars over registered secrets, as long as before; what is compressed is not seen."""
    for codec in ("latin-1", "utf-8"):
        text = raw.decode(codec, "surrogateescape")
        parts, at = [], 0
        for start, end, _ in find(text):  # in order, and none lies in another
            begin = max(start, at)
            hidden = text[begin:end].encode(codec, "surrogateescape")
            # Zeros stay: of text in wide characters they are half.
            parts += [text[at:begin], "".join("*" if byte else "\0" for byte in hidden)]
            at = end
        raw = "".join([*parts, text[at:]]).encode(codec, "surrogateescape")
    return _with_checksums(raw) if raw.startswith(_PNG) else raw


def _with_checksums(picture: bytes) -> bytes:
    """Return a PNG whose parts have the checksums of what is in them now; readers refuse others."""
    parts, at = [_PNG], len(_PNG)
    while at + 12 <= len(picture):
        end = at + 8 + int.from_bytes(picture[at : at + 4])
        parts += [picture[at:end], zlib.crc32(picture[at + 4 : end]).to_bytes(4)]
        at = end + 4
    return b"".join([*parts, picture[at:]])
