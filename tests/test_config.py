"""The configuration: defaults, precedence, refusals, secrets, and the table that documents it."""

import copy
import json
import pickle
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit import config as config_module
from sta410kit._internal import redaction
from sta410kit._internal.secret_type import Secret
from sta410kit.config import (
    APIConfig,
    Config,
    DataConfig,
    LoggingConfig,
    ModelConfig,
    TradingConfig,
    all_settings,
    get_config,
    load_config,
    set_config,
    settings_in_use,
)
from sta410kit.exceptions import ConfigurationError, SecretsManagementError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[1]
KEY, SECRET = "PKQ7W3E9R5T1Y8U2I4O6", "h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q"  # pragma: allowlist secret
MAIL = "mailto://me:pass-4711@example.org?to=a@x.org,b@x.org"  # pragma: allowlist secret
CHANNELS = f"{MAIL}, json://127.0.0.1/T0k3nT0k3n"
LIVE = {
    "PAPER_TRADING": "false",
    "LIVE_TRADING_ACKNOWLEDGED": "true",
    "ENVIRONMENT": "production",
    "ALPACA_API_KEY": KEY,
    "ALPACA_SECRET_KEY": SECRET,
}

# The promise, written out: variable, a text for it, the field it sets, the value there, the default.
PROMISE = [
    ("ENVIRONMENT", "testing", "environment", "testing", "development"),
    ("LOG_LEVEL", "debug", "logging.level", "DEBUG", "INFO"),
    ("LOG_DIR", "elsewhere", "logging.log_dir", "elsewhere", "logs"),
    ("LOG_MAX_SIZE", "2048", "logging.max_file_size", 2048, 10485760),
    ("LOG_BACKUP_COUNT", "0", "logging.backup_count", 0, 10),
    ("LOG_JSON", "on", "logging.json_lines", True, False),
    ("DATA_CACHE_DIR", "d", "data.cache_dir", "d", "data_cache"),
    ("MODEL_CACHE_DIR", "m", "data.model_cache_dir", "m", "model_cache"),
    ("CACHE_TTL_HOURS", "0.5", "data.cache_ttl_hours", 0.5, 24),
    ("VALIDATE_DATA", "yes", "data.validate_on_load", True, True),
    ("TRAIN_TEST_SPLIT", "0.7", "model.train_test_split", 0.7, 0.8),
    ("HOLDOUT_START", " 2012-01-31", "model.holdout_start", date(2012, 1, 31), None),
    ("RANDOM_SEED", "4294967295", "model.random_seed", 4294967295, 42),
    ("GD_LR", "0.1", "model.gd_learning_rate", 0.1, 0.05),
    ("GD_ITERATIONS", "1", "model.gd_iterations", 1, 1000),
    ("GD_MOMENTUM", "0", "model.gd_momentum", 0.0, 0.9),
    ("GD_L2_REG", "0", "model.gd_l2_reg", 0.0, 0.01),
    ("GD_L1_RATIO", "1", "model.gd_l1_ratio", 1.0, 0.01),
    ("MAX_PORTFOLIO_RISK", "0.06", "trading.max_portfolio_risk", 0.06, 0.05),
    ("PER_TRADE_RISK", "0.01", "trading.per_trade_risk", 0.01, 0.025),
    ("STOP_LOSS_PCT", "1", "trading.stop_loss_pct", 1.0, 0.03),
    ("TAKE_PROFIT_PCT", "0.01", "trading.take_profit_pct", 0.01, 0.003),
    ("MAX_SECTOR_EXPOSURE", "0.5", "trading.max_sector_exposure", 0.5, 0.4),
    ("DAILY_LOSS_LIMIT", "-1", "trading.daily_loss_limit", -1.0, -0.03),
    ("SLIPPAGE_BPS", "12.5", "trading.simulated_slippage", 0.00125, 0.0005),
    ("PAPER_TRADING", "YES", "trading.paper_trading", True, True),
    ("LIVE_TRADING_ACKNOWLEDGED", "1", "trading.live_trading_acknowledged", True, False),
    ("ALPACA_API_KEY", KEY, "api.alpaca_api_key", Secret(KEY), Secret("")),
    ("ALPACA_SECRET_KEY", SECRET, "api.alpaca_secret_key", Secret(SECRET), Secret("")),
    (
        "ALPACA_BASE_URL",
        "http://localhost:8080/",
        "api.alpaca_base_url",
        "http://localhost:8080",
        "https://paper-api.alpaca.markets",
    ),
    (
        "ALPACA_DATA_URL",
        "http://localhost:8081/",
        "api.alpaca_data_url",
        "http://localhost:8081",
        "https://data.alpaca.markets",
    ),
    ("REQUEST_RETRIES", "0", "api.request_retries", 0, 3),
    ("REQUEST_RETRY_DELAY", "0.1", "api.request_retry_delay", 0.1, 2),
    ("REDIS_URL", "redis://cache:6379", "api.redis_url", Secret("redis://cache:6379"), Secret("")),
    ("ALERT_URLS", CHANNELS, "night.alert_urls", Secret(CHANNELS), Secret("")),
    ("ALERT_ON_SUCCESS", "true", "night.alert_on_success", True, False),
    ("SERVICE_URL", "https://runs.example.org/", "night.service_url", "https://runs.example.org", ""),
    ("METRICS_TEXTFILE", "m/sta410.prom", "night.metrics_textfile", "m/sta410.prom", ""),
    ("DATABASE_URL", "sqlite:///a", "service.database_url", Secret("sqlite:///a"), Secret("")),
]


