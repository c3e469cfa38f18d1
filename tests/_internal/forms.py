"""A secret in each form that the kit claims to redact, by name."""

import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

FORMS = {
    "plain": lambda s: s,
    "JSON": lambda s: json.dumps({"key": s}),
    "JSON in JSON": lambda s: json.dumps(json.dumps({"key": s})),
    "JSON with slashes escaped": lambda s: json.dumps(s).replace("/", "\\/"),
    "repr": lambda s: repr([s]),
    "repr of bytes": lambda s: repr(s.encode()),
    "URL": lambda s: quote(s, safe=""),
    "URL, lower-case hex": lambda s: "".join(one if one.isalnum() else f"%{ord(one):02x}" for one in s),
    "URL twice": lambda s: quote(quote(s, safe=""), safe=""),
    "query": lambda s: urlencode({"key": s, "page": 1}),
    "form": quote_plus,
    "JSON in a query": lambda s: urlencode({"q": json.dumps({"key": s})}),
    "HTML": lambda s: html.escape(f"<{s}>"),
    "JSON in HTML": lambda s: html.escape(json.dumps({"key": s})),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 without padding": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64, one byte before": lambda s: base64.b64encode(b"x" + s.encode() + b"y").decode(),
    "base64, two bytes before": lambda s: base64.b64encode(b"xy" + s.encode() + b"z").decode(),
    "basic authorisation": lambda s: "Basic " + base64.b64encode(f"user:{s}".encode()).decode(),
    "base64, wrapped": lambda s: base64.encodebytes(f"a longer text with {s} in it".encode()).decode(),
    "base64 in a query": lambda s: quote(base64.b64encode(f"key:{s}".encode()).decode(), safe=""),
    "coloured in a traceback": lambda s: f"{s[:7]}\x1b[0;31m{s[7:15]}\x1b[0m{s[15:]}",
    "broken over lines": lambda s: f"{s[:10]}\n    {s[10:]}",
    "in a box": lambda s: f"| {s[:12]}\n| {s[12:]}",
}
