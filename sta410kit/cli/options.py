"""Options that several commands have, and JSON on standard output."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sta410kit._internal.redaction import redact
from sta410kit._internal.text import printable
from sta410kit.cli.completion import parameter_names, suite_names
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.limits import parse_memory, parse_seconds

if TYPE_CHECKING:
    from click.decorators import FC

JSON = "--json"
json_option = click.option(JSON, "as_json", is_flag=True, help="Print JSON, for machines; errors too.")
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
suite_option = click.option(
    "--suite",
    default="prices",
    show_default=True,
    shell_complete=suite_names,
    help="Name of a suite, or the path of a suite file.",
)
exchange_option = click.option(
    "--exchange", default=None, help="Calendar of all symbols, e.g. XASX; by suffix when left out."
)


def print_json(content: Any) -> None:  # noqa: ANN401 - JSON values
    """Print a JSON document to standard output, secrets redacted; nothing else may be printed beside it.

    JSON has no word for a number that is missing or infinite; it becomes ``null``.
    """
    click.echo(redact(json.dumps(_finite(content), indent=1, default=str)))


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(name): _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


class _Amount(click.ParamType):  # type: ignore[type-arg] # generic in later versions of click only
    """A number with a unit, such as 15m or 2G."""

    def __init__(self, name: str, parse: Callable[[str, str], float]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds or bytes; the error names the option."""
        del ctx
        return self._parse(value, param.opts[0] if param else self.name)


SECONDS, BYTES = _Amount("TIME", parse_seconds), _Amount("SIZE", parse_memory)


def limit_options(whole: str, part: str) -> Callable[[FC], FC]:
    """Return a decorator that adds the options ``--deadline``, ``--timeout`` and ``--memory``."""
    deadline = click.option(
        "--deadline", type=SECONDS, help=f"How long the whole {whole} may take: 90, 15m, 2h."
    )
    timeout = click.option("--timeout", type=SECONDS, help=f"How long each {part} may take.")
    memory = click.option("--memory", type=BYTES, help=f"How much memory each {part} may have: 512M, 2G.")
    return lambda command: deadline(timeout(memory(command)))


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
    help_of_file = f"Read parameters from a TOML or JSON file; {wins}."
    in_a_file = click.option("--params", "file", type=PATH, metavar="FILE", help=help_of_file)
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


def show_only_warnings() -> None:
    """Show what the kit warns of in the form of the command line, until it ends; its log is for notebooks."""
    from loguru import logger

    with suppress(ValueError):  # it has been removed
        logger.remove(0)  # loguru's own sink
    sink = logger.add(
        lambda text: click.echo(f"sta410: warning: {printable(redact(str(text).strip()))}", err=True),
        level="WARNING",
        format="{message}",
    )
    click.get_current_context().call_on_close(partial(logger.remove, sink))