def field_of(config, path):
    for name in path.split("."):
        config = getattr(config, name)
    return config


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Stand in an empty folder, without settings and with nothing loaded yet."""
    for setting in all_settings():
        monkeypatch.delenv(setting.variable, raising=False)
        monkeypatch.delenv(f"{setting.variable}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config_module, "SECRETS_FOLDER", tmp_path / "no-secrets")
    monkeypatch.setattr(config_module, "_current", None)
    return tmp_path


@pytest.mark.filterwarnings("ignore:.* is deprecated")
@pytest.mark.parametrize(("variable", "text", "path", "value", "default"), PROMISE)
def test_each_variable_sets_its_field_and_has_its_default(variable, text, path, value, default):
    """A variable reaches the field it is promised to, and without it the field has the promised default."""
    assert field_of(load_config({variable: text}), path) == value
    assert field_of(load_config({}), path) == default
    assert field_of(load_config({variable: "  "}), path) == default


def test_the_promise_covers_every_setting_and_no_other():
    """The table above is complete."""
    assert [(row[0], row[2]) for row in PROMISE] == [(one.variable, one.field) for one in all_settings()]


@pytest.mark.parametrize(("text", "value"), [("TRUE", True), ("on", True), ("No", False), ("0", False)])
def test_switches_take_the_usual_words(text, value):
    """In any case."""
    assert load_config({"LOG_JSON": text}).logging.json_lines is value


@pytest.mark.parametrize(
    ("variable", "text", "field"),
    [
        ("ENVIRONMENT", "prod", "environment"),
        ("LOG_LEVEL", "loud", "logging.level"),
        ("LOG_MAX_SIZE", "0", "logging.max_file_size"),
        ("LOG_DIR", "a\0b", "logging.log_dir"),
        ("LOG_JSON", "perhaps", "logging.json_lines"),
        ("CACHE_TTL_HOURS", "inf", "data.cache_ttl_hours"),
        ("TRAIN_TEST_SPLIT", "1", "model.train_test_split"),
        ("RANDOM_SEED", "4294967296", "model.random_seed"),
        ("RANDOM_SEED", "1.5", "model.random_seed"),
        ("GD_LR", "0", "model.gd_learning_rate"),
        ("GD_LR", "nan", "model.gd_learning_rate"),
        ("GD_LR", "inf", "model.gd_learning_rate"),
        ("GD_LR", "true", "model.gd_learning_rate"),
        ("GD_LR", "0,05", "model.gd_learning_rate"),
        ("GD_MOMENTUM", "1", "model.gd_momentum"),
        ("GD_L1_RATIO", "1.1", "model.gd_l1_ratio"),
        ("MAX_PORTFOLIO_RISK", "1.01", "trading.max_portfolio_risk"),
        ("STOP_LOSS_PCT", "0", "trading.stop_loss_pct"),
        ("DAILY_LOSS_LIMIT", "0", "trading.daily_loss_limit"),
        ("SLIPPAGE_BPS", "a few", "trading.simulated_slippage"),
        ("SLIPPAGE_BPS", "10000", "trading.simulated_slippage"),
        ("SLIPPAGE_BPS", "nan", "trading.simulated_slippage"),
        ("ALPACA_BASE_URL", "http://api.alpaca.markets", "api.alpaca_base_url"),
        ("ALPACA_BASE_URL", "ftp://localhost", "api.alpaca_base_url"),
        ("ALPACA_BASE_URL", "https://a b.com", "api.alpaca_base_url"),
        ("ALPACA_BASE_URL", "https://x.com?key=1", "api.alpaca_base_url"),
        ("ALPACA_BASE_URL", "https://x.com:port", "api.alpaca_base_url"),
        ("ALPACA_BASE_URL", "paper", "api.alpaca_base_url"),
        ("REQUEST_RETRY_DELAY", "-1", "api.request_retry_delay"),
        ("SERVICE_URL", "runs.example.org", "night.service_url"),
        ("SERVICE_URL", "https://x.org?a=1", "night.service_url"),
        ("METRICS_TEXTFILE", "metrics.txt", "night.metrics_textfile"),
    ],
)
def test_a_wrong_value_is_refused_by_name(variable, text, field):
    """The refusal names the field, the variable, where it was set, what it got and what it takes."""
    with pytest.raises(ConfigurationError) as refused:
        load_config({variable: text})
    line = str(refused.value).splitlines()[1]
    assert line.startswith(f"  - {field} ({variable} from environment): got {text!r}; takes ")


@pytest.mark.parametrize("text", ["cache:6379", "redis://cache:port"])
def test_a_wrong_address_of_a_redis_is_refused_unseen(text):
    """It may hold a password."""
    with pytest.raises(ConfigurationError, match=r"REDIS_URL from environment.*not shown; takes") as refused:
        load_config({"REDIS_URL": text})
    assert "cache" not in str(refused.value)


def test_several_wrong_values_are_reported_together():
    """One refusal tells everything, across sections, cross-checks included."""
    with pytest.raises(ValueError, match="4 settings are wrong") as refused:
        load_config(
            {"TRAIN_TEST_SPLIT": "1.5", "GD_ITERATIONS": "no", "PER_TRADE_RISK": "0.05", "LOG_LEVEL": "x"}
        )
    text = str(refused.value)
    assert (
        "model.train_test_split (TRAIN_TEST_SPLIT from environment): got '1.5'; takes a number above 0"
        in text
    )
    assert (
        "model.gd_iterations (GD_ITERATIONS from environment): got 'no'; takes a whole number from 1" in text
    )
    assert "trading.per_trade_risk: 0.05 is not below max_portfolio_risk, 0.05; lower PER_TRADE_RISK" in text
    assert "logging.level (LOG_LEVEL from environment): got 'x'; takes DEBUG, INFO" in text


def test_a_section_alone_names_its_fields_and_reads_nothing(monkeypatch):
    """A section is built from its arguments alone and refuses like the whole."""
    monkeypatch.setenv("GD_LR", "0.9")
    assert ModelConfig(train_test_split=0.7).gd_learning_rate == 0.05
    with pytest.raises(ConfigurationError, match=r"- gd_learning_rate: got -1; takes a number above 0"):
        ModelConfig(gd_learning_rate=-1)
    with pytest.raises(ConfigurationError, match=r"- gd_iterations: got True; takes a whole number"):
        ModelConfig(gd_iterations=True)
    with pytest.raises(ConfigurationError, match="max_portfolio_risk: got 2; takes"):
        TradingConfig(max_portfolio_risk=2)
    with pytest.raises(ConfigurationError, match=r"0.025 is not below max_portfolio_risk, 0.02"):
        TradingConfig(max_portfolio_risk=0.02)


def test_an_unknown_name_is_refused_with_a_suggestion():
    """A misspelt keyword is never swallowed."""
    with pytest.raises(ConfigurationError, match=r"levle: there is no such setting\. Did you mean 'level'\?"):
        LoggingConfig(levle="INFO")
    with pytest.raises(
        ConfigurationError, match=r"colour: there is no such setting\. DataConfig takes cache_dir,"
    ):
        DataConfig(colour="red")
    with pytest.raises(ConfigurationError, match=r"logging\.levle: there is no such setting"):
        Config(logging={"levle": "INFO"})
    with pytest.raises(ConfigurationError, match=r"modell: .*Did you mean 'model'"):
        Config(modell=ModelConfig())


def test_values_of_the_wrong_type_are_refused():
    """A path is kept as text; a nameless folder, a number for a word or for a section are refused."""
    assert DataConfig(cache_dir=Path("a") / "b").cache_dir == str(Path("a") / "b")
    for wrong in ("", " ", 3, None):
        with pytest.raises(ConfigurationError, match="cache_dir: got"):
            DataConfig(cache_dir=wrong)
    for section, wrong in ((LoggingConfig, {"level": 10}), (APIConfig, {"alpaca_base_url": 3})):
        with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))}: got"):
            section(**wrong)
    with pytest.raises(ConfigurationError, match="model: got 4; takes a ModelConfig"):
        Config(model=4)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v2", "http://[::1]:80", "https://api.alpaca.markets/v2"])
def test_endpoints_that_are_accepted(url):
    """Anywhere with https, on this machine with http too."""
    assert APIConfig(alpaca_base_url=url + "/").alpaca_base_url == url


def test_credentials_in_a_url_are_refused_and_not_repeated():
    """A password in the endpoint would travel into every log."""
    with pytest.raises(ConfigurationError) as refused:
        load_config({"ALPACA_BASE_URL": f"https://me:{SECRET}@x.com"})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "variable", ["MODEL", "DATA", "LOGGING", "API", "TRADING", "model", "gd_lr", "LEVEL"]
)
@pytest.mark.usefixtures("fresh")
def test_variables_of_others_change_nothing(variable, monkeypatch):
    """A variable named like a section, or like a setting in other letters, belongs to another tool."""
    assert load_config({variable: '{"level": "DEBUG"}'}) == Config()
    monkeypatch.setenv(variable, "x")
    assert get_config() == Config() == Config(environment="development")


def test_precedence(tmp_path):
    """Environment over secret file over .env.<environment> over .env over default."""
    (tmp_path / ".env").write_text(
        f"ENVIRONMENT=staging\nGD_LR=0.1\nGD_MOMENTUM=0.1\nGD_L2_REG=0.1\nALPACA_API_KEY={KEY}a\n"
    )
    (tmp_path / ".env.staging").write_text(f"GD_LR=0.2\nGD_MOMENTUM=0.2\nALPACA_API_KEY={KEY}b\n")
    (tmp_path / ".env.production").write_text("GD_L1_RATIO=0.5\n")
    (tmp_path / "alpaca_api_key").write_text(f"{KEY}c\n")
    (tmp_path / ".env.production").write_text("GD_MOMENTUM=9\n")
    with pytest.raises(ConfigurationError, match=r"GD_MOMENTUM from \.env\.production\): got '9'"):
        load_config({"ENVIRONMENT": " Production "}, tmp_path)
    config = load_config({"GD_LR": "0.3"}, tmp_path, tmp_path)
    assert (config.model.gd_learning_rate, config.model.gd_momentum, config.model.gd_l2_reg) == (
        0.3,
        0.2,
        0.1,
    )
    assert config.model.gd_l1_ratio == 0.01
    assert config.environment == "staging"
    assert config.api.alpaca_api_key.get_secret_value() == f"{KEY}c"
    assert load_config({"ALPACA_API_KEY": KEY}, tmp_path, tmp_path).api.alpaca_api_key == Secret(KEY)
    assert load_config({}, tmp_path, tmp_path / "none").api.alpaca_api_key == Secret(f"{KEY}b")


def test_a_file_that_changes_the_environment_it_was_chosen_by_is_refused(tmp_path):
    """.env.staging cannot say that this is production."""
    (tmp_path / ".env").write_text("ENVIRONMENT=staging\n")
    (tmp_path / ".env.staging").write_text("ENVIRONMENT=production\n")
    with pytest.raises(
        ConfigurationError, match=r"\.env\.staging sets ENVIRONMENT to something else.*remove"
    ):
        load_config({}, tmp_path)


def test_an_unknown_environment_reads_no_file(tmp_path):
    """ENVIRONMENT is not a path."""
    (tmp_path / "x").mkdir()
    (tmp_path / ".env.x").write_text("not a setting at all\n")
    with pytest.raises(ConfigurationError, match=r"environment .*got 'x'"):
        load_config({"ENVIRONMENT": "x"}, tmp_path)


@pytest.mark.parametrize(
    ("without", "complaint"),
    [
        ({"LIVE_TRADING_ACKNOWLEDGED": ""}, "LIVE_TRADING_ACKNOWLEDGED is not true"),
        ({"ENVIRONMENT": "staging"}, "ENVIRONMENT is staging, not production"),
        ({"ALPACA_API_KEY": ""}, "ALPACA_API_KEY is missing"),
        ({"ALPACA_SECRET_KEY": "your_secret_key_here"}, "ALPACA_SECRET_KEY is a placeholder"),
        ({"ALPACA_SECRET_KEY": KEY}, "ALPACA_API_KEY and ALPACA_SECRET_KEY are the same value"),
        ({"ENVIRONMENT": "live"}, "ENVIRONMENT is not known, not production"),
    ],
)
def test_live_trading_without_one_condition_is_refused(without, complaint):
    """Each missing condition is named; all of them together are enough."""
    assert load_config(LIVE).trading.paper_trading is False
    with pytest.raises(ConfigurationError, match="PAPER_TRADING=false is refused because") as refused:
        load_config(LIVE | without)
    assert complaint in str(refused.value)


def test_secrets_are_masked_wherever_the_configuration_shows():
    """No text, dictionary or JSON made from a configuration holds a secret."""
    config = load_config(LIVE)
    shown = [repr(config), str(config), f"{config.api.alpaca_api_key}", json.dumps(config.to_dict())]
    shown += [f"{config.api.alpaca_secret_key!r:>60}", config.model_dump_json(), str(config.model_dump())]
    assert not any(secret in text for secret in (KEY, SECRET) for text in shown)
    assert config.to_dict()["api"]["alpaca_api_key"] == "**********"
    assert Config().to_dict()["api"]["alpaca_api_key"] == ""
    assert not isinstance(config.api.alpaca_api_key, str)
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(config.api.alpaca_api_key)


def test_a_secret_has_no_attributes_to_dump():
    """What goes through an object's attributes finds nothing, and a format pads stars."""
    secret = load_config(LIVE).api.alpaca_api_key
    assert vars(secret) == {}
    assert json.dumps(load_config(LIVE), default=vars).count(KEY) == 0
    assert f"{secret:>12}" == "  **********"
    assert secret.get_secret_value() == KEY


