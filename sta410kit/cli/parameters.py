"""The options ``-p NAME=VALUE`` and ``--params FILE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sta410kit.cli.completion import parameter_names
from sta410kit.cli.typed_path import TypedPath
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.decorators import FC


def parameter_options(about: str, wins: str) -> Callable[[FC], FC]:
    """Return a decorator that adds the options ``-p`` and ``--params``, as `parameters` and `file`."""
    typed = click.option(
        "-p",
        "--parameter",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        shell_complete=parameter_names,
        help=about,
    )
    in_a_file = click.option(
        "--params",
        "file",
        type=TypedPath(),
        metavar="FILE",
        help=f"Read parameters from a TOML or JSON file; {wins}.",
    )
    return lambda command: typed(in_a_file(command))


def pairs(parameters: tuple[str, ...], option: str = "-p") -> dict[str, str]:
    """Return the values by name."""
    given: dict[str, str] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            message = f"{option} takes NAME=VALUE, got {text!r}"
            raise ConfigurationError(message)
        if name.strip() in given:
            message = f"{option} {name.strip()} is given twice"
            raise ConfigurationError(message)
        given[name.strip()] = value
    return given


def from_file(path: Path | None) -> dict[str, Any]:
    """Return the parameters in a TOML or JSON file; none without a file."""
    if path is None:
        return {}
    import json
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, object_pairs_hook=_once) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        message = f"{path} cannot be read as {'JSON' if path.suffix == '.json' else 'TOML'}: {error}"
        raise ConfigurationError(message) from error
    if not isinstance(content, dict):
        message = f"{path}: expected names and values"
        raise ConfigurationError(message)
    return content


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; a name given twice is refused, as on the command line."""
    found = dict(items)
    if len(found) < len(items):
        twice = next(name for name in found if [one for one, _ in items].count(name) > 1)
        message = f"{twice} is given twice"
        raise ValueError(message)
    return found
