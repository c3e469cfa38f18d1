"""``sta410 params``: the parameters that a notebook declares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sta410kit._internal.project import require_project
from sta410kit.cli.options import PATH, json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sta410kit.runner.parameters import Parameter


@click.command()
@click.argument("notebook", type=PATH, required=False)
@json_option
def params(notebook: Path | None, *, as_json: bool) -> None:
    """Print the parameters that NOTEBOOK declares, or those of every notebook of the chain.

    Types, defaults and comments are the source text of the cell tagged `parameters`; nothing is executed.
    """
    from sta410kit.runner.notebook import parameters_of, read_notebook
    from sta410kit.runner.pipeline import RUN_FOLDER, read_pipeline

    if notebook is None:
        steps = read_pipeline(require_project("; name a notebook: sta410 params NOTEBOOK"))
        made = {name for step in steps for name in step.produces} | {RUN_FOLDER}
        found = {step.notebook: _rows(step.parameters, leave_out=made) for step in steps}
    else:
        found = {notebook: _rows(parameters_of(read_notebook(notebook)))}
    if as_json:
        print_json(found[notebook] if notebook else {path.stem: rows for path, rows in found.items()})
        return
    for path, rows in found.items():
        if rows:
            _print(rows, path)
        elif notebook:
            click.echo(f"{path} declares no parameters: it has no cell tagged 'parameters', or an empty one")


def _rows(parameters: Iterable[Parameter], leave_out: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return parameters as JSON values; those that a run sets by itself may be left out."""
    return [
        {
            "name": parameter.name,
            "type": parameter.type,
            "default": parameter.default,
            "choices": parameter.choices,
            "help": parameter.help,
            "read": parameter.read,
        }
        for parameter in parameters
        if parameter.name not in leave_out
    ]


def _print(rows: list[dict[str, Any]], notebook: Path) -> None:
    from sta410kit.runner.terminal import show_table

    cells = []
    for row in rows:
        comment = " ".join(filter(None, (row["help"], "" if row["read"] else "(no cell reads it)")))
        cells.append((row["name"], row["type"], row["default"], ", ".join(row["choices"]), comment))
    show_table(
        ("name", "type", "default", "choices", "comment"), cells, title=f"parameters of {notebook.name}"
    )