def test_a_secret_does_not_travel_in_a_pickle():
    """Pickling a secret is refused; copying it inside the process is fine, and so is an empty one."""
    config = load_config(LIVE)
    with pytest.raises(SecretsManagementError, match="get_config"):
        pickle.dumps(config)
    assert copy.deepcopy(config) == config
    assert copy.copy(config.api.alpaca_api_key) is config.api.alpaca_api_key
    assert pickle.loads(pickle.dumps(Config())) == Config()  # noqa: S301 - our own bytes


def test_a_wrong_secret_is_not_repeated():
    """A refusal of a secret does not show it, nor does the error it was made from."""
    with pytest.raises(ConfigurationError) as refused:
        Config(api={"alpaca_api_key": 1234567890, "alpaca_secret_key": [SECRET]})
    assert "api.alpaca_api_key: got a value of type int, not shown; takes text" in str(refused.value)
    assert "1234567890" not in f"{refused.value}{refused.value.__cause__}"
    assert SECRET not in f"{refused.value}{refused.value.__cause__}"


def test_a_checked_configuration_cannot_be_changed():
    """An assignment would pass by the checks; it is refused without quoting the value."""
    config = Config()
    with pytest.raises(ConfigurationError, match=r"Config\.environment cannot be changed"):
        config.environment = "production"
    with pytest.raises(ConfigurationError) as refused:
        config.api.alpaca_api_key = SECRET
    assert SECRET not in str(refused.value)


