"""Secrets in nested values and in bytes."""

import base64
import io

import pytest

from sta410kit._internal.redaction import register
from sta410kit._internal.scrub import scrub, scrub_bytes

pytestmark = pytest.mark.unit

KEY = "PKQ7W3E9R5T1Y8U2I4O6"  # pragma: allowlist secret


@pytest.fixture(autouse=True)
def _one_secret():
    register(KEY)  # every test begins without any, see conftest.py


def test_texts_are_found_however_deep():
    """In values and keys of dictionaries, in lists and tuples; numbers and the rest stay as they are."""
    given = {"a": [1, None, {f"x{KEY}": ("b", KEY.lower())}], 2: True}
    assert scrub(given) == {"a": [1, None, {"x***": ["b", "***"]}], 2: True}


@pytest.mark.parametrize(
    "clean", [{"a": [1, {"b": "c"}], 3: ("d",)}, [], "text", 1.5, None, {"image/png": "eA=="}]
)
def test_what_holds_no_secret_is_the_same_object(clean):
    """Nothing is copied without need, so that a caller sees whether something was found."""
    assert scrub(clean) is clean


def png_with(text):
    """Return a small picture whose metadata holds a text."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib.figure import Figure

    file = io.BytesIO()
    Figure((1, 1)).savefig(file, metadata={"Author": text})
    return file.getvalue()


@pytest.mark.parametrize("as_list", [False, True])
def test_a_picture_keeps_its_length_and_can_be_opened(as_list):
    """Only the secret in its metadata is starred over."""
    from matplotlib.image import imread

    picture = png_with(f"made by {KEY}!")
    text = base64.b64encode(picture).decode()
    clean = scrub({"image/png": [text[:10], text[10:]] if as_list else text, "text/plain": KEY})
    raw = base64.b64decode(clean["image/png"])
    assert clean["text/plain"] == "***"
    assert KEY.encode() not in raw
    assert b"made by ********************!" in raw
    assert len(raw) == len(picture)
    assert imread(io.BytesIO(raw)).shape == imread(io.BytesIO(picture)).shape


@pytest.mark.parametrize("text", [f"no base64: {KEY}", f"{KEY}x"])
def test_what_is_no_base64_after_all_is_redacted_as_text(text):
    """The name of a type is no proof."""
    assert KEY not in scrub({"image/png": text})["image/png"]
    assert scrub({"image/png": 7}) == {"image/png": 7}


def test_svg_is_text():
    """It is XML under the name of an image."""
    assert scrub({"image/svg+xml": f"<text>{KEY}</text>"}) == {"image/svg+xml": "<text>***</text>"}


def test_overlapping_finds_in_bytes_keep_the_length():
    """Two values that share bytes, and one beyond ASCII."""
    register("4O6-next-secret")
    register(KEY[2:12])
    register("geheimniß")
    given = b"\xff<" + KEY.encode() + b"-next-secret> \x00geheimni\xc3\x9f"
    assert scrub_bytes(given) == b"\xff<********************************> \x00**********"
    assert scrub_bytes(b"\xff\x00clean") == b"\xff\x00clean"
