"""Credentials: handing out, checking, masking, and the deprecated file."""

import json

import pytest

from sta410kit import config as config_module
from sta410kit._internal import redaction
from sta410kit._internal.credentials import problem_with
from sta410kit.config import APIConfig, Config
from sta410kit.exceptions import LiveTradingWarning, SecretsManagementError
from sta410kit.secrets import (
    get_alpaca_base_url,
    get_alpaca_credentials,
    learn_configured_secrets,
    load_secrets_from_file,
    mask_secret,
    validate_api_credentials,
)

pytestmark = pytest.mark.unit

KEY, SECRET = "PKQ7W3E9R5T1Y8U2I4O6", "h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q"  # pragma: allowlist secret


def config_with(key=KEY, secret=SECRET, **api):
    return Config(api=APIConfig(alpaca_api_key=key, alpaca_secret_key=secret, **api))


def test_credentials_are_handed_out_in_clear_and_registered():
    """At the point of use they are plain text, and redacted in all output from then on."""
    assert get_alpaca_credentials(config_with()) == (KEY, SECRET)
    assert redaction.redact(f"{KEY}:{SECRET}") == "***:***"


def test_credentials_of_the_process_are_used_when_no_configuration_is_given(monkeypatch):
    """Without an argument the current configuration is asked."""
    monkeypatch.setattr(config_module, "_current", config_module._Current(config_with(), None))
    assert get_alpaca_credentials() == (KEY, SECRET)
    assert get_alpaca_base_url() == "https://paper-api.alpaca.markets"


@pytest.mark.parametrize(("key", "secret"), [("", ""), (KEY, ""), ("", SECRET)])
def test_missing_credentials_name_both_variables_and_the_next_step(key, secret):
    """The error says what to set, where, and how to check it."""
    with pytest.raises(SecretsManagementError) as refused:
        get_alpaca_credentials(config_with(key, secret))
    text = str(refused.value)
    assert "ALPACA_API_KEY" in text
    assert "ALPACA_SECRET_KEY" in text
    assert "is missing" in text
    assert "cp .env.example .env" in text
    assert "sta410 doctor" in text


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is missing"),
        (None, "is a NoneType, not text"),
        ("short", "is too short (fewer than 10 characters)"),
        ("PKQ7W 3E9R5T1", "holds spaces, line breaks or control characters"),
        ("your_api_key_here", "is a placeholder"),
        ("changeme12345", "is a placeholder"),
        ("<alpaca-key-id>", "is a placeholder"),
        ("ALPACA_API_KEY", "is a placeholder"),
        ("**************", "is a placeholder"),
        ("ababababababab", "is a placeholder (a few characters repeated)"),
    ],
)
def test_what_is_no_credential(value, problem):
    """Each kind of wrong value is named, for either of the two, and the value is not shown."""
    assert problem_with(value) == problem
    with pytest.raises(SecretsManagementError) as refused:
        validate_api_credentials(value, SECRET)
    assert f"ALPACA_API_KEY {problem}." in str(refused.value)
    with pytest.raises(SecretsManagementError) as refused:
        validate_api_credentials(KEY, value)
    assert f"ALPACA_SECRET_KEY {problem}." in str(refused.value)


def test_the_same_value_twice_is_refused():
    """Key and secret are never equal; two different, long enough words pass."""
    assert validate_api_credentials(KEY, SECRET) is True
    with pytest.raises(SecretsManagementError, match="are the same value"):
        validate_api_credentials(KEY, KEY)


@pytest.mark.parametrize(
    "url", ["https://paper-api.alpaca.markets/v2", "http://localhost:9000", "http://127.0.0.1"]
)
def test_play_money_endpoints_pass_in_silence(url):
    """Paper and this machine are no danger."""
    assert get_alpaca_base_url(config_with(alpaca_base_url=url)) == url


@pytest.mark.parametrize("url", ["https://api.alpaca.markets", "https://paper-api.alpaca.markets.evil.com"])
def test_live_endpoints_are_warned_of(url):
    """Whatever is not known to be play money is treated as real."""
    with pytest.warns(LiveTradingWarning, match="a live endpoint: orders use real money"):
        assert get_alpaca_base_url(config_with(alpaca_base_url=url)) == url