def test_get_config_loads_once_and_lazily(fresh, monkeypatch):
    """The first call reads the process and the project folder; later calls give the same object."""
    (fresh / "notebooks").mkdir()
    (fresh / "notebooks" / "pipeline.toml").touch()
    (fresh / ".env").write_text("GD_LR=0.5\n")
    monkeypatch.chdir(fresh / "notebooks")
    first = get_config()
    monkeypatch.setenv("GD_LR", "0.6")
    assert get_config() is first
    assert first.model.gd_learning_rate == 0.5
    set_config(None)
    assert get_config().model.gd_learning_rate == 0.6


@pytest.mark.usefixtures("fresh")
def test_threads_share_one_configuration():
    """Callers that come at the same time get the same object."""
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(get_config())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(config) for config in seen}) == 1


@pytest.mark.usefixtures("fresh")
def test_a_failed_load_is_tried_again(monkeypatch):
    """A wrong setting does not poison the process."""
    monkeypatch.setenv("GD_LR", "0")
    with pytest.raises(ConfigurationError):
        get_config()
    monkeypatch.setenv("GD_LR", "0.2")
    assert get_config().model.gd_learning_rate == 0.2


@pytest.mark.usefixtures("fresh")
def test_set_config_replaces_and_forgets():
    """What is set is what everybody gets, until it is forgotten."""
    mine = Config(environment="testing")
    set_config(mine)
    assert get_config() is mine
    set_config(None)
    assert get_config().environment == "development"
    with pytest.raises(ConfigurationError, match="takes a Config or None, not dict"):
        set_config({})


