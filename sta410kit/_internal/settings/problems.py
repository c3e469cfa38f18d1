"""The words of a refusal: every wrong setting at once, each with what it got and what it takes."""

import re
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sta410kit._internal.secret_type import Secret
from sta410kit._internal.settings.found import Found
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


def refusal(error: ValidationError, model: type[BaseModel], found: Mapping[str, Found] | None = None) -> str:
    """Word what `error` says about `model`, one line a setting, with the variables `found` that set them."""
    lines = list(_lines(error, model, "", found or {}))
    head = "1 setting is wrong:" if len(lines) == 1 else f"{len(lines)} settings are wrong:"
    body = "\n".join(f"  - {line}" for line in lines)
    return f"{head}\n{body}\nEvery setting is described in .env.example and docs/configuration.md."


def _lines(
    error: ValidationError, model: type[BaseModel], prefix: str, found: Mapping[str, Found]
) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0])
        cause = detail.get("ctx", {}).get("error")
        field = model.model_fields.get(name)
        if field is None:
            yield _unknown(name, model, prefix)
        elif isinstance(cause, ConfigurationError) and isinstance(cause.__cause__, ValidationError):
            # A section has refused itself; what it found is told in its own terms.
            section = field.annotation
            yield from _lines(cause.__cause__, section, f"{prefix}{name}.", found)  # type: ignore[arg-type]
        elif cause is not None:
            yield f"{prefix}{cause}"  # a rule across settings, which says everything itself
        else:
            yield _wrong(detail["input"], field, f"{prefix}{name}", found)


def _wrong(value: object, field: FieldInfo, path: str, found: Mapping[str, Found]) -> str:
    extra = field.json_schema_extra
    if not isinstance(extra, Mapping):  # a whole section, which has no variable
        return f"{path}: got {_shown(value)}; takes a {field.annotation.__name__ if field.annotation else ''}"
    source = found.get(str(extra["variable"]))
    place = f" ({extra['variable']} from {source.origin})" if source else ""
    got = source.text if source else value
    secret = field.annotation is Secret or Secret in get_args(field.annotation)
    shown = f"a value of type {type(value).__name__}, not shown" if secret else _shown(got)
    return f"{path}{place}: got {shown}; takes {extra['takes']}"


def _unknown(name: str, model: type[BaseModel], prefix: str) -> str:
    known = f" {model.__name__} takes {', '.join(model.model_fields)}."
    return f"{prefix}{name}: there is no such setting.{did_you_mean(name, model.model_fields) or known}"


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever was given instead of a setting
    # A URL may carry a password where nobody expected one.
    return re.sub(r"//[^/\s]*@", "//***@", _short.repr(value))
