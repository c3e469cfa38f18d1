"""Secrets given as parameters are refused; what only looks long is not."""

import pytest

from sta410kit._internal import redaction
from sta410kit._internal.redaction import register
from sta410kit.exceptions import SecretFoundError
from sta410kit.runner.secret_parameters import refuse_secret_parameters, secret_parameters

pytestmark = pytest.mark.unit

REGISTERED = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _one_secret(monkeypatch):
    monkeypatch.setattr(redaction, "_values", frozenset())
    monkeypatch.setattr(redaction, "_pattern", None)
    register(REGISTERED)


@pytest.mark.parametrize(
    "value",
    [
        REGISTERED,
        f"https://x.org/?k={REGISTERED}",
        "aHVudGVyMi1odW50ZXIy",
        "68756e746572322d68756e74657232",
        ["AAPL", REGISTERED],
        {"headers": {"key": REGISTERED}},
        {REGISTERED: 1},
    ],
)
def test_a_registered_secret_is_refused_wherever_it_is(value):
    """In every notation and at any depth; the words hold nothing of it, and name the way out."""
    with pytest.raises(SecretFoundError) as refused:
        refuse_secret_parameters({"start": "2012-01-01", "note": value})
    text = str(refused.value)
    assert text.startswith(
        "The parameter 'note' was given a secret (registered secret). Parameters are written"
    )
    assert "hunter2" not in text
    assert "sta410kit.secrets" in text
    assert refused.value.exit_code == 6


@pytest.mark.parametrize(
    ("value", "detector"),
    [
        ("AKIAQ3EGZ7LWKPXN5TRV", "AWS Access Key"),  # pragma: allowlist secret
        ("PKQ7W3E9R5T1Y8U2I4O6", "Alpaca Key ID"),  # pragma: allowlist secret
        ("ghp_1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R", "GitHub Token"),  # pragma: allowlist secret
        ("xoxb-2345678901-2345678901-abcDEF123ghi", "Slack Token"),  # pragma: allowlist secret
        ("https://ann:s3cr3tpass@db.example.org/x", "Basic Auth Credentials"),  # pragma: allowlist secret
        ("-----BEGIN RSA PRIVATE KEY-----", "Private Key"),  # pragma: allowlist secret
        ("h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q", "looks random"),  # pragma: allowlist secret
        ("q7Zt-Kp2_xW9vLm4RbN8", "looks random"),  # pragma: allowlist secret
    ],
)
def test_what_has_the_shape_of_a_key_is_refused(value, detector):
    """Masked but for its end, so that it can be told which one it was."""
    (told,) = secret_parameters({"x": value})
    assert f"({detector}, ***" in told
    assert value not in told
    assert value[:10] not in told


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "api_key",
        "db_password",
        "ALPACA_SECRET_KEY",
        "auth_token",
        "secret",
        "token",
        "session_token",
        "pwd",
        "password2",
    ],
)
def test_a_name_tells(name):
    """Whatever such a parameter is given, unless it is nothing, a number or a path."""
    (told,) = secret_parameters({name: "tr0ub4dor"})
    assert told == f"the parameter '{name}' was given a secret (its name tells)"
    harmless = ("", "None", "12", "0.5", 7, None, True, "/run/secrets/key", "./key.txt", "short")
    assert secret_parameters({f"{name}": value for value in harmless}) == []
    for value in harmless:
        assert secret_parameters({name: value}) == []


@pytest.mark.parametrize(
    "value",
    [
        "AAPL,MSFT,GOOG,IBM,FB",
        "AAPLMSFTGOOGIBMFBAMZN",
        ["AAPL", "MSFT"],
        "2012-01-01",
        "2012-01-01T00:00:00+00:00",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "123e4567-e89b-12d3-a456-426614174000",
        "runs/20261124-112031-ab12/prices.parquet",
        "/data/ann/Projects/Stock2Forecast/Data2012/prices",
        "C:\\Users\\Ann\\Documents\\Prices2012\\prices.csv",
        "https://example.org/Data/Prices2012/AAPL_daily_v2.csv?from=2012",
        "gradient_boosting_with_Early_Stopping_v2",
        "HistGradientBoostingRegressor2Layers",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "0123456789012345678901234567890123456789",
        "a sentence of many words, with Numbers 1 and 2 in it",
        "${ALPACA_SECRET_KEY}",
        3.141592653589793,
        None,
        True,
    ],
)
def test_ordinary_parameters_pass(value):
    """Symbols, dates, digests, paths, addresses, names of models, sentences."""
    refuse_secret_parameters({"x": value, "tokens": value, "key_rate": value, "keyword": value})


def test_a_path_on_this_machine_passes_whatever_its_folders_are_called(tmp_path):
    """Temporary folders look drawn at random, and are."""
    name = "aB3dE5fG7hJ9kL1mN2pQ4rS6"  # pragma: allowlist secret
    folder = tmp_path / name
    folder.mkdir()
    refuse_secret_parameters({"path": str(folder / "prices"), "password_file": str(folder / "x")})
    assert secret_parameters({"x": f"/{'a/' * 5000}{name * 20}"}) == []
