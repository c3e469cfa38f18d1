"""The deployment checklist: each line ok, warning or failed, with the next command to type.

Nothing of the project is executed or imported.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit._internal.project import find_project, project_folder
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import STA410Exception

if TYPE_CHECKING:
    from collections.abc import Callable

OK, WARNING, FAILED = "ok", "warning", "failed"
_GIB = 1024**3
_ENOUGH_GIB = 1.0
_INSTALL_KERNEL = f"{sys.executable} -m ipykernel install --sys-prefix"


@dataclass(frozen=True)
class Finding:
    """One line of the checklist."""

    subject: str
    state: str  # ``ok``, ``warning`` or ``failed``
    text: str
    advice: str = ""  # the next command to type; empty when there is nothing to do


def examine() -> list[Finding]:
    """Run all checks; one that raises is a failed line."""
    checks: tuple[tuple[str, Callable[[], Finding | None]], ...] = (
        ("python", _python),
        ("project", _project),
        ("configuration", _configuration),
        ("secrets", _secrets),
        ("trading", _trading),
        ("suites", _suites),
        ("holdout", _holdout),
        ("data", _data),
        ("notebooks", _notebooks),
        ("kernel", _kernel),
        ("disk", _disk),
        ("logs", _logs),
    )
    findings = []
    for subject, check in checks:
        try:
            found = check()
            findings += [found] if found is not None else []
        except STA410Exception as error:
            text, advice = str(error), "correct it; docs/configuration.md has all settings"
            earlier = next((one.subject for one in findings if one.text == text), None)
            if earlier is not None:  # a wrong configuration fails every check that reads it
                text, advice = f"not checked: see {earlier}", "sta410 config"
            findings.append(Finding(subject, FAILED, text, advice))
        except Exception as error:  # noqa: BLE001 - a broken installation is a finding
            text = f"{type(error).__name__}: {error}"
            findings.append(Finding(subject, FAILED, text, "make install"))
    return findings


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", OK, f"{found} at {sys.prefix}")


def _project() -> Finding:
    project = find_project()
    if project is None:
        text = "no notebooks/pipeline.toml here or above; single notebooks run, the chain does not"
        return Finding("project", WARNING, text, "cd into the project, then sta410 doctor")
    return Finding("project", OK, str(project))


def _configuration() -> Finding:
    from sta410kit.config import get_config, settings_in_use

    config = get_config()
    idle = ", ".join(row.setting.variable for row in settings_in_use() if row.idle)
    if idle:
        text = f"valid; environment {config.environment}; set, but nothing uses it yet: {idle}"
        return Finding("configuration", WARNING, text, "sta410 config --origins")
    if config.environment == "production" and config.logging.level in {"DEBUG", "INFO"}:
        text = f"valid; environment production logs at {config.logging.level}"
        return Finding("configuration", WARNING, text, "set LOG_LEVEL=WARNING")
    return Finding("configuration", OK, f"valid; environment {config.environment}")


def _secrets() -> Finding:
    from sta410kit.exceptions import SecretsManagementError
    from sta410kit.secrets import get_alpaca_credentials, validate_api_credentials

    try:
        validate_api_credentials(*get_alpaca_credentials())
    except SecretsManagementError as error:
        advice = "cp .env.example .env and set both; not needed for the sources sample and files"
        return Finding("secrets", WARNING, str(error).split(". ")[0], advice)
    return Finding("secrets", OK, "Alpaca credentials are set and look real")


def _trading() -> Finding:
    from sta410kit.config import get_config

    if get_config().trading.paper_trading:
        return Finding("trading", OK, "paper trading")
    return Finding("trading", WARNING, "LIVE trading is on", "set PAPER_TRADING=true unless this is meant")


def _suites() -> Finding:
    from sta410kit.guards.great_expectations import load_suite
    from sta410kit.guards.suites import list_suites, read_suite

    names = list_suites()
    count = 0
    for name in names:
        expectations = read_suite(name).expectations
        load_suite(name, expectations)
        count += len(expectations)
    if not names:
        return Finding("suites", FAILED, "no suite found", "git checkout expectations")
    return Finding("suites", OK, f"{len(names)} load, {count} expectations: {', '.join(names)}")


def _holdout() -> Finding | None:
    """Report the state of the sealed holdout; nothing where there is none."""
    from sta410kit.holdout import current_seal, unsealings

    seal, number = current_seal(), len(unsealings())
    looked = f"; looked into {pluralize(number, 'time')}, see sta410 unseal --list" if number else ""
    if seal.opened is not None:
        text = f"OPEN until {seal.opened.until} ({seal.opened.who}: {seal.opened.why}){looked}"
        return Finding("holdout", WARNING, text, "nothing to do: it is sealed again at that time")
    if seal.start is None:
        return Finding("holdout", OK, f"none any more{looked}") if number else None
    return Finding("holdout", OK, f"sealed from {seal.start}{looked}")


def _data() -> Finding:
    from sta410kit.guards import validate
    from sta410kit.market import load_prices

    result = validate(load_prices(), "prices")
    state = OK if result.passed else FAILED
    return Finding("data", state, f"embedded {result.summary()}", "" if result.passed else "sta410 run")


def _notebooks() -> Finding:
    from sta410kit.runner.pipeline import read_pipeline

    project = find_project()
    if project is None:
        return Finding("notebooks", OK, "outside a project; not checked")
    steps = read_pipeline(project)
    return Finding("notebooks", OK, f"{len(steps)} steps: {', '.join(step.name for step in steps)}")


def _kernel() -> Finding:
    """Import the kit in the kernel that notebooks name, in an empty folder, away from the project."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbformat.v4 import new_code_cell, new_notebook

    from sta410kit.runner.kernels import LocalKernelManager

    cell = new_code_cell("import sys, sta410kit; print(sys.prefix)")  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as empty:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            kernel_manager_class=LocalKernelManager,
            resources={"metadata": {"path": empty}},
        )
        try:
            client.execute()
        except CellExecutionError as error:
            text = f"kernel python3 cannot import sta410kit: {error.evalue}"
            return Finding("kernel", FAILED, text, f"make install; {_INSTALL_KERNEL}")
    prefix = "".join(output.get("text", "") for output in cell.outputs).strip()
    if prefix != sys.prefix:
        text = f"kernel python3 runs another environment: {prefix}"
        return Finding("kernel", WARNING, text, _INSTALL_KERNEL)
    return Finding("kernel", OK, "python3 starts and imports the kit")


def _disk() -> Finding:
    free = shutil.disk_usage(project_folder()).free / _GIB
    if free < _ENOUGH_GIB:
        state = FAILED if free < _ENOUGH_GIB / 10 else WARNING
        return Finding("disk", state, f"{free:.2f} GiB free", "sta410 runs prune --older-than 30d")
    return Finding("disk", OK, f"{free:.0f} GiB free")


def _logs() -> Finding:
    from sta410kit.config import get_config

    folder = project_folder() / get_config().logging.log_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        text = f"{folder}: {error.strerror}"
        return Finding("logs", FAILED, text, "set LOG_DIR to a folder you may write to")
    return Finding("logs", OK, str(folder))
