"""``sta410 docs``: open or serve the data docs of a run."""

from pathlib import Path

import click

from sta410kit.cli.completion import run_ids


@click.command()
@click.argument("run", metavar="[RUN]", required=False, shell_complete=run_ids)
@click.option("--serve", is_flag=True, help="Serve the pages on this machine instead of opening a browser.")
@click.option(
    "--port", default=8410, show_default=True, type=click.IntRange(0, 65535), help="Port for --serve."
)
def docs(run: str | None, *, serve: bool, port: int) -> None:
    """Open the data docs of RUN, or of the newest run of the chain."""
    import webbrowser

    from sta410kit.runner.docs_server import find_docs, serve_run
    from sta410kit.runner.runs import find_run, runs_folder

    runs = runs_folder(Path.cwd())
    index = find_docs(runs, find_run(runs, run) if run else None)
    if serve:
        # The whole run folder, because the data docs and the report link to each other.
        serve_run(index.parent.parent, port, lambda url: click.echo(f"serving {url} - press Ctrl-C to stop"))
    # Not click.launch, which starts xdg-open and never learns that there is no browser.
    elif webbrowser.open(index.as_uri()):
        click.echo(f"opened {index}")
    else:
        click.echo(f"no browser found; open {index} or use `sta410 docs --serve`")
