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
    help="Where to write it; printed when left out.",
)
def suggest(file: Path, name: str | None, output: Path | None) -> None:
    """Draft a suite from the data in FILE (CSV or Parquet).

    The draft accepts these data. Its bounds lie a margin outside of what was seen; prices get the rules of
    the suite `prices` as well. Read it, and correct what only happens to hold.
    """
    import json
    import re

    from sta410kit._internal.atomic_files import write_text
    from sta410kit.guards.suite_profiler import draft_suite
    from sta410kit.runner.frames import read_any_frame

    title = name or (output.stem if output else re.sub(r"[^\w.-]+", "_", file.stem))
    text = json.dumps(draft_suite(read_any_frame(file), title), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text)
    click.echo(f"{output}: a draft; read it, then `sta410 validate {file} --suite {output}`")
