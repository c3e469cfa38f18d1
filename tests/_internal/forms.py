"""A secret in every notation that a notebook, a log or a tool may write it in, by name."""

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode


def _hexed(text, before):
    return "".join(f"{before}{byte:02x}" for byte in text.encode())


def _percent(text):
    return _hexed(text, "%")


FORMS = {
    "plain": lambda s: s,
    "upper case": str.upper,
    "lower case": str.lower,
    "backwards": lambda s: s[::-1],
    "quoted": lambda s: quote(s, safe=""),
    "quoted, lower-case hex": lambda s: quote(s, safe="").lower(),
    "quoted plus": quote_plus,
    "quoted twice": lambda s: quote(quote(s, safe=""), safe=""),
    "in a query": lambda s: urlencode({"key": s, "page": 1}),
    "every character quoted": _percent,
    "every character quoted, upper case": lambda s: _percent(s).upper(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 without padding": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64, one byte before": lambda s: base64.b64encode(b"x" + s.encode() + b"y").decode(),
    "base64, two bytes before": lambda s: base64.b64encode(b"xy" + s.encode() + b"z").decode(),
    "basic authorisation": lambda s: "Basic " + base64.b64encode(f"user:{s}".encode()).decode(),
    "base64, wrapped": lambda s: base64.encodebytes(f"a longer text with {s} in it".encode()).decode(),
    "base64 of JSON": lambda s: base64.b64encode(json.dumps({"k": s}).encode()).decode(),
    "base64 of base64": lambda s: base64.b64encode(base64.b64encode(s.encode())).decode(),
    "base64 in base64": lambda s: base64.b64encode(
        json.dumps({"auth": base64.b64encode(f"user:{s}".encode()).decode()}).encode()
    ).decode(),
    "base64 of UTF-16": lambda s: base64.b64encode(s.encode("utf-16-le")).decode(),
    "base64 in a query": lambda s: quote(base64.b64encode(f"key:{s}".encode()).decode(), safe=""),
    "hexadecimal": lambda s: s.encode().hex(),
    "hexadecimal, upper case": lambda s: s.encode().hex().upper(),
    "hexadecimal with colons": lambda s: s.encode().hex(":"),
    "hexadecimal with spaces": lambda s: s.encode().hex(" "),
    "C array": lambda s: ", ".join(f"0x{byte:02x}" for byte in s.encode()),
    "list of bytes": lambda s: str(list(s.encode())),
    "base32": lambda s: base64.b32encode(s.encode()).decode(),
    "base85": lambda s: base64.b85encode(s.encode()).decode(),
    "Ascii85": lambda s: base64.a85encode(s.encode()).decode(),
    "JSON": lambda s: json.dumps({"key": s}),
    "JSON in JSON": lambda s: json.dumps(json.dumps({"key": s})),
    "JSON with slashes escaped": lambda s: json.dumps(s).replace("/", "\\/"),
    "JSON in a query": lambda s: urlencode({"q": json.dumps({"key": s})}),
    "JSON in HTML": lambda s: html.escape(json.dumps({"key": s})),
    "CSV": lambda s: '"' + s.replace('"', '""') + '"',
    "SQL": lambda s: "'" + s.replace("'", "''") + "'",
    "repr": lambda s: repr([s]),
    "repr of bytes": lambda s: repr(s.encode()),
    "Python escapes": lambda s: _hexed(s, "\\x"),
    "Unicode escapes": lambda s: "".join(f"\\u{ord(character):04x}" for character in s),
    "octal escapes": lambda s: "".join(f"\\{byte:03o}" for byte in s.encode()),
    "HTML": lambda s: html.escape(f"<{s}>"),
    "HTML, decimal": lambda s: "".join(f"&#{ord(character)};" for character in s),
    "HTML, hexadecimal": lambda s: "".join(f"&#x{ord(character):x};" for character in s),
    "HTML twice": lambda s: html.escape("".join(f"&#{ord(character)};" for character in s)),
    "coloured in the middle": lambda s: f"{s[:7]}\x1b[0;31m{s[7:15]}\x1b[0m{s[15:]}",
    "highlighted as HTML": lambda s: f"{s[:9]}</span><span class='ansi-red-fg'>{s[9:]}",
    "broken over lines": lambda s: f"{s[:10]}\n    {s[10:]}",
    "in a box": lambda s: f"│ {s[:12]} │\n│ {s[12:]} │",
    "a string continued": lambda s: f'"{s[:8]}"\n    "{s[8:]}"',
    "list of characters": lambda s: repr(list(s)),
    "spaced out": " ".join,
}  # fmt: skip
