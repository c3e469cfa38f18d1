"""What looks like a secret in a line of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.guards.secret_detectors import suspects

pytestmark = pytest.mark.unit

RANDOM = "h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q"  # pragma: allowlist secret


@pytest.mark.parametrize(
    ("line", "detector"),
    [
        (f'x = "{RANDOM}"', "Base64 High Entropy String"),
        (f"TOKEN={RANDOM}", "Base64 High Entropy String"),
        (f"  key: {RANDOM}  ", "Base64 High Entropy String"),
        ('"digest": "3f7a9c1e5b8d2046f1a3"', "Hex High Entropy String"),  # pragma: allowlist secret
        ("password = 'tr0ub4dor&3'", "Secret Keyword"),  # pragma: allowlist secret
        ('{"api_key": "q8d1234efgh"}', "Secret Keyword"),  # pragma: allowlist secret
        ("log: AKIAQ3EGZ7LWKPXN5TRV used", "AWS Access Key"),  # pragma: allowlist secret
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "Private Key"),  # pragma: allowlist secret
        ("url: postgres://ann:pa55word@host/db", "Basic Auth Credentials"),  # pragma: allowlist secret
        ("X=PKQ7W3E9R5T1Y8U2I4O6", "Alpaca Key ID"),  # pragma: allowlist secret
        (f"got npm_{RANDOM[:36]} from", "NPM token"),
        (f"got hf_{RANDOM[:34]} from", "Hugging Face Token"),
        ("AIzaSyB7x3Kq9LmW2vNc5Rt8Yp4Hd6Gf1Js0ZaE", "Google API Key"),  # pragma: allowlist secret
    ],
)
def test_secrets_are_named_for_what_they_look_like(line, detector):
    """Quoted, assigned, or of a known format anywhere."""
    assert [one.detector for one in suspects(line)] == [detector]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "numpy==2.1 --hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        '"prices.parquet": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
        '"commit": "2d960992d960992d960992d960992d960992d961"',
        '"id": "123e4567-e89b-12d3-a456-426614174000"',
        'password = os.environ["ALPACA_SECRET_KEY"]',
        'secret_key = "your-secret-key-here"',
        'api_key = "${ALPACA_API_KEY}"',
        "def get_alpaca_credentials(config: Config | None = None) -> tuple[str, str]:",
        'path = "share/jupyter/kernels/sta410/kernel.json"',
        '"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"',
        "see https://docs.example.org/en/latest/configuration.html#settings",
        "PKXXXXXXXXXXXXXXXXXX",
        "postgresql://user:password@localhost/db",
        f'"integrity": "sha512-{RANDOM * 2}AbCdEf=="',
        f'"bdata": "{RANDOM * 6}"',
    ],
)
def test_ordinary_lines_are_left_alone(line):
    """Digests, identifiers, code, placeholders and addresses."""
    assert suspects(line) == []


def test_one_value_is_reported_once():
    """Several detectors agree on it."""
    (one,) = suspects(f'aws_secret_key = "{RANDOM}"')
    assert one.value == RANDOM


@pytest.mark.parametrize("before", [0, 8150, 8192, 30_000])
def test_a_secret_deep_in_a_long_line_is_found(before):
    """Minified files have lines of megabytes."""
    assert [one.value for one in suspects(f'{"a " * (before // 2)}"{RANDOM}"{" b" * 10_000}')] == [RANDOM]


@given(st.text(max_size=200))
def test_any_line_is_taken(line):
    """Whatever characters it holds; each value found is part of it."""
    assert all(one.value in line for one in suspects(line))


def test_a_digest_is_a_secret_only_by_its_name():
    """Of a file called secrets it is a digest; a key of 64 digits that is called so is a key."""
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for name in ("secrets.json", "sta410kit._internal.credentials"):
        assert suspects(f'"module {name}": "{digest}"') == []
    assert [one.detector for one in suspects(f'secret_key = "{digest}"')] == ["Secret Keyword"]


def test_the_folder_of_a_run_is_no_secret():
    """Each notebook of the run names it; a path with another end is as suspect as any text like it."""
    runs = "/srv/Research-2026/stock_predictions/Quarter4/runs"
    for folder in ("20261130-060605-1575c", "20261130-060605-1575c/units/0012"):
        assert suspects(f"run_dir = '{runs}/{folder}'") == []
    assert [one.value for one in suspects(f"run_dir = '{runs}/xK9mQ2vL'")] == [f"{runs}/xK9mQ2vL"]
