"""The sections of the configuration.

Each can be built alone and by keyword, reads nothing but its arguments, and is checked when it is built.
"""

from typing import Annotated, Literal, get_args

from pydantic import ValidationInfo, field_validator

from sta410kit._internal.credentials import split_urls
from sta410kit._internal.secret_type import Secret
from sta410kit._internal.settings.fields import (
    DatabaseURL,
    Day,
    Endpoint,
    Folder,
    LowerCase,
    Masked,
    Real,
    RedisURL,
    UpperCase,
    WebAddress,
    Whole,
    setting,
)
from sta410kit._internal.settings.section import Section, broken_rule

Environment = Annotated[Literal["development", "staging", "production", "testing"], LowerCase]
ENVIRONMENTS: tuple[str, ...] = get_args(get_args(Environment)[0])
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], UpperCase]

PAPER_ENDPOINT = "https://paper-api.alpaca.markets"

_FOLDER = "the name of a folder"


class LoggingConfig(Section):
    """What is written down, where, and how much of it is kept."""

    level: LogLevel = setting(
        "LOG_LEVEL",
        "least severe message that is shown and written",
        "INFO",
        takes="DEBUG, INFO, WARNING, ERROR or CRITICAL",
    )
    log_dir: Folder = setting(
        "LOG_DIR", "folder of the log files; relative to the project", "logs", takes=_FOLDER
    )
    max_file_size: Whole = setting(
        "LOG_MAX_SIZE",
        "size in bytes at which a log file is set aside and a new one begun",
        10 * 1024 * 1024,
        ge=1,
    )
    backup_count: Whole = setting("LOG_BACKUP_COUNT", "how many files set aside are kept a day", 10, ge=0)
    json_lines: bool = setting("LOG_JSON", "write the log files as JSON, one object a line", default=False)


