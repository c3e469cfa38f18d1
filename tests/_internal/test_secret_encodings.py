"""How a secret is found in other notations."""

import base64
import codecs
import json
import random
import re
import string
from pathlib import Path
from runpy import run_path
from urllib.parse import quote

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sta410kit._internal import redaction
from sta410kit._internal.redaction import find, redact, register
from sta410kit._internal.secret_encodings import spellings, squeeze, squeezed

pytestmark = pytest.mark.unit

FORMS = run_path(str(Path(__file__).with_name("forms.py")))["FORMS"]
KEYS = {
    "an AWS-like secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYz9Qz2KEYab",  # pragma: allowlist secret
    "letters and digits": "PKQ7W3E9R5T1Y8U2I4O6",  # pragma: allowlist secret
    "a pass phrase": "pä\"ss <w\\or&d> it's/mine+yes",
}


@pytest.fixture(autouse=True)
def _own_register(monkeypatch):
    monkeypatch.setattr(redaction, "_values", frozenset())
    monkeypatch.setattr(redaction, "_pattern", None)


def remains(secret, text):
    """Whether some way to read `text` gives the secret, or much of it in one piece."""
    size = len(secret) * 2 // 3
    return any(secret[at : at + size].lower() in text.lower() for at in range(len(secret) - size + 1))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_survives(form, key):
    """The form itself and what it stands for are gone, whatever stands around."""
    register(key)
    written = FORMS[form](key)
    for before, after in (("", ""), ("key=", "&x"), ('"', '"'), ("\\", "\\n"), ("<", ">"), ("\n", "\n")):
        clean = redact(f"{before}{written}{after}")
        assert "***" in clean
        assert written not in clean
        assert not remains(key, clean)


@given(
    st.text(alphabet=string.ascii_letters + string.digits + "+/=_-.", min_size=12, max_size=60),
    st.sampled_from(sorted(FORMS)),
    st.text(alphabet="ab1 /+\\\"'<>&%\n", max_size=6),
    st.text(alphabet="ab1 /+\\\"'<>&%\n", max_size=6),
)
@example("000000000000", "base64, two bytes before", "", "")
@example("n............", "plain", "\\", "")
def test_no_form_of_any_key_survives(key, form, before, after):
    """Whatever the key is made of and whatever stands around it."""
    redaction._values, redaction._pattern = frozenset(), None
    register(key)
    # Spread out, only letters and digits are looked for, and at least twelve of them.
    assume(form not in {"list of characters", "spaced out"} or key.isalnum())
    written = FORMS[form](key.strip())
    assert written not in redact(f"{before}{written}{after}")


@given(st.text(max_size=300))
def test_text_without_a_secret_is_unchanged(text):
    """Nothing is scrubbed by chance."""
    redaction._values, redaction._pattern = frozenset(), None
    register(KEYS["an AWS-like secret"])
    assert redact(text) == text


