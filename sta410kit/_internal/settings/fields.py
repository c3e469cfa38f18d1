"""How one setting is declared: its variable, its default, what it is for and what it takes."""

import os
from datetime import date, datetime
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sta410kit._internal.secret_type import Secret


def setting(  # noqa: PLR0913 - a declaration, read by its keywords
    variable: str,
    description: str,
    *,
    default: object,
    takes: str,
    divisor: float = 1,
    reserved: bool = False,
    **bounds: float,
) -> Any:  # noqa: ANN401 - stands for a field of any type, as pydantic's own Field does
    """Declare a field of a section.

    Parameters
    ----------
    variable : str
        The environment variable that sets it.
    description : str
        What it is for, in one line, with its unit.
    default : object
        Its value when nothing sets it.
    takes : str
        Which values are accepted, as an error says it.
    divisor : float
        What the number in the variable is divided by: 10,000 turns basis points into a fraction.
    reserved : bool
        Whether nothing uses it yet.
    **bounds : float
        ``gt``, ``ge``, ``lt``, ``le``, as in pydantic.
    """
    extra = {"variable": variable, "takes": takes, "divisor": divisor, "reserved": reserved}
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)  # type: ignore[call-overload]


def _refuse_bool(value: object) -> object:
    # Python counts True as 1; nobody who writes gd_iterations=True means one iteration.
    if isinstance(value, bool):
        kind = "not_a_number"
        raise PydanticCustomError(kind, "a truth value is not a number")
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _folder(value: object) -> object:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(text, str) and (not text.strip() or "\0" in text):
        kind = "not_a_folder"
        raise PydanticCustomError(kind, "not a folder name")
    return text.strip() if isinstance(text, str) else text


def _day(value: object) -> object:
    # Only the ISO form: 03/04/2024 means two days, and a bare number would be seconds since 1970.
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    kind = "not_a_day"
    raise PydanticCustomError(kind, "not a day")


def _secret(value: object) -> object:
    return Secret(value.strip()) if isinstance(value, str) else value


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
    kind = "not_an_endpoint"
    refusal = PydanticCustomError(kind, "not a usable endpoint")
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port  # reading the port checks it
    except ValueError:
        raise refusal from None
    encrypted = url.scheme == "https" or (url.scheme == "http" and host is not None and is_loopback(host))
    # Credentials in a URL end up in logs; spaces and control characters are never meant.
    odd = "@" in url.netloc or url.query or url.fragment or " " in text or not text.isprintable()
    if not host or not encrypted or odd:
        raise refusal
    return text.rstrip("/")


Real = Annotated[float, BeforeValidator(_refuse_bool), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_refuse_bool)]
Folder = Annotated[str, BeforeValidator(_folder)]
Day = Annotated[date | None, BeforeValidator(_day)]
Masked = Annotated[Secret, BeforeValidator(_secret)]
Endpoint = Annotated[str, BeforeValidator(_endpoint)]
LowerCase = BeforeValidator(_lower)
UpperCase = BeforeValidator(_upper)