class DataConfig(Section):
    """Where downloaded prices are kept, and how old they may be."""

    cache_dir: Folder = setting(
        "DATA_CACHE_DIR",
        "folder of the store of downloaded prices; relative to the project",
        "data_cache",
        takes=_FOLDER,
    )
    model_cache_dir: Folder = setting(
        "MODEL_CACHE_DIR",
        "folder of fitted models",
        "model_cache",
        takes=_FOLDER,
        deprecated="changes nothing, because each run keeps its fitted model in its folder, as model.skops",
    )
    cache_ttl_hours: Real = setting(
        "CACHE_TTL_HOURS",
        "how old stored prices may be that stand in for a source that is down: a session for each 24 hours, "
        "rounded up",
        24.0,
        ge=0,
    )
    validate_on_load: bool = setting(
        "VALIDATE_DATA",
        "whether the gate judges prices; it cannot be switched off, only its suite changed",
        default=True,
        takes="true",
    )

    @field_validator("validate_on_load")
    @classmethod
    def _gate_stays_on(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic's signature
        if not value:
            message = (
                "VALIDATE_DATA=false is refused, because the gate cannot be switched off; "
                "change its suite, expectations/prices.json, or accept findings in accepted.toml"
            )
            raise broken_rule(message)
        return value


class ModelConfig(Section):
    """How models are trained, and what they must not have seen."""

    train_test_split: Real = setting(
        "TRAIN_TEST_SPLIT",
        "share of the sessions that trains; the rest tests",
        0.8,
        deprecated="changes nothing, because the walk-forward trains and tests on many folds; HOLDOUT_START "
        "keeps the newest sessions unseen",
        gt=0,
        lt=1,
    )
    holdout_start: Day = setting(
        "HOLDOUT_START",
        "first session of the sealed holdout: prices from here on load only after sta410 unseal; "
        "nothing is sealed when empty",
        None,
        takes="a day written YYYY-MM-DD",
    )
    random_seed: Whole = setting(
        "RANDOM_SEED",
        "seed of everything drawn at random",
        42,
        takes="a whole number from 0 to 4294967295",
        ge=0,
        le=2**32 - 1,
    )
    gd_learning_rate: Real = setting("GD_LR", "step of gradient descent", 0.05, gt=0)
    gd_iterations: Whole = setting("GD_ITERATIONS", "steps of gradient descent", 1000, ge=1)
    gd_momentum: Real = setting(
        "GD_MOMENTUM", "share of the last step carried into the next", 0.9, ge=0, lt=1
    )
    gd_l2_reg: Real = setting("GD_L2_REG", "strength of the penalty on large coefficients", 0.01, ge=0)
    gd_l1_ratio: Real = setting(
        "GD_L1_RATIO", "share of that penalty that is L1 and sets coefficients to zero", 0.01, ge=0, le=1
    )


class TradingConfig(Section):
    """How much may be risked, as fractions of the account's equity unless said otherwise."""

    max_portfolio_risk: Real = setting(
        "MAX_PORTFOLIO_RISK", "most that all open positions may lose together", 0.05, gt=0, le=1
    )
    per_trade_risk: Real = setting(
        "PER_TRADE_RISK", "most that one trade may lose; below MAX_PORTFOLIO_RISK", 0.025, gt=0, le=1
    )
    stop_loss_pct: Real = setting(
        "STOP_LOSS_PCT", "fall at which a position is closed, as a fraction of its price", 0.03, gt=0, le=1
    )
    take_profit_pct: Real = setting(
        "TAKE_PROFIT_PCT", "rise at which a position is closed, as a fraction of its price", 0.003, gt=0, le=1
    )
    max_sector_exposure: Real = setting(
        "MAX_SECTOR_EXPOSURE", "most that is invested in one sector", 0.4, gt=0, le=1
    )
    daily_loss_limit: Real = setting(
        "DAILY_LOSS_LIMIT", "the day's return below which no order is placed any more", -0.03, ge=-1, lt=0
    )
    simulated_slippage: Real = setting(
        "SLIPPAGE_BPS",
        "loss assumed on each fill, as a fraction of its price (the variable is in basis points)",
        0.0005,
        takes="a fraction from 0 to below 1; SLIPPAGE_BPS in basis points, from 0 to below 10000",
        divisor=10_000,
        ge=0,
        lt=1,
    )
    paper_trading: bool = setting(
        "PAPER_TRADING",
        "trade with play money; false is refused unless ENVIRONMENT is production, "
        "LIVE_TRADING_ACKNOWLEDGED is true and both credentials look real",
        default=True,
    )
    live_trading_acknowledged: bool = setting(
        "LIVE_TRADING_ACKNOWLEDGED",
        "say that real money may be lost; only read when PAPER_TRADING is false",
        default=False,
    )

    @field_validator("per_trade_risk")
    @classmethod
    def _one_trade_is_not_the_portfolio(cls, per_trade: float, info: ValidationInfo) -> float:
        whole = info.data.get("max_portfolio_risk")  # absent when it was refused itself
        if whole is not None and per_trade >= whole:
            message = (
                f"per_trade_risk: {per_trade} is not below max_portfolio_risk, {whole}; "
                "lower PER_TRADE_RISK or raise MAX_PORTFOLIO_RISK"
            )
            raise broken_rule(message)
        return per_trade


class APIConfig(Section):
    """The broker's interface, and how patiently it is asked."""

    alpaca_api_key: Masked = setting(
        "ALPACA_API_KEY",
        "Alpaca key ID (secret); ALPACA_API_KEY_FILE=/path/to/file keeps it out of here",
        Secret(""),
        takes="text",
    )
    alpaca_secret_key: Masked = setting(
        "ALPACA_SECRET_KEY",
        "Alpaca secret key (secret); ALPACA_SECRET_KEY_FILE=/path/to/file keeps it out of here",
        Secret(""),
        takes="text",
    )
    alpaca_base_url: Endpoint = setting(
        "ALPACA_BASE_URL",
        "Alpaca's trading endpoint; the default trades play money",
        PAPER_ENDPOINT,
        takes="an https URL without credentials, query or fragment (http only for this machine)",
    )
    alpaca_data_url: Endpoint = setting(
        "ALPACA_DATA_URL",
        "Alpaca's market data endpoint, for bars and corporate actions",
        "https://data.alpaca.markets",
        takes="an https URL without credentials, query or fragment (http only for this machine)",
    )
    request_retries: Whole = setting("REQUEST_RETRIES", "how often a failed request is repeated", 3, ge=0)
    request_retry_delay: Real = setting(
        "REQUEST_RETRY_DELAY", "seconds before the first repetition; each further one waits twice as long",
        2.0, ge=0,
    )  # fmt: skip
    redis_url: RedisURL = setting(
        "REDIS_URL",
        "Redis where all machines that use an account count its requests (secret); when empty, each machine "
        "counts its own in a file",
        Secret(""),
        takes="a URL such as redis://host:6379/0",
    )


class NightConfig(Section):
    """Who hears of scheduled runs, and where their metrics go."""

    alert_urls: Masked = setting(
        "ALERT_URLS",
        "where alerts go (secret), as addresses of apprise separated by commas: "
        "mailto://user:password@example.org, slack://...; none are sent when empty",
        Secret(""),
        takes="addresses with a scheme, separated by commas",
    )
    alert_on_success: bool = setting(
        "ALERT_ON_SUCCESS",
        "send a message after each scheduled run that passed as well: what is different from the run before",
        default=False,
    )
    service_url: WebAddress = setting(
        "SERVICE_URL",
        "address of the service that people open, for links in alerts; when empty, that of "
        "sta410 serve --url, else the report's file is named",
        "",
        takes="an http or https URL without credentials, query or fragment",
    )
    metrics_textfile: str = setting(
        "METRICS_TEXTFILE",
        "file for Prometheus's node exporter, ending in .prom, that a scheduled run writes its metrics to; "
        "relative to the project; none is written when empty",
        "",
        takes="the name of a file that ends in .prom",
    )

    @field_validator("alert_urls")
    @classmethod
    def _are_addresses(cls, value: Secret) -> Secret:
        if any("://" not in url for url in split_urls(value.get_secret_value())):
            message = "alert_urls: an address in ALERT_URLS, not shown, has no scheme such as mailto://"
            raise broken_rule(message)
        return value

    @field_validator("metrics_textfile")
    @classmethod
    def _is_read_by_the_node_exporter(cls, value: str) -> str:
        if value and (not value.endswith(".prom") or "\0" in value):
            message = "not the name of a .prom file"
            raise ValueError(message)
        return value


class ServiceConfig(Section):
    """What the service and the night need beside the command line."""

    database_url: DatabaseURL = setting(
        "DATABASE_URL",
        "registry of users, queue and schedules (secret); runs/service.sqlite when empty. On one PostgreSQL "
        "several hosts share the queue, and no night runs twice",
        Secret(""),
        takes="a URL such as postgresql://user:password@host/name or sqlite:///runs/service.sqlite",
    )
