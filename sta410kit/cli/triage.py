"""``sta410 triage``: what a gate finds in a file, as decisions with proposals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sta410kit._internal.text import pluralize, printable
from sta410kit.cli.options import FILE, PATH, exchange_option, suite_option
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from sta410kit.guards.decisions import Decision
    from sta410kit.guards.result import GuardResult


@click.command()
@click.argument("file", type=PATH)
@suite_option
@exchange_option
@click.option("--output", type=FILE, default=None, help="Where to write the page; else in runs/triage.")
@click.option("--entries", "only_entries", is_flag=True, help="Print the entries to paste, and nothing else.")
def triage(file: Path, suite: str, exchange: str | None, output: Path | None, *, only_entries: bool) -> int:
    """Group what a suite finds in FILE into decisions, each with a proposal and the entries to paste.

    The page draws the findings. Exits with 3 when the suite refuses the data as they are.
    """
    from sta410kit._internal.atomic_files import write_text
    from sta410kit.guards import validate as judge
    from sta410kit.guards.decisions import entries_of
    from sta410kit.guards.triage import triage as decide
    from sta410kit.guards.triage_page import render
    from sta410kit.runner.frames import read_repaired
    from sta410kit.runner.runs import runs_folder

    frame, repairs = read_repaired(file, suite)
    result = judge(frame, suite, exchange=exchange, repairs=repairs)
    decisions = decide(result, frame, repairs)
    folder = runs_folder(Path.cwd())
    page = output or folder / "triage" / f"{_page_name(file, folder.parent)}.html"
    if decisions or output:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_text(page, render(result, decisions, frame, file.name))
    if only_entries:
        click.echo(printable(entries_of(decisions)), nl=False)
    else:
        _print(result, decisions, page)
    return ExitCode.PASSED if result.passed else ExitCode.DATA_REJECTED


def _page_name(file: Path, project: Path) -> str:
    """Return a name that no other file has: its path, from the project on where it is inside."""
    path = file.resolve()
    inside = path.relative_to(project) if path.is_relative_to(project) else path.relative_to(path.anchor)
    return "-".join(inside.parts)


def _print(result: GuardResult, decisions: list[Decision], page: Path) -> None:
    click.echo(printable(result.summary()))
    if not decisions:
        click.echo("nothing to decide")
        return
    click.echo(f"{pluralize(len(decisions), 'decision')}")
    for number, one in enumerate(decisions, 1):
        count = f", {pluralize(one.count, 'finding')}" if one.count else ""
        size = f", {one.size}" if one.size else ""
        click.echo(printable(f"{number:>3}. {one.severity}: {one.what} ({one.where}{count}{size})"))
        click.echo(printable(f"     {one.proposal}" + (f": {one.file}" if one.file else "")))
    paste = (
        " with the entries to paste (--entries prints them)" if any(one.entries for one in decisions) else ""
    )
    click.echo(f"page{paste}: {page}")
