"""Known secrets and keys given as parameters are refused; what only looks long or random is not."""

import pytest

from sta410kit._internal.redaction import register
from sta410kit.exceptions import SecretFoundError
from sta410kit.runner.secret_parameters import refuse_secret_parameters

pytestmark = pytest.mark.unit

REGISTERED = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _one_secret():
    register(REGISTERED)


@pytest.mark.parametrize(
    "value",
    [
        REGISTERED,
        f"https://x.org/?k={REGISTERED}",
        "aHVudGVyMi1odW50ZXIy",
        ["AAPL", REGISTERED],
        {"headers": {"key": REGISTERED}},
        {REGISTERED: 1},
    ],
)
def test_a_registered_secret_is_refused(value):
    """In every form and at any depth; the message holds nothing of it, and names the way out."""
    with pytest.raises(SecretFoundError) as refused:
        refuse_secret_parameters({"start": "2012-01-01", "note": value})
    text = str(refused.value)
    assert text.startswith("The parameter 'note' was given a secret (registered secret).")
    assert "hunter2" not in text
    assert "sta410kit.secrets" in text
    assert refused.value.exit_code == 6


@pytest.mark.parametrize(
    ("value", "detector"),
    [
        ("PKQ7W3E9R5T1Y8U2I4O6", "Alpaca Key ID"),  # pragma: allowlist secret
        ("ghp_1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R", "GitHub Token"),  # pragma: allowlist secret
        ("https://ann:s3cr3tpass@db.example.org/x", "Basic Auth Credentials"),  # pragma: allowlist secret
    ],
)
def test_a_value_in_the_format_of_a_well_known_key_is_refused(value, detector):
    """Masked but for its end, so that one can see which key it was."""
    with pytest.raises(SecretFoundError) as refused:
        refuse_secret_parameters({"x": value})
    assert f"({detector}, ***" in str(refused.value)
    assert value not in str(refused.value)
    assert value[:10] not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "AAPL,MSFT,GOOG,IBM,FB",
        "AAPLMSFTGOOGIBMFBAMZN",
        ["AAPL", "MSFT"],
        "2012-01-01T00:00:00+00:00",
        "AdjClose20DayMomentum",
        "h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q",  # pragma: allowlist secret
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "123e4567-e89b-12d3-a456-426614174000",
        "/data/ann/Projects/Stock2Forecast/Data2012/prices",
        "C:\\Users\\Ann\\Documents\\Prices2012\\prices.csv",
        "https://example.org/Data/Prices2012/AAPL_daily_v2.csv?from=2012",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "a sentence of many words, with Numbers 1 and 2 in it",
        "${ALPACA_SECRET_KEY}",
        3.141592653589793,
        None,
        True,
    ],
)
def test_ordinary_parameters_pass(value):
    """Symbols, dates, digests, paths, addresses, names of columns; what looks random is no evidence."""
    refuse_secret_parameters({"column": value, "token": value, "key_rate": value})
