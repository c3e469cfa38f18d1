"""Regression tests: notebooks against their committed outputs, and runs against a reference run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from sta410kit._internal.project import project_folder, require_project
from sta410kit._internal.redaction import redact
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.research.ledger import VARIABLE
from sta410kit.runner.comparison.files import Difference, Tolerance
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.terminal import say

if TYPE_CHECKING:
    from sta410kit.runner.chain import Run
    from sta410kit.runner.progress import Progress

SANITIZE = Path("notebooks") / "nbval_sanitize.cfg"
_FAILED, _NO_TESTS = 1, 5  # exit codes of pytest
# nbval never closes its handle on the null device.
_UNCLOSED = f"ignore:unclosed file <_io.TextIOWrapper name='{os.devnull}':ResourceWarning"


@dataclass(frozen=True)
class Regression:
    """The outcome of running nbval over notebooks."""

    notebooks: list[Path]
    cells: int  # number of cells that were compared
    # nbval's message for each cell that differs or raised, by ``notebook In [n]``
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> ExitCode:
        """``PASSED``, or ``NOTEBOOK_FAILED`` if a cell differs."""
        return ExitCode.NOTEBOOK_FAILED if self.failures else ExitCode.PASSED

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {"notebooks": list(map(str, self.notebooks)), "cells": self.cells, "failures": self.failures}


def run_nbval(notebooks: Sequence[Path], timeout: float | None = None) -> Regression:
    """Execute notebooks on their defaults with nbval and compare the outputs with the committed ones.

    Trials are counted in a temporary ledger. Notebooks run in the kernel ``sta410``; the project's
    ``notebooks/nbval_sanitize.cfg`` says which text is ignored.
    """
    if find_spec("nbval") is None or find_spec("xdist") is None:
        message = "regression tests need nbval and pytest-xdist; install them: pip install 'sta410kit[test]'"
        raise ConfigurationError(message)
    chosen = [path.absolute() for path in notebooks] or _committed()
    missing = [str(path) for path in chosen if not path.is_file()]
    if missing:
        message = f"no notebook {', '.join(missing)}"
        raise ConfigurationError(message)
    with TemporaryDirectory(prefix="sta410-regress-") as scratch:
        report = Path(scratch) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "--nbval", "--nbval-kernel-name=sta410", f"--junitxml={report}",
            # Independent of how the project configures its own tests.
            "-c", os.devnull, f"--rootdir={project_folder(chosen[0].parent)}", "--noconftest",
            "-p", "no:randomly", "-p", "no:cacheprovider", "-W", _UNCLOSED, "--color=no",
            f"--numprocesses={os.cpu_count() or 1}", "--dist=loadfile", "--quiet",
        ]  # fmt: skip
        sanitize = project_folder(chosen[0].parent) / SANITIZE
        command += [f"--nbval-sanitize-with={sanitize}"] if sanitize.is_file() else []
        command += [f"--nbval-cell-timeout={timeout:g}"] if timeout else []
        done = subprocess.run(  # noqa: S603 - the interpreter of this environment
            [*command, *map(str, dict.fromkeys(chosen))],
            env={**os.environ, VARIABLE: str(Path(scratch) / "trials.sqlite")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, _FAILED, _NO_TESTS} or not report.is_file():
            message = f"nbval did not run:\n{redact(done.stdout + done.stderr)}"
            raise ConfigurationError(message)
        return _read_report(chosen, report)


def run_reference(reference: Path, tolerance: Tolerance, progress: Progress) -> tuple[Run, list[Difference]]:
    """Run what `reference` ran, with its parameters, and compare recorded values and artifacts.

    It is an ordinary run: steps that have not changed are reused. A step that the reference has and the new
    run has not is a difference.
    """
    from sta410kit.runner.chain import run_plan
    from sta410kit.runner.comparison.runs import compare_results
    from sta410kit.runner.plan import Options, plan_chain, plan_notebook

    manifest = read_manifest(reference)
    if manifest.kind not in {"chain", "notebook"} or not manifest.passed:
        message = (
            f"run {manifest.run} cannot be a reference: it is a {manifest.kind} that ended with "
            f"{manifest.outcome}; choose a passed chain or notebook from `sta410 runs`"
        )
        raise ConfigurationError(message)
    if manifest.kind == "chain":
        plan = plan_chain(require_project("; change into one"), manifest.given, Options())
    else:
        plan = plan_notebook(Path(manifest.title), manifest.given, Options())
    run = run_plan(plan, progress)
    found = []
    for step in manifest.steps:
        other = run.manifest.step(step.name)
        if other is None:
            found.append(Difference("outcomes", step.name, step.outcome, "not run"))
        else:
            found += compare_results(reference, step, run.folder, other, tolerance)
    return run, found


def _committed() -> list[Path]:
    project = require_project("; change into one, or name notebooks: sta410 regress NOTEBOOK...")
    return sorted((project / "notebooks").glob("*.ipynb"))


def _read_report(notebooks: list[Path], report: Path) -> Regression:
    """Read pytest's JUnit report; nbval numbers code cells from 0, ``In [n]`` from 1."""
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - written by pytest
    failures = {}
    for case in cases:
        problem = next((one for one in case if one.tag in {"failure", "error"}), None)
        if problem is None:
            continue
        number = case.get("name", "").rpartition(" ")[2]
        cell = f"In [{int(number) + 1}]" if number.isdecimal() else case.get("name", "")
        module = case.get("classname", "")  # the path, with dots for slashes
        notebook = max(
            (path.name for path in notebooks if module.endswith(path.name)), key=len, default=module
        )
        failures[f"{notebook} {cell}"] = redact(problem.text or str(problem.get("message"))).strip()
    return Regression(notebooks, len(cases), failures)


def print_regression(found: Regression) -> None:
    """Print how many cells were compared; the cells that differ go to standard error."""
    for cell, message in found.failures.items():
        say(cell, "red", err=True)
        say(message, err=True)
    counted = f"{pluralize(len(found.notebooks), 'notebook')}, {pluralize(found.cells, 'cell')} compared"
    say(f"{counted}, {len(found.failures) or 'none'} different")
    if found.failures:
        names = " ".join(map(str, found.notebooks))
        command = f"jupyter nbconvert --to notebook --execute --inplace {names}"
        say(f"if the new outputs are right, replace the committed ones: {command}", err=True)


def print_reference(run: Run, reference: str, found: list[Difference]) -> None:
    """Print the comparison with the reference run; differences go to standard error."""
    for one in found:
        say(f"  {one}", err=True)
    state = pluralize(len(found), "difference") if found else "equal within the tolerance"
    say(f"run {run.folder.name} (second) against reference {reference} (first): {state}")
