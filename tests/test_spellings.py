"""How a secret is found in other notations."""

import random
import string
from pathlib import Path
from runpy import run_path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sta410kit import redaction
from sta410kit.redaction import find, redact, register
from sta410kit.spellings import spellings, squeeze, squeezed

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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None)
@given(st.text(max_size=300))
def test_text_without_a_secret_is_unchanged(text):
    """Nothing is scrubbed by chance."""
    redaction._values, redaction._pattern = frozenset(), None
    register(KEYS["an AWS-like secret"])
    assert redact(text) == text


def test_parts_of_a_secret_are_left():
    """Less than the whole is not the secret: the kit shows last characters itself."""
    key = KEYS["letters and digits"]
    register(key)
    assert redact(key[:-1]) == key[:-1]
    assert redact(f"****{key[-4:]}") == f"****{key[-4:]}"


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
    assert len(at_once) > len(FORMS) * len(KEYS)
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
        b"31mabspancspan",
        b"abspancspan",
        b"abc",
    ]
    assert squeezed("<A>") == [b"a"]


def test_every_needle_says_something():
    """None is so short that it stands in every text."""
    for value in (*KEYS.values(), "000000", "!!!!!!", "a.b.c.d.e"):
        assert all(len(needle) >= 6 for one in spellings(value) for needle in one.needles)