def _pieces(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


WRITTEN = {
    "in groups": lambda s: "-".join(_pieces(s, 4)),
    "put together": lambda s: " + ".join(repr(piece) for piece in _pieces(s, 6)),
    "a list of pieces": lambda s: json.dumps(_pieces(s, 3), indent=1),
    "over comments": lambda s: "\n".join(f"# {piece}" for piece in _pieces(s, 6)),
    "with a moving cursor": lambda s: "\x1b[K".join(_pieces(s, 3)),
    "with invisible characters by name": "&#8203;".join,
    "UTF-16 as bytes": lambda s: repr(s.encode("utf-16")),
    "UTF-16 in hexadecimal": lambda s: s.encode("utf-16-be").hex(),
    "base32, three bytes before": lambda s: base64.b32encode(f"xyz{s}!".encode()).decode(),
    "base85, two bytes before": lambda s: base64.b85encode(f"xy{s}z".encode()).decode(),
    "rotated": lambda s: codecs.encode(s, "rot13"),
    "braced escapes": lambda s: "".join(f"\\u{{{ord(letter):x}}}" for letter in s),
    "base64 of hexadecimal": lambda s: base64.b64encode(s.encode().hex().encode()).decode(),
    "base64 in a query, quoted twice": lambda s: quote(quote(base64.b64encode(s.encode()).decode())),
    "a character a line, counted": lambda s: "\n".join(f"{at}    {letter}" for at, letter in enumerate(s)),
    "a byte a line, counted": lambda s: "\n".join(f"{at}    {byte}" for at, byte in enumerate(s.encode())),
    "a character a row of a table": lambda s: pd.DataFrame({"c": list(s)}).to_html(),
}  # fmt: skip


@pytest.mark.parametrize("value", [KEYS["letters and digits"], KEYS["an AWS-like secret"]])
@pytest.mark.parametrize("form", WRITTEN)
def test_a_key_is_found_however_it_is_taken_apart(form, value):
    """By tables, terminals and programs; nothing of it is left but the last bytes of an odd group."""
    register(value)
    clean = redact(f"before {WRITTEN[form](value)} after")
    assert "***" in clean
    assert len(re.sub(r"<[^<>]*>|[^0-9A-Za-z]", "", clean)) < len("beforeafter") + 12


def test_what_is_cut_off_is_scrubbed_from_a_third_on():
    """As tables shorten a key and typing builds it up; the last characters, which the kit shows, are left."""
    key = KEYS["letters and digits"]
    register(key)
    for part in (key[:-1], key[1:], key[:8], key[-8:], key[:12].lower()):
        assert redact(f"<{part}...>") == "<***...>"
    for harmless in (key[:7], f"****{key[-4:]}", key[4:16]):
        assert redact(harmless) == harmless


@pytest.mark.parametrize("value", ["correct horse battery staple", "https://api.example/v2", "123456789012"])
def test_words_and_numbers_are_not_looked_for_in_part(value):
    """An address or a phrase begins as others do."""
    register(value)
    for part in (value[:-1], value[1:]):
        assert redact(part) == part


def test_short_secrets_are_found_exactly_only():
    """Six digits spread over a table of numbers are no secret."""
    register("123456")
    for harmless in ("12 34 56", "12\n3456", "1,2,3,4,5,6", "654 321"):
        assert redact(harmless) == harmless
    assert redact("x123456y") == "x***y"


def test_a_secret_of_several_lines_is_found_line_by_line():
    """A private key shown in part is scrubbed as well; its last, short line too."""
    body = [
        "MIIEvQIBADANBgkqhkiG9w0BAQ",
        "EFAASCBKcwggSjAgEAAoIBAQC7",
        "Q==short",
    ]  # pragma: allowlist secret
    lines = ["-----BEGIN PRIVATE KEY-----", *body]  # pragma: allowlist secret
    register("\n".join(lines))
    assert redact(f"> {lines[1]} <") == "> *** <"
    assert redact("\n".join(lines)) == "***"
    assert redact("  ".join(lines)) == "***  ***  ***  ***"


def test_a_very_long_secret_is_found_piece_by_piece():
    """A token of a thousand characters leaves nothing, however it is wrapped."""
    token = "".join(random.Random(1).choices(string.ascii_letters + string.digits + "_-", k=1000))  # noqa: S311
    register(token)
    assert set(redact(f"Bearer {token}")) <= set("Bear *")
    assert not remains(token[320:448], redact(token[256:512]))


def test_overlapping_secrets_leave_nothing_between_them():
    """Where two secrets share characters, both go."""
    register("abcdefghijkl")
    register("ghijklmnopqr")
    assert redact("<abcdefghijklmnopqr>") == "<***>"


def test_the_search_for_many_needles_at_once_finds_what_the_simple_one_finds(monkeypatch):
    """A long text is searched another way; it finds the same."""
    generator = random.Random(7)  # noqa: S311
    words = ["".join(generator.choices(string.ascii_letters, k=7)) for _ in range(4000)]
    for key in KEYS.values():
        register(key)
        for form in FORMS.values():
            words.insert(generator.randrange(len(words)), form(key))
    text = " ".join(words)
    monkeypatch.setattr(redaction, "_WORTH_NUMPY", 0)
    at_once = find(text)
    monkeypatch.setattr(redaction, "_WORTH_NUMPY", float("inf"))
    assert len(at_once) >= len(FORMS) * len(KEYS)
    assert find(text) == at_once


def test_a_text_of_several_megabytes_is_searched_to_its_end(monkeypatch):
    """It is looked at in blocks, and a secret may stand in any of them."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    register(secret)
    monkeypatch.setattr(redaction, "_WORTH_NUMPY", 0)
    filling = "harmless words " * 100_000
    assert redact(filling + secret) == f"{filling}***"


def test_a_long_clean_text_is_remembered_until_another_secret_is_known():
    """What held nothing is not searched again, but it is for a new secret."""
    text = f"{'harmless words ' * 200} PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret
    register("something else altogether")
    assert redact(text) == text
    assert redact(text) == text
    register(KEYS["letters and digits"])
    assert redact(text).endswith("words  ***")


def test_bytes_that_are_no_utf_8_are_spelled_as_they_are():
    """A variable of the process may hold any bytes; in base64 they are those bytes."""
    register("abcd\udce4efgh")
    assert redact("YWJjZORlZmdo") == "***"
    register("half \ud800 a pair")
    assert redact("<half \ud800 a pair>") == "<***>"


def test_squeezing():
    """Letters and digits in lower case; then without escaped line ends, colours and markup."""
    assert squeeze("A-b C\n1é") == b"abc1"
    assert squeezed("A-b") == [b"ab"]
    assert squeezed("\x1b[31mA\\nb<span>c</span>") == [
        b"31manbspancspan",
        b"abspancspan",
        b"abc",
    ]
    assert squeezed("<A>") == [b"a", b""]


def test_every_needle_says_something():
    """None is so short that it stands in every text."""
    for value in (*KEYS.values(), "000000", "!!!!!!", "a.b.c.d.e"):
        assert all(len(needle) >= 6 for one in spellings(value) for needle in one.needles)
