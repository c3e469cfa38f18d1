"""The command line: parse, call, print, and map every ending to its exit code in one place."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NoReturn

import click

from sta410kit import __version__
from sta410kit.exceptions import ConfigurationError, STA410Exception
from sta410kit.outcomes import ExitCode
from sta410kit.outlet import keep_writing

_ISSUES = "please report it with the lines above: it is a defect of the kit"


def main() -> NoReturn:
    """Run the command line and exit with the code that DESIGN's table gives the ending."""
    signal.signal(signal.SIGTERM, _interrupt)
    keep_writing()
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        _say("interrupted")
        code = ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except STA410Exception as error:
        _say(f"{type(error).__name__}: {error}")
        code = error.exit_code
    except Exception:  # noqa: BLE001 - the last door: the traceback is printed, never lost
        import traceback

        traceback.print_exc()
        _say(f"internal error; {_ISSUES}")
        code = ExitCode.INTERNAL
    sys.exit(int(code or 0))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sta410")
def cli() -> None:
    """Stock-prediction notebooks that can be trusted unattended."""


@cli.command()
@click.argument("notebook", required=False, type=click.Path(path_type=Path))
@click.option(
    "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE",
    help="Set a notebook parameter; may be given several times. Lists: -p symbols=AAPL,MSFT.",
)  # fmt: skip
def run(notebook: Path | None, parameters: tuple[str, ...]) -> int:
    """Run the chain of the project, or one NOTEBOOK, headless."""
    from sta410kit.project import find_project
    from sta410kit.runner.chain import run_chain, run_notebook
    from sta410kit.runner.progress import Progress
    from sta410kit.runner.summary import print_summary

    given = _pairs(parameters)
    if notebook is not None:
        done = run_notebook(notebook, given, Progress())
    else:
        project = find_project()
        if project is None:
            message = (
                f"{Path.cwd()} lies in no project (no notebooks/pipeline.toml here or above); "
                "change into one, or name a notebook: sta410 run NOTEBOOK"
            )
            raise ConfigurationError(message)
        done = run_chain(project, given, Progress())
    print_summary(done)
    return done.outcome


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--suite", default="prices", show_default=True, help="Name of a suite, or the path of a suite file."
)
@click.option("--symbols", default=None, help="Symbols that must have rows, e.g. AAPL,MSFT.")
def validate(file: Path, suite: str, symbols: str | None) -> int:
    """Judge the data in FILE (CSV or Parquet) by a suite and build its data docs."""
    from sta410kit.guards import validate as judge
    from sta410kit.guards.data_docs import publish
    from sta410kit.guards.suites import read_suite
    from sta410kit.runner.frames import read_frame
    from sta410kit.runner.runs import DATA_DOCS, new_run, runs_folder

    name = read_suite(suite).name  # refused before the file is read
    asked = [item.strip() for item in symbols.split(",") if item.strip()] if symbols else None
    result = judge(read_frame(file, name), suite, symbols=asked)
    page = publish(result, new_run(runs_folder(Path.cwd())) / DATA_DOCS, "validate")
    click.echo(result.summary())
    for failure in result.failures:
        click.echo(f"  {failure.severity}: {failure}")
    click.echo(f"data docs: {page}")
    return ExitCode.PASSED if result.passed else ExitCode.DATA_REJECTED


@cli.command()
@click.option("--serve", is_flag=True, help="Serve the pages on this machine instead of opening a browser.")
@click.option(
    "--port", default=8410, show_default=True, type=click.IntRange(0, 65535), help="Port for --serve."
)
@click.option("--path", "only_path", is_flag=True, help="Print where the index page is and do nothing else.")
def docs(serve: bool, port: int, only_path: bool) -> int:  # noqa: FBT001 - flags
    """Open the data docs of the newest run in a browser, or serve them."""
    from sta410kit.runner.docs_server import serve_folder
    from sta410kit.runner.runs import latest_docs, runs_folder

    index = latest_docs(runs_folder(Path.cwd()))
    if only_path:
        click.echo(index)
    elif serve:
        # The run's folder, so that the report beside the data docs is reached too.
        serve_folder(index.parent.parent, port, lambda url: click.echo(f"serving {url} - Ctrl-C ends"))
    elif click.launch(index.as_uri()) != 0:
        click.echo(f"no browser here; open {index} or use `sta410 docs --serve`")
    return ExitCode.PASSED


@cli.command()
def doctor() -> int:
    """Check configuration, secrets, data, kernel and disk: the deployment checklist."""
    from sta410kit.runner.doctor import FAILED, examine

    findings = examine()
    width = max(len(finding.subject) for finding in findings)
    colours = {"ok": "green", "warning": "yellow", "failed": "red"}
    for finding in findings:
        state = click.style(f"{finding.state:<8}", fg=colours[finding.state])
        click.echo(f"{state} {finding.subject:<{width}}  {finding.text}")
        if finding.advice:
            click.echo(f"{'':<{width + 11}}-> {finding.advice}")
    return ExitCode.USAGE if any(finding.state == FAILED for finding in findings) else ExitCode.PASSED


@cli.command()
def config() -> int:
    """Show the current configuration as JSON, secrets masked."""
    import json

    from sta410kit.config import get_config

    click.echo(json.dumps(get_config().to_dict(), indent=2))
    return ExitCode.PASSED


def _pairs(parameters: tuple[str, ...]) -> dict[str, str]:
    given: dict[str, str] = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            message = f"-p takes NAME=VALUE, got {text!r}"
            raise ConfigurationError(message)
        if name.strip() in given:
            message = f"-p {name.strip()} is given twice; which one is meant?"
            raise ConfigurationError(message)
        given[name.strip()] = value
    return given


def _interrupt(*_: object) -> NoReturn:
    """End as by Ctrl-C, so that kernels are shut down and the run gets its manifest."""
    raise KeyboardInterrupt


def _say(text: str) -> None:
    click.echo(f"sta410: {text}", err=True)
