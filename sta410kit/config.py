"""The configuration: a pure function of variables and a folder.

    real environment  >  secret files  >  .env.<environment>  >  .env  >  defaults

`load_config` reads its arguments and nothing else. `get_config` calls it once, with the environment of this
process and the project folder.
"""

import os
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationInfo, field_validator

from sta410kit._internal.credentials import problems_with_pair, secrets_in_urls
from sta410kit._internal.kernel_redaction import register
from sta410kit._internal.project import project_folder
from sta410kit._internal.settings.fields import Setting, setting, settings_of
from sta410kit._internal.settings.section import Section, broken_rule, refusal
from sta410kit._internal.settings.sections import (
    APIConfig,
    DataConfig,
    Environment,
    LoggingConfig,
    ModelConfig,
    NightConfig,
    ServiceConfig,
    TradingConfig,
)
from sta410kit._internal.settings.sources import SECRETS_FOLDER, Found, gather
from sta410kit.exceptions import ConfigurationError, ConfigurationWarning

__all__ = [
    "APIConfig",
    "Config",
    "DataConfig",
    "LoggingConfig",
    "ModelConfig",
    "NightConfig",
    "ServiceConfig",
    "Setting",
    "SettingInUse",
    "TradingConfig",
    "all_settings",
    "get_config",
    "load_config",
    "set_config",
    "settings_in_use",
]


class Config(Section):
    """Everything that can be set, checked as a whole.

    Built by hand it reads nothing but its arguments, so that a test means the same on every machine;
    `load_config` builds it from variables.

    Raises
    ------
    ConfigurationError
        Settings are wrong or unknown, or a condition of live trading is missing. All are named together.
    """

    environment: Environment = setting(
        "ENVIRONMENT",
        "which .env.<environment> is read; live trading needs production",
        default="development",
        takes="development, staging, production or testing",
    )
    logging: LoggingConfig = LoggingConfig()
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    trading: TradingConfig = TradingConfig()
    api: APIConfig = APIConfig()
    night: NightConfig = NightConfig()
    service: ServiceConfig = ServiceConfig()

    # On a late field: by now the environment and the trading section are known, unless they are wrong.
    @field_validator("api")
    @classmethod
    def _live_trading_is_meant(cls, api: APIConfig, info: ValidationInfo) -> APIConfig:
        trading, environment = info.data.get("trading"), info.data.get("environment")
        if trading is None or trading.paper_trading:
            return api
        missing = []
        if not trading.live_trading_acknowledged:
            missing.append("LIVE_TRADING_ACKNOWLEDGED is not true")
        if environment != "production":
            missing.append(f"ENVIRONMENT is {environment or 'not known'}, not production")
        missing += problems_with_pair(
            api.alpaca_api_key.get_secret_value(), api.alpaca_secret_key.get_secret_value()
        )
        if missing:
            message = f"trading.paper_trading: PAPER_TRADING=false is refused because {'; '.join(missing)}"
            raise broken_rule(message)
        return api

    def to_dict(self) -> dict[str, Any]:
        """Return every setting as plain values that JSON takes; a secret is ten stars, an unset one empty."""
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class SettingInUse:
    """A setting, its present value as the variable would hold it (secrets masked), and where that is from."""

    setting: Setting
    value: str
    origin: str


@cache
def all_settings() -> tuple[Setting, ...]:
    """Return every setting there is, in the order of the sections."""
    return tuple(settings_of(Config))


def load_config(
    environ: Mapping[str, str], folder: Path | None = None, secrets_folder: Path | None = None
) -> Config:
    """Build the configuration from the variables in `environ` and the files in `folder`.

    Parameters
    ----------
    environ : mapping of str to str
        The real environment, or a substitute for it. A variable set to nothing counts as not set.
    folder : Path, optional
        The project folder, where ``.env`` and ``.env.<environment>`` are looked for; none are read when
        omitted.
    secrets_folder : Path, optional
        Where secret files lie; ``/run/secrets`` when omitted.

    Raises
    ------
    ConfigurationError
        Names every wrong setting, with the variable and where it was set; or the file and line that
        cannot be read.

    Warns
    -----
    ConfigurationWarning
        A ``.env`` file sets a variable that no setting reads and that is nearly the name of one, or a
        deprecated setting is changed.
    """
    return _built(gather(environ, folder, secrets_folder or SECRETS_FOLDER, all_settings()))


def _built(found: Mapping[str, Found]) -> Config:
    nested: dict[str, Any] = {}
    for one in all_settings():
        if one.variable in found:
            *section, name = one.field.split(".")
            target = nested.setdefault(section[0], {}) if section else nested
            target[name] = one.read(found[one.variable].text)
    try:
        config = Config(**nested)
    except ConfigurationError as error:
        cause: Any = error.__cause__  # pydantic's, see `Section`
        raise ConfigurationError(refusal(cause, Config, found)) from cause
    for one in all_settings():
        if one.deprecated and one.variable in found and found[one.variable].text != one.write(one.default):
            message = f"{one.variable} from {found[one.variable].origin} is deprecated: it {one.deprecated}."
            warnings.warn(message, ConfigurationWarning, stacklevel=3)
    return config


@dataclass(frozen=True)
class _Current:
    config: Config
    found: Mapping[str, Found] | None  # None when the configuration was set by hand


_current: _Current | None = None
_lock = threading.Lock()


def get_config() -> Config:
    """Return the configuration of this process, loading it on the first call.

    The variables are those of the process, the files those of the project folder. Its secrets are
    registered, so that no log or report shows them. Safe to call from several threads.

    Raises
    ------
    ConfigurationError
        As `load_config`; the next call tries again.
    """
    return _get().config


def set_config(config: Config | None) -> None:
    """Use `config` from now on; ``None`` forgets the present one, and the next `get_config` loads afresh."""
    global _current  # noqa: PLW0603 - one configuration a process
    if config is not None and not isinstance(config, Config):
        message = f"set_config takes a Config or None, not {type(config).__name__}."  # type: ignore[unreachable]
        raise ConfigurationError(message)
    with _lock:
        _current = None if config is None else _Current(_with_secrets_registered(config), None)


def settings_in_use() -> tuple[SettingInUse, ...]:
    """Return each setting with its present value and where it comes from, secrets masked.

    The origin is ``environment``, the name of a ``.env`` file, ``file`` and its path, ``default``, or
    ``code`` for a configuration that was given to `set_config`.
    """
    current = _get()
    rows = []
    for one in all_settings():
        value: object = current.config
        for name in one.field.split("."):
            value = getattr(value, name)
        if current.found is None:
            origin = "default" if value == one.default else "code"
        else:
            origin = current.found[one.variable].origin if one.variable in current.found else "default"
        rows.append(SettingInUse(one, one.write(value), origin))
    return tuple(rows)


def _get() -> _Current:
    global _current  # noqa: PLW0603 - one configuration a process
    with _lock:
        if _current is None:
            found = gather(os.environ, project_folder(), SECRETS_FOLDER, all_settings())
            _current = _Current(_with_secrets_registered(_built(found)), found)
        return _current


def _with_secrets_registered(config: Config) -> Config:
    for secret in (config.api.alpaca_api_key, config.api.alpaca_secret_key):
        register(secret.get_secret_value())
    for part in secrets_in_urls(config.night.alert_urls.get_secret_value()):
        register(part)
    database = config.service.database_url.get_secret_value()
    for part in (database, unquote(urlsplit(database).password or "")):
        register(part)
    return config
