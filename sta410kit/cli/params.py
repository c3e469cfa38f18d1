"""``sta410 params``: what a notebook can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sta410kit.cli.json_command import JsonCommand, json_option, print_json
from sta410kit.cli.typed_path import TypedPath
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.parameters import Parameter


@click.command(cls=JsonCommand)
@click.argument("notebook", type=TypedPath())
@json_option
def params(notebook: Path, *, as_json: bool) -> int:
    """Print the parameters that NOTEBOOK declares.

    Shown are type, default, what is allowed, and the comment behind. They are read from its cell tagged
    `parameters`; nothing is executed.
    """
    from sta410kit.runner.notebook import parameters_of, read_notebook

    rows = [_row(parameter) for parameter in parameters_of(read_notebook(notebook))]
    if as_json:
        print_json(rows)
    elif rows:
        _print(rows, notebook)
    else:
        click.echo(f"{notebook} declares no parameters: it has no cell tagged 'parameters', or an empty one")
    return ExitCode.PASSED


def _row(parameter: Parameter) -> dict[str, Any]:
    from sta410kit.exceptions import ConfigurationError
    from sta410kit.runner.annotations import choices_of, limits_of, read_annotation

    row: dict[str, Any] = {
        "name": parameter.name,
        "type": parameter.type,
        "default": parameter.default,
        "allowed": "",
        "choices": [],
        "help": parameter.help,
        "read": parameter.read,
    }
    try:
        _, schema = read_annotation(parameter.type, parameter.imports, parameter.name)
    except ConfigurationError:
        return row | {"allowed": "an annotation the kit cannot read"}
    return row | {"allowed": limits_of(schema), "choices": choices_of(schema)}


def _print(rows: list[dict[str, Any]], notebook: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"parameters of {notebook.name}", title_justify="left")
    for name in ("name", "type", "default", "allowed", "what it is"):
        table.add_column(name, overflow="fold")
    for row in rows:
        remark = "" if row["read"] else "(no cell reads it)"
        about = " ".join(part for part in (row["help"], remark) if part)
        table.add_row(*(Text(row[name]) for name in ("name", "type", "default", "allowed")), Text(about))
    Console(highlight=False).print(table)
