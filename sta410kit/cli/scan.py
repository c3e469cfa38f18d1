"""``sta410 scan``: secrets that are on the disk already."""

from pathlib import Path

import click

from sta410kit._internal.text import pluralize, printable
from sta410kit.cli.options import PATH, json_option, print_json
from sta410kit.exit_codes import ExitCode


@click.command()
@click.argument("path", default=".", type=PATH)
@json_option
def scan(path: Path, *, as_json: bool) -> int:
    """Look for secrets in PATH, or here and below.

    Notebooks are read cell by cell, other text by line, and the bytes of all other files. Found are the
    secrets of the configuration, and in text what looks like a key. Exits 6 when something was found; the
    secret itself is never shown.
    """
    from sta410kit.guards.scanning import scan as look

    report = look(path)
    if as_json:
        print_json(report.to_dict())
        return ExitCode.PASSED if report.passed else ExitCode.SECRET_FOUND
    for finding in report.findings:
        click.echo(printable(str(finding)))
    for name, reason in report.unreadable.items():
        click.echo(printable(f"not read: {name}: {reason}"), err=True)
    for name, reason in report.skipped.items():
        click.echo(printable(f"skipped: {name}: {reason}"))
    click.echo(f"{pluralize(report.files, 'file')} read, {pluralize(len(report.findings), 'secret')} found")
    if report.findings:
        click.echo(
            "Replace each at its provider: what was written down is no secret any more. For a false alarm, "
            "put 'pragma: allowlist secret' in a comment on its line; see docs/secrets.md",
            err=True,
        )
    return ExitCode.PASSED if report.passed else ExitCode.SECRET_FOUND
