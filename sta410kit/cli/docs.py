"""``sta410 docs``: the data docs of the newest run."""

from __future__ import annotations

from pathlib import Path

import click

from sta410kit.exit_codes import ExitCode


@click.command()
@click.option("--serve", is_flag=True, help="Serve the pages on this machine instead of opening a browser.")
@click.option(
    "--port", default=8410, show_default=True, type=click.IntRange(0, 65535), help="Port for --serve."
)
@click.option("--path", "only_path", is_flag=True, help="Print where the index page is and do nothing else.")
def docs(serve: bool, port: int, only_path: bool) -> int:  # noqa: FBT001 - flags
    """Open or serve the data docs of the newest run."""
    import webbrowser

    from sta410kit.runner.docs_server import serve_folder
    from sta410kit.runner.runs import latest_docs, runs_folder

    index = latest_docs(runs_folder(Path.cwd()))
    if only_path:
        click.echo(index)
    elif serve:
        # The run's folder, so that the report beside the data docs is reached too.
        serve_folder(index.parent.parent, port, lambda url: click.echo(f"serving {url} - Ctrl-C ends"))
    # Not click.launch, which starts xdg-open and never learns that it found nothing to open the page with.
    elif webbrowser.open(index.as_uri()):
        click.echo(f"opened {index}")
    else:
        click.echo(f"no browser here; open {index} or use `sta410 docs --serve`")
    return ExitCode.PASSED
