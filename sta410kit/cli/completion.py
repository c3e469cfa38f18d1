"""``sta410 completion``: scripts for shells, and the names that they offer; nothing is executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

if TYPE_CHECKING:
    from sta410kit.runner.parameters import Parameter

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_VARIABLE = "_STA410_COMPLETE"
_MOST_RUNS = 30


@click.command(
    # \b keeps click from wrapping what is to be copied.
    epilog="\b\nFor bash:\n  mkdir -p ~/.local/share/bash-completion/completions\n"
    "  sta410 completion bash > ~/.local/share/bash-completion/completions/sta410"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete `sta410` commands."""
    kind = get_completion_class(shell)
    if kind is not None:
        click.echo(kind(ctx.find_root().command, {}, "sta410", _VARIABLE).source())


def _quiet(find: Callable[[click.Context, str], Iterator[CompletionItem]]) -> Completer:
    """Make a completer of a function that yields candidates; errors would garble the line being typed."""

    @wraps(find)
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            return [item for item in find(context, incomplete) if item.value.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - running the command reports what is wrong
            return []

    return complete


@_quiet
def parameter_names(context: click.Context, incomplete: str) -> Iterator[CompletionItem]:
    """Complete NAME=VALUE by what NOTEBOOK declares, or without one, by what the project's chain does."""
    name, equals, typed = incomplete.partition("=")
    for parameter in _declared(context):
        if not equals:
            yield CompletionItem(f"{parameter.name}=", help=parameter.help or parameter.type)
        elif parameter.name == name:
            before = typed[: typed.rfind(",") + 1]  # of several values the last is completed
            yield from (CompletionItem(f"{name}={before}{choice}") for choice in parameter.choices)


def _declared(context: click.Context) -> list[Parameter]:
    from sta410kit._internal.project import find_project
    from sta410kit.runner.notebook import parameters_of, read_notebook
    from sta410kit.runner.pipeline import RUN_FOLDER, read_pipeline

    # An option that still lacks its value leaves the arguments where they are.
    notebook = context.params.get("notebook") or next(iter(context.args), None)
    if notebook is not None:
        return parameters_of(read_notebook(Path(notebook)))
    project = find_project()
    steps = read_pipeline(project) if project else []
    handed = {RUN_FOLDER, *(name for step in steps for name in step.produces)}
    found = {parameter.name: parameter for step in steps for parameter in step.parameters}
    return [parameter for name, parameter in found.items() if name not in handed]


@_quiet
def step_names(_: click.Context, __: str) -> Iterator[CompletionItem]:
    """Complete the name of a step of the project's chain."""
    from sta410kit._internal.project import find_project
    from sta410kit.runner.pipeline import read_pipeline

    project = find_project()
    for step in read_pipeline(project) if project else []:
        yield CompletionItem(step.name)


@_quiet
def suite_names(_: click.Context, __: str) -> Iterator[CompletionItem]:
    """Complete the name of a suite of expectations."""
    from sta410kit.guards.suites import list_suites

    for name in list_suites():
        yield CompletionItem(name)


@_quiet
def run_ids(_: click.Context, __: str) -> Iterator[CompletionItem]:
    """Complete the id of a run of this project, newest first, for every command that takes RUN."""
    from sta410kit.exceptions import ConfigurationError
    from sta410kit.runner.manifest import read_manifest
    from sta410kit.runner.runs import run_folders, runs_folder

    for folder in run_folders(runs_folder(Path.cwd()))[:_MOST_RUNS]:
        try:
            manifest = read_manifest(folder)
        except ConfigurationError:
            yield CompletionItem(folder.name)
        else:
            yield CompletionItem(folder.name, help=f"{manifest.kind}, {manifest.outcome}")