@pytest.mark.parametrize(
    ("secret", "visible", "shown"),
    [
        ("PKABCDEF12345678", 4, "************5678"),
        ("12345678", 4, "****5678"),
        ("1234567", 4, "*******"),
        ("abc", 4, "***"),
        ("", 4, ""),
        ("1234567890", 0, "**********"),
        ("1234567890", -3, "**********"),
        ("1234567890", 2, "********90"),
        ("1234567890", 50, "**********"),
    ],
)
def test_masking(secret, visible, shown):
    """Stars but for the last few characters; all stars when that would show more than half."""
    assert mask_secret(secret, visible) == shown


def test_only_text_is_masked():
    """Anything else is refused without showing it."""
    with pytest.raises(SecretsManagementError, match="takes text, not int"):
        mask_secret(12345678)


def read(path):
    with pytest.warns(DeprecationWarning, match="get_alpaca_credentials"):
        return load_secrets_from_file(path)


def test_the_old_json_file_still_works(tmp_path):
    """Flat and grouped texts are read, and registered for redaction."""
    path = tmp_path / "API_KEYs.json"
    path.write_text(json.dumps({"ALPACA_API_KEY": KEY, "alpaca": {"secret_key": SECRET}}))
    assert read(str(path)) == {"ALPACA_API_KEY": KEY, "alpaca_secret_key": SECRET}
    assert redaction.redact(SECRET) == "***"


def test_a_dotenv_file_works_too(tmp_path):
    """Any other ending is read as NAME=value lines."""
    path = tmp_path / "keys.env"
    path.write_text(f"ALPACA_API_KEY='{KEY}'\n")
    assert read(path) == {"ALPACA_API_KEY": KEY}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.json", None, "there is no such file"),
        ("a.json", '{"a": "hush"', "cannot be read as JSON"),
        ("a.json", b"\xff\xff", "cannot be read as JSON"),
        ("a.json", "[" * 100_000, "cannot be read as JSON"),
        ("a.json", '["hush"]', "cannot be read as JSON"),
        ("a.json", '{"a": 12345678}', "cannot be read as JSON"),
        ("a.json", '{"a": {"b": ["hush"]}}', "cannot be read as JSON"),
        ("a.json", "{}", "holds no secret"),
        ("a.env", "hush\n", "line 1: not of the form NAME=value"),
        ("a.env", "", "holds no secret"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, name, content, complaint):
    """The refusal names the file and quotes nothing from it."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with (
        pytest.warns(DeprecationWarning, match="deprecated"),
        pytest.raises(SecretsManagementError, match=complaint) as refused,
    ):
        load_secrets_from_file(path)
    assert "hush" not in str(refused.value).replace(str(path), "")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Make a project whose secrets are in its .env and in a file, and go to another folder."""
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "project" / "notebooks" / "pipeline.toml").touch()
    (tmp_path / "project" / "secret").write_text(SECRET)
    text = f"ALPACA_API_KEY={KEY}\nALPACA_SECRET_KEY_FILE=secret\n"
    (tmp_path / "project" / ".env").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "project"


def test_a_projects_secrets_are_learnt_without_handing_them_out(project):
    """From its .env and its secret files, from any folder in it; nothing is returned."""
    assert learn_configured_secrets(project / "notebooks") is None
    assert redaction.redact(f"{KEY}:{SECRET}") == "***:***"
    learn_configured_secrets(project)  # once more changes nothing
    assert redaction.redact(f"{KEY}:{SECRET}") == "***:***"


def test_secrets_of_the_environment_are_learnt_beside_wrong_settings(project, monkeypatch):
    """A broken .env must not stop the process that writes outputs, nor let a secret through."""
    (project / ".env").write_text("no assignment\n")
    monkeypatch.setenv("ALPACA_API_KEY", KEY)
    learn_configured_secrets(project)
    assert redaction.redact(f"{KEY}:{SECRET}") == f"***:{SECRET}"
