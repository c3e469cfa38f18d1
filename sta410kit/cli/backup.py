"""``sta410 backup`` and ``sta410 restore``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sta410kit._internal.text import pluralize
from sta410kit.cli.options import json_option, print_json
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.backup import Backup


@click.command()
@click.argument("destination", metavar="DEST")
@json_option
def backup(destination: str, *, as_json: bool) -> int:
    """Copy stored prices, runs with their models and data docs, and ledgers to DEST.

    DEST is a folder or any address of fsspec, such as s3://bucket/folder. Only what is new is copied, and
    verified. Runs that are going on are left out.
    """
    from sta410kit.runner import backup as backups

    found = backups.backup(_project(), destination)
    more = "".join(f"; run {name} is going on and not included" for name in found.running)
    return _show(found, f"{found.copied} new{more}", as_json=as_json)


@click.command()
@click.argument("source", metavar="SRC")
@click.option(
    "--at", default="", metavar="NAME", help="Beginning of a backup's name; the newest if not given."
)
@click.option("--overwrite", is_flag=True, help="Replace files that differ from the backup.")
@click.option("--check", is_flag=True, help="Read and verify the backup, and write nothing.")
@json_option
def restore(source: str, at: str, *, overwrite: bool, check: bool, as_json: bool) -> int:
    """Bring the newest backup at SRC into this project.

    Each file is verified by its checksum. Nothing is restored if a file that is there differs.
    """
    from sta410kit.runner import backup as backups

    found = backups.restore(_project(), source, at, overwrite=overwrite, check=check)
    return _show(found, "all intact" if check else f"{found.copied} restored", as_json=as_json)


def _show(found: Backup, words: str, *, as_json: bool) -> int:
    if as_json:
        print_json(found.to_dict())
    else:
        size = f"{found.size / 2**20:,.1f} MiB"
        click.echo(f"backup {found.snapshot}: {pluralize(found.files, 'file')}, {size}, {words}")
    return ExitCode.PASSED


def _project() -> Path:
    from sta410kit._internal.project import require_project

    return require_project("; change into the project")
