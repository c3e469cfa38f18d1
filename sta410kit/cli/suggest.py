"""``sta410 suggest``: draft a suite from your own data."""

from pathlib import Path

import click

from sta410kit.cli.options import FILE, PATH


@click.command()
@click.argument("file", type=PATH)
@click.option("--suite", "name", default=None, help="Name of the new suite; the file's name when left out.")
@click.option(
    "--output",
    type=FILE,
    default=None,
    help="Where to write it; NAME.json in the project's expectations/ when left out, or here outside of one.",
)
def suggest(file: Path, name: str | None, output: Path | None) -> None:
    """Draft a suite from the data in FILE (CSV or Parquet), and write it.

    The draft accepts these data. Its bounds lie a margin outside of what was seen; prices get the rules of
    the suite `prices` as well. Read it, and correct what only happens to hold.
    """
    import json
    import re
    from collections import Counter

    from sta410kit._internal.atomic_files import write_text
    from sta410kit._internal.project import project_folder
    from sta410kit._internal.text import pluralize, printable
    from sta410kit.exceptions import ConfigurationError
    from sta410kit.guards.suite_profiler import draft_suite
    from sta410kit.runner.frames import read_any_frame

    title = name or (output.stem if output else re.sub(r"[^\w.-]+", "_", file.stem))
    suite = draft_suite(read_any_frame(file), title)
    home = project_folder(Path.cwd()) / "expectations"
    path = output or (home if home.is_dir() else Path.cwd()) / f"{title}.json"
    if output is None and path.exists():
        message = f"{path} exists already; name another with --suite, or replace it with --output {path}"
        raise ConfigurationError(message)
    write_text(path, json.dumps(suite, indent=2) + "\n")
    asked = suite["expectations"]
    severities = Counter(one["meta"]["severity"] for one in asked)
    counts = ", ".join(f"{count} {severity}" for severity, count in severities.items())
    click.echo(f"{path}: a draft with {pluralize(len(asked), 'expectation')} ({counts})")
    columns = dict.fromkeys(one["kwargs"]["column"] for one in asked if "column" in one["kwargs"])
    for column in columns:
        own = [one for one in asked if one["kwargs"].get("column") == column]
        click.echo(printable(f"  {column}: {' '.join(one.get('description', one['type']) for one in own)}"))
    others = [one for one in asked if "column" not in one["kwargs"]]
    for one in others:
        click.echo(printable(f"  {one.get('description', one['type'])}"))
    if notes := suite.get("notes"):
        click.echo(printable(f"notes: {notes}"))
    click.echo(f"read it, then `sta410 validate {file} --suite {path}`")
