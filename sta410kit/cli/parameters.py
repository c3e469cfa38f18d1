"""What is typed as ``-p NAME=VALUE`` or ``-g NAME=A,B``."""

from __future__ import annotations

from sta410kit.exceptions import ConfigurationError


def pairs(parameters: tuple[str, ...], option: str = "-p") -> dict[str, str]:
    """Return the values by their names; one given twice or not of that form is a `ConfigurationError`."""
    given: dict[str, str] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            message = f"{option} takes NAME=VALUE, got {text!r}"
            raise ConfigurationError(message)
        if name.strip() in given:
            message = f"{option} {name.strip()} is given twice; which one is meant?"
            raise ConfigurationError(message)
        given[name.strip()] = value
    return given
