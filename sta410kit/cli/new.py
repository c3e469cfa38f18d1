"""``sta410 new``: a project, or a notebook, feature, model, expectation or price source in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sta410kit.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from sta410kit.runner.new import Made


@click.group()
def new() -> None:
    """Make a project, or something in the project of this folder, with a test."""


@new.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--minimal", is_flag=True, help="Two notebooks, prices and forecast, instead of six.")
def project(folder: Path, *, minimal: bool) -> int:
    """Make a project in the new folder DIR: notebooks, suites, tests, Makefile, CI.

    `sta410 run` and `python -m pytest` pass in it at once, without a network.
    """
    from sta410kit.runner.new import new_project

    return _say(new_project(folder, minimal=minimal))


@new.command()
@click.argument("name")
def notebook(name: str) -> int:
    """Make the notebook notebooks/NAME.ipynb."""
    return _make("new_notebook", name)


@new.command()
@click.argument("name")
def feature(name: str) -> int:
    """Add the feature NAME to my_features.py and to the suites."""
    return _make("new_feature", name)


@new.command()
@click.argument("name")
def expectation(name: str) -> int:
    """Add the expectation NAME to my_expectations.py and, as a warning, to the suite prices."""
    return _make("new_expectation", name)


@new.command()
@click.argument("name")
def model(name: str) -> int:
    """Add the model class NAME to my_models.py."""
    return _make("new_model", name)


@new.command()
@click.argument("name")
def source(name: str) -> int:
    """Add the price source NAME to my_sources.py."""
    return _make("new_source", name)


def _make(function: str, name: str) -> int:
    from sta410kit._internal.project import require_project
    from sta410kit.runner import new as maker

    make: Callable[[Path, str], Made] = getattr(maker, function)
    folder = require_project("; make one first: sta410 new project DIR")
    before = {*folder.glob("*.py"), *folder.glob("*/*")}
    return _say(make(folder, name), before)


def _say(made: Made, before: Container[Path] = ()) -> int:
    here = Path.cwd()
    for path in made.files:
        did = "changed" if path in before else "wrote"
        click.echo(f"{did} {path.relative_to(here) if path.is_relative_to(here) else path}")
    click.echo("next:")
    for step in made.next_steps:
        click.echo(f"  {step}")
    return ExitCode.PASSED
