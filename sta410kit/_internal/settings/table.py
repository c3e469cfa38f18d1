"""The one table of everything that can be set; the documentation and the commands follow it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sta410kit._internal.secret_type import Secret

# What is said of a setting that is promised but does nothing so far.
RESERVED = "reserved: read and checked, nothing uses it yet"


@dataclass(frozen=True)
class Setting:
    """One row of the table of everything that can be set.

    Attributes
    ----------
    variable, field : str
        ``GD_LR`` and ``model.gd_learning_rate``.
    default : object
        The value of the field when nothing sets it.
    description, takes : str
        What it is for and which values it accepts.
    secret : bool
        Whether its value must never be shown.
    divisor : float
        What the number in the variable is divided by to give the field; 1 for all but basis points.
    reserved : bool
        Whether nothing uses it yet.
    """

    variable: str
    field: str
    default: object
    description: str
    takes: str
    secret: bool
    divisor: float
    reserved: bool

    def explained(self) -> tuple[str, ...]:
        """Return what there is to say about it, one phrase each: its use, its values, that it is reserved."""
        return (self.description, self.takes, *([RESERVED] if self.reserved else []))

    def read(self, text: str) -> object:
        """Turn the variable's text into what the field is given; text that is no number stays as it is."""
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


def rows_of(model: type[BaseModel], prefix: str = "") -> Iterator[Setting]:
    """Yield a row for each setting of `model` and of the sections in it."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from rows_of(section, f"{prefix}{name}.")
        else:
            yield _row(f"{prefix}{name}", field)


def _row(path: str, field: FieldInfo) -> Setting:
    extra: Any = field.json_schema_extra
    return Setting(
        variable=extra["variable"],
        field=path,
        default=field.default,
        description=field.description or "",
        takes=extra["takes"],
        secret=isinstance(field.default, Secret),
        divisor=extra["divisor"],
        reserved=extra["reserved"],
    )
