"""A group of settings, and the message that refuses wrong ones."""

import re
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from sta410kit._internal.secret_type import Secret
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

_RULE = "rule"

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


class Section(BaseModel):
    """A group of settings, checked when it is built."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,  # a rule across fields must also see the fields left at their default
        hide_input_in_errors=True,
    )

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - checked by pydantic, field by field
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(refusal(error, type(self), {})) from error

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        # pydantic would refuse as well, and quote the value, which may be a secret.
        message = (
            f"{type(self).__name__}.{name} cannot be changed; build a new Config and hand it to "
            "sta410kit.config.set_config()."
        )
        raise ConfigurationError(message)


def broken_rule(text: str) -> PydanticCustomError:
    """Return the error of a rule across settings; its text says everything."""
    return PydanticCustomError(_RULE, "{text}", {"text": text})


def refusal(error: ValidationError, model: type[BaseModel], found: Mapping[str, tuple[str, str]]) -> str:
    """Return the message for settings that are wrong, all of them together."""
    lines = list(_lines(error, model, "", found))
    head = "1 setting is wrong:" if len(lines) == 1 else f"{len(lines)} settings are wrong:"
    body = "\n".join(f"  - {line}" for line in lines)
    return f"{head}\n{body}\nEvery setting is described in .env.example and docs/configuration.md."


def _lines(
    error: ValidationError, model: type[BaseModel], prefix: str, found: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0])
        field = model.model_fields.get(name)
        cause = detail.get("ctx", {}).get("error")
        if field is None:
            known = f" {model.__name__} takes {', '.join(model.model_fields)}."
            hint = did_you_mean(name, model.model_fields) or known
            yield f"{prefix}{name}: there is no such setting.{hint}"
        elif isinstance(cause, ConfigurationError) and isinstance(cause.__cause__, ValidationError):
            section: Any = field.annotation  # it has refused itself
            yield from _lines(cause.__cause__, section, f"{prefix}{name}.", found)
        elif detail["type"] == _RULE:
            yield f"{prefix}{detail['msg']}"
        elif not isinstance(field.json_schema_extra, dict):  # a whole section, which has no variable
            section = field.annotation
            yield f"{prefix}{name}: got {_shown(detail['input'])}; takes a {section.__name__}"
        else:
            extra: dict[str, Any] = field.json_schema_extra
            text, origin = found.get(extra["variable"], (detail["input"], ""))
            place = f" ({extra['variable']} from {origin})" if origin else ""
            secret = isinstance(field.default, Secret)
            got = f"a value of type {type(text).__name__}, not shown" if secret else _shown(text)
            yield f"{prefix}{name}{place}: got {got}; takes {extra['takes']}"


def _shown(value: object) -> str:
    # A URL may carry a password where none is expected.
    return re.sub(r"//[^/\s]*@", "//***@", _short.repr(value))
