"""``sta410 params``: the parameters that a notebook declares."""

from pathlib import Path
from typing import Any

import click

from sta410kit.cli.options import PATH, json_option, print_json


@click.command()
@click.argument("notebook", type=PATH)
@json_option
def params(notebook: Path, *, as_json: bool) -> None:
    """Print the parameters that NOTEBOOK declares.

    Types, defaults and comments are the source text of its cell tagged `parameters`; nothing is executed.
    """
    from sta410kit.runner.notebook import parameters_of, read_notebook

    rows = [
        {
            "name": parameter.name,
            "type": parameter.type,
            "default": parameter.default,
            "choices": parameter.choices,
            "help": parameter.help,
            "read": parameter.read,
        }
        for parameter in parameters_of(read_notebook(notebook))
    ]
    if as_json:
        print_json(rows)
    elif rows:
        _print(rows, notebook)
    else:
        click.echo(f"{notebook} declares no parameters: it has no cell tagged 'parameters', or an empty one")


def _print(rows: list[dict[str, Any]], notebook: Path) -> None:
    from sta410kit.runner.terminal import show_table

    cells = []
    for row in rows:
        comment = " ".join(filter(None, (row["help"], "" if row["read"] else "(no cell reads it)")))
        cells.append((row["name"], row["type"], row["default"], ", ".join(row["choices"]), comment))
    show_table(
        ("name", "type", "default", "choices", "comment"), cells, title=f"parameters of {notebook.name}"
    )