def test_the_secrets_of_the_process_are_registered_for_redaction(fresh):
    """A loaded secret is redacted from then on, whether loaded or set."""
    (fresh / ".env").write_text(f"ALPACA_API_KEY={KEY}\n")
    get_config()
    assert redaction.redact(f"key {KEY}") == "key ***"
    set_config(Config(api=APIConfig(alpaca_secret_key=SECRET)))
    assert redaction.redact(SECRET) == "***"


@pytest.mark.usefixtures("fresh")
def test_passwords_and_tokens_of_alert_channels_are_redacted():
    """An address as a whole, its password and parts that look random; hosts and words stay readable."""
    set_config(load_config({"ALERT_URLS": CHANNELS}))
    assert redaction.redact(f"<{CHANNELS}>") == "<***, ***>"
    text = "pass-4711 at example.org, T0k3nT0k3n at 127.0.0.1"
    assert redaction.redact(text) == "*** at example.org, *** at 127.0.0.1"
    with pytest.raises(ConfigurationError, match=r"not shown, has no scheme such as mailto://") as refused:
        load_config({"ALERT_URLS": "hook-4711"})
    assert "hook" not in str(refused.value)


def test_settings_in_use_tell_value_and_origin(fresh, monkeypatch):
    """The table of `sta410 config`: each value as its variable would hold it, and where it is from."""
    (fresh / ".env").write_text(f"SLIPPAGE_BPS=7.5\nALPACA_SECRET_KEY={SECRET}\n")
    (fresh / ".env.testing").write_text("LOG_JSON=yes\n")
    (fresh / "key").write_text(KEY)
    monkeypatch.setenv("ENVIRONMENT", "testing")
    monkeypatch.setenv("ALPACA_API_KEY_FILE", "key")
    rows = {row.setting.variable: (row.value, row.origin) for row in settings_in_use()}
    assert rows["ENVIRONMENT"] == ("testing", "environment")
    assert rows["LOG_JSON"] == ("true", ".env.testing")
    assert rows["SLIPPAGE_BPS"] == ("7.5", ".env")
    assert rows["ALPACA_SECRET_KEY"] == ("**********", ".env")
    assert rows["ALPACA_API_KEY"] == ("**********", f"file {fresh / 'key'}")
    assert rows["GD_LR"] == ("0.05", "default")


