"""How one setting is declared: its variable, its default, what it is for and what it takes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field

from sta410kit._internal.secret_type import Secret

_REDIS = {"redis", "rediss", "unix"}
_DATABASES = {"postgresql", "postgres", "postgresql+psycopg", "sqlite"}


def setting(  # noqa: PLR0913 - a declaration, read by its keywords
    variable: str,
    description: str,
    default: object,
    *,
    takes: str = "",
    divisor: float = 1,
    deprecated: str = "",
    **bounds: float,
) -> Any:  # noqa: ANN401 - as pydantic's own Field
    """Declare a field of a section; see `Setting` for the arguments, `bounds` are those of pydantic."""
    takes = takes or _takes(default, bounds)
    extra = {"variable": variable, "takes": takes, "divisor": divisor, "deprecated": deprecated}
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)  # type: ignore[call-overload]


def _takes(default: object, bounds: dict[str, float]) -> str:
    if isinstance(default, bool):
        return "true or false (also 1/0, yes/no, on/off)"
    most = "{:g}" if "ge" in bounds else "at most {:g}"
    words = {"gt": "above {:g}", "ge": "from {:g}", "lt": "below {:g}", "le": most}
    limits = (" to " if "ge" in bounds else " and ").join(words[one].format(bounds[one]) for one in bounds)
    noun = "a whole number" if isinstance(default, int) else "a number"
    return f"{noun} {limits}{' upwards' if bounds.keys() == {'ge'} else ''}"


@dataclass(frozen=True)
class Setting:
    """One row of the table of everything that can be set."""

    variable: str  # GD_LR
    field: str  # model.gd_learning_rate
    default: object
    description: str
    takes: str  # which values are accepted, in words
    divisor: float  # of the number in the variable: 10,000 turns basis points into a fraction
    deprecated: str  # why it changes nothing any more; empty for the others

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown."""
        return isinstance(self.default, Secret)

    def explained(self) -> tuple[str, ...]:
        """Return what it is for, what it takes, and why it is deprecated, one phrase each."""
        return (
            self.description,
            self.takes,
            *([f"deprecated: {self.deprecated}"] if self.deprecated else []),
        )

    def read(self, text: str) -> object:
        """Return the text of the variable as the field takes it."""
        if self.divisor == 1:
            return text.strip()
        try:
            return float(text) / self.divisor
        except ValueError:
            return text

    def write(self, value: object) -> str:
        """Return a value of the field as the variable would hold it; secrets masked."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return f"{value * self.divisor:.15g}"
        return "" if value is None else str(value)


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Yield each setting of a model and of the sections in it."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from settings_of(section, f"{prefix}{name}.")
        else:
            extra: Any = field.json_schema_extra
            about = {"default": field.default, "description": field.description or ""}
            yield Setting(field=f"{prefix}{name}", **about, **extra)


def _number(value: object) -> object:
    if isinstance(value, bool):  # Python counts True as 1
        message = "a truth value is not a number"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError
    return value


def _folder(value: object) -> object:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(text, str) and (not text.strip() or "\0" in text):
        message = "not a folder name"
        raise ValueError(message)
    return text.strip() if isinstance(text, str) else text


def _day(value: object) -> object:
    # Only the ISO form: 03/04/2024 means two days, and a bare number would be seconds since 1970.
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if not isinstance(value, str):
        message = "not a day"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError
    return date.fromisoformat(value.strip())


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _endpoint(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip()
    url = urlsplit(text)
    host, _ = url.hostname, url.port  # reading the port checks it
    encrypted = url.scheme == "https" or (url.scheme == "http" and host is not None and is_loopback(host))
    # Credentials in a URL end up in logs; spaces and control characters are never meant.
    odd = "@" in url.netloc or url.query or url.fragment or " " in text or not text.isprintable()
    if not host or not encrypted or odd:
        message = "not a usable endpoint"
        raise ValueError(message)
    return text.rstrip("/")


def _web_address(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        return value
    url = urlsplit(value.strip())
    odd = (
        "@" in url.netloc
        or url.query
        or url.fragment
        or " " in url.geturl()
        or not url.geturl().isprintable()
    )
    if url.scheme not in {"http", "https"} or not url.hostname or odd or url.port == 0:
        message = "not an address for a browser"
        raise ValueError(message)
    return url.geturl().rstrip("/")


def _server(value: object, schemes: set[str]) -> object:
    if isinstance(value, str) and value.strip():
        url = urlsplit(value.strip())
        if url.scheme not in schemes or url.port == 0:  # reading the port checks it
            message = "not the URL of such a server"
            raise ValueError(message)
    return value


Real = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_number)]
Folder = Annotated[str, BeforeValidator(_folder)]
Day = Annotated[date | None, BeforeValidator(_day)]
Masked = Annotated[
    Secret, BeforeValidator(lambda value: Secret(value.strip()) if isinstance(value, str) else value)
]
Endpoint = Annotated[str, BeforeValidator(_endpoint)]
WebAddress = Annotated[str, BeforeValidator(_web_address)]
RedisURL = Annotated[Masked, BeforeValidator(lambda value: _server(value, _REDIS))]
DatabaseURL = Annotated[Masked, BeforeValidator(lambda value: _server(value, _DATABASES))]
LowerCase = BeforeValidator(lambda value: value.strip().lower() if isinstance(value, str) else value)
UpperCase = BeforeValidator(lambda value: value.strip().upper() if isinstance(value, str) else value)
