"""``sta410 leaks``: run the leak probe on a function of prices."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sta410kit._internal.project import project_folder
from sta410kit._internal.text import did_you_mean
from sta410kit.cli.options import PATH, json_option, print_json
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.guards import LeakReport


@click.command()
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option("--data", type=PATH, help="Prices, CSV or Parquet; the embedded sample if not given.")
@click.option(
    "--cutoffs",
    default=40,
    show_default=True,
    type=click.IntRange(1),
    help="Number of sessions after which the future is changed.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the invented futures."
)
@click.option(
    "--horizon",
    default="0",
    show_default=True,
    metavar="SESSIONS | COLUMN=SESSIONS,...",
    help="How far a target may look ahead.",
)
@click.option(
    "--execution",
    default="next_open",
    show_default=True,
    type=click.Choice(["next_open", "close", "open"]),
    help="When a value of t is acted upon.",
)
@click.option("--warmup", is_flag=True, help="Also measure what depends on where the history starts.")
@click.option("--revisions", is_flag=True, help="Also find what changes when adj_close is revised.")
@json_option
def leaks(  # noqa: PLR0913, PLR0917 - the options of the command
    target: str,
    data: Path | None,
    cutoffs: int,
    seed: int,
    horizon: str,
    execution: str,
    warmup: bool,  # noqa: FBT001 - a flag
    revisions: bool,  # noqa: FBT001 - a flag
    as_json: bool,  # noqa: FBT001 - a flag
) -> int:
    """Find out whether MODULE:FUNCTION looks ahead.

    The function is recomputed on other futures and must return the same past. MODULE may be a file, such as
    my_features.py. Exits with 5 if a leak is found.
    """
    from sta410kit.guards import probe_leaks

    # What the function prints must not end up in the report.
    with redirect_stdout(sys.stderr):
        report = probe_leaks(
            import_function(target, (Path.cwd(), project_folder())),
            _prices(data),
            cutoffs,
            seed,
            horizon=_horizon(horizon),
            execution=execution,
            warmup=warmup,
            revisions=revisions,
        )
    _show(report, as_json=as_json)
    if report.passed:
        return ExitCode.PASSED
    return ExitCode.LEAK_FOUND if report.leaks else ExitCode.USAGE


def import_function(target: str, folders: Iterable[Path]) -> Callable[..., Any]:
    """Import a function by its name, ``module:function`` or ``folder/file.py:function``.

    The folders are searched before the installed packages. They stay on ``sys.path``, because a function may
    import when it is called.
    """
    module, _, path = target.partition(":")
    path = path.lstrip(":")  # pytest's form has two colons
    if not module or not path:
        message = f"{target!r} names no function; type module:function, e.g. my_features:build"
        raise ConfigurationError(message)
    if "/" in module or module.endswith(".py"):
        file = Path(module.removesuffix(".py") + ".py").resolve()
        if not file.is_file():
            message = f"there is no file {file}; type module:function, e.g. my_features:build"
            raise ConfigurationError(message)
        module, folders = file.stem, (file.parent, *folders)
    for folder in reversed([str(folder.resolve()) for folder in folders]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        found: Any = import_module(module)
    except (Exception, SystemExit) as error:  # a module may also call sys.exit
        message = f"importing {module} failed: {type(error).__name__}: {error}"
        if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
            message = f"there is no module {error.name!r} in the current folder, the project or the packages"
        raise ConfigurationError(message) from error
    try:
        found = attrgetter(path)(found)
    except AttributeError as error:
        known = [name for name in dir(error.obj) if not name.startswith("_")]
        message = f"{module} has no {path!r}.{did_you_mean(error.name, known)}"
        raise ConfigurationError(message) from error
    if not callable(found):
        message = f"{target} is {type(found).__name__} and no function"
        raise ConfigurationError(message)
    return found  # type: ignore[no-any-return] # callable, as just seen


def _horizon(text: str) -> int | dict[str, int]:
    """Read a number of sessions, or one for each of several columns."""
    try:
        if "=" not in text:
            return int(text)
        pairs = (part.rpartition("=") for part in text.split(","))
        return {name.strip(): int(sessions) for name, _, sessions in pairs}
    except ValueError as error:
        message = f"--horizon is {text!r}; give sessions, as 5, or sessions by column, as y=5,z=20"
        raise ConfigurationError(message) from error


def _prices(data: Path | None) -> pd.DataFrame:
    from sta410kit.market import load_prices

    return load_prices() if data is None else load_prices(source="files", path=data)


def _show(report: LeakReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.to_dict())
        return
    click.echo(report.summary())
    for finding in report.findings:
        click.echo(f"  {finding}")
    for remark in report.remarks():
        click.echo(f"  {remark}")