@pytest.mark.usefixtures("fresh")
def test_settings_in_use_of_a_configuration_set_by_hand():
    """What was given in code is said to come from there."""
    set_config(Config(model=ModelConfig(gd_learning_rate=0.5)))
    rows = {row.setting.variable: (row.value, row.origin) for row in settings_in_use()}
    assert rows["GD_LR"] == ("0.5", "code")
    assert rows["RANDOM_SEED"] == ("42", "default")


@given(st.floats(min_value=0, max_value=9999))
def test_basis_points_become_a_fraction(points):
    """Any number of basis points is read as its ten-thousandth."""
    assert load_config({"SLIPPAGE_BPS": repr(points)}).trading.simulated_slippage == points / 10_000


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30))
def test_any_text_is_read_or_refused(text):
    """Whatever a number's variable holds, the outcome is a configuration or a ConfigurationError."""
    try:
        value = load_config({"GD_LR": text}).model.gd_learning_rate
    except ConfigurationError as error:
        assert "gd_learning_rate" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert value > 0


NOON = datetime(2012, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("given", ["2012-13-01", "01/02/2012", "1325376000", 1325376000, True, NOON])
def test_a_day_is_a_day(given):
    """Not a moment, a number of seconds, or a date that means two days."""
    with pytest.raises(ConfigurationError, match=r"holdout_start: got .*; takes a day written YYYY-MM-DD"):
        ModelConfig(holdout_start=given)
    assert ModelConfig(holdout_start="2012-01-31").holdout_start == date(2012, 1, 31)
    assert (
        Config(model={"holdout_start": date(2012, 1, 31)}).to_dict()["model"]["holdout_start"] == "2012-01-31"
    )
