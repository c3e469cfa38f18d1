"""The deployment checklist: each line ok, warning or failed, with the next command to type.

Nothing of the project is executed or imported.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sta410kit._internal.project import find_project, project_folder
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import STA410Exception

OK, WARNING, FAILED = "ok", "warning", "failed"
_GIB = 1024**3
_ENOUGH_GIB = 1.0


@dataclass(frozen=True)
class Finding:
    """One line of the checklist; `advice` is the next command to type, if there is something to do."""

    state: str
    text: str
    advice: str = ""
    subject: str = ""


Check = Callable[[], Finding | None]


def subject_of(check: Check) -> str:
    """Return what a check is about."""
    return check.__name__.removeprefix("_")


def examine(checks: Iterable[Check]) -> list[Finding]:
    """Run checks; one that raises is a failed line."""
    findings: list[Finding] = []
    for check in checks:
        subject = subject_of(check)
        try:
            found = check()
        except STA410Exception as error:
            found = Finding(FAILED, str(error), "correct it; docs/configuration.md has all settings")
            earlier = next((one.subject for one in findings if one.text == found.text), None)
            if earlier is not None:  # a wrong configuration fails every check that reads it
                found = Finding(FAILED, f"not checked: see {earlier}", "sta410 config")
        except Exception as error:  # noqa: BLE001 - a broken installation is a finding
            found = Finding(FAILED, f"{type(error).__name__}: {error}", "make install")
        if found is not None:
            findings.append(Finding(found.state, found.text, found.advice, subject))
    return findings


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(OK, f"{found} at {sys.prefix}")


def _project() -> Finding:
    project = find_project()
    if project is None:
        text = "no notebooks/pipeline.toml here or above; single notebooks run, the chain does not"
        return Finding(WARNING, text, "cd into the project, then sta410 doctor")
    return Finding(OK, str(project))


def _configuration() -> Finding:
    from sta410kit.config import get_config

    config = get_config()
    text = f"valid; environment {config.environment}"
    if config.environment == "production" and config.logging.level in {"DEBUG", "INFO"}:
        return Finding(WARNING, f"{text} logs at {config.logging.level}", "set LOG_LEVEL=WARNING")
    return Finding(OK, text)


def _secrets() -> Finding:
    from sta410kit.exceptions import SecretsManagementError
    from sta410kit.secrets import get_alpaca_credentials, validate_api_credentials

    try:
        validate_api_credentials(*get_alpaca_credentials())
    except SecretsManagementError as error:
        advice = "cp .env.example .env and set both; not needed for the sources sample and files"
        return Finding(WARNING, str(error).split(". ")[0], advice)
    return Finding(OK, "Alpaca credentials are set and look real")


def _trading() -> Finding:
    from sta410kit.config import get_config

    if get_config().trading.paper_trading:
        return Finding(OK, "paper trading")
    return Finding(WARNING, "LIVE trading is on", "set PAPER_TRADING=true unless this is meant")


def _suites() -> Finding:
    from sta410kit.guards.great_expectations import load_suite
    from sta410kit.guards.suites import list_suites, read_suite

    suites = {name: read_suite(name).expectations for name in list_suites()}
    for name, expectations in suites.items():
        load_suite(name, expectations)
    if not suites:
        return Finding(FAILED, "no suite found", "git checkout expectations")
    count = sum(map(len, suites.values()))
    return Finding(OK, f"{len(suites)} load, {count} expectations: {', '.join(suites)}")


def _holdout() -> Finding | None:
    """Report the state of the sealed holdout; nothing where there is none."""
    from sta410kit.holdout import current_seal, unsealings

    seal, number = current_seal(), len(unsealings())
    looked = f"; looked into {pluralize(number, 'time')}, see sta410 unseal --list" if number else ""
    if seal.opened is not None:
        text = f"OPEN until {seal.opened.until} ({seal.opened.who}: {seal.opened.why}){looked}"
        return Finding(WARNING, text, "nothing to do: it is sealed again at that time")
    if seal.start is None:
        return Finding(OK, f"none any more{looked}") if number else None
    return Finding(OK, f"sealed from {seal.start}{looked}")


def _data() -> Finding:
    from sta410kit.guards import validate
    from sta410kit.market import load_prices

    result = validate(load_prices(), "prices")
    text = f"embedded {result.summary()}"
    return Finding(OK, text) if result.passed else Finding(FAILED, text, "sta410 run")


def _notebooks() -> Finding:
    from sta410kit.runner.pipeline import read_pipeline

    project = find_project()
    if project is None:
        return Finding(OK, "outside a project; not checked")
    steps = read_pipeline(project)
    return Finding(OK, f"{len(steps)} steps: {', '.join(step.name for step in steps)}")


def _kernel() -> Finding:
    """Import the kit in the kernel that notebooks name, in an empty folder, away from the project."""
    from nbformat.v4 import new_code_cell, new_notebook

    from sta410kit.runner.kernels import ordinary_kernel

    cell = new_code_cell("import sys, sta410kit; print(sys.prefix)")  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    repair = f"{sys.executable} -m ipykernel install --sys-prefix"
    with tempfile.TemporaryDirectory() as empty:
        log = Path(empty) / "kernel.log"
        with ordinary_kernel(notebook, "python3", Path(empty), log, None, {}) as run:
            if not run(cell):
                text = f"kernel python3 cannot import sta410kit: {cell.outputs[-1].evalue}"
                return Finding(FAILED, text, f"make install; {repair}")
    prefix = "".join(output.get("text", "") for output in cell.outputs).strip()
    if prefix != sys.prefix:
        return Finding(WARNING, f"kernel python3 runs another environment: {prefix}", repair)
    return Finding(OK, "python3 starts and imports the kit")


def _disk() -> Finding:
    free = shutil.disk_usage(project_folder()).free / _GIB
    if free < _ENOUGH_GIB:
        state = FAILED if free < _ENOUGH_GIB / 10 else WARNING
        return Finding(state, f"{free:.2f} GiB free", "sta410 runs prune --older-than 30d")
    return Finding(OK, f"{free:.0f} GiB free")


def _logs() -> Finding:
    from sta410kit.config import get_config

    folder = project_folder() / get_config().logging.log_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(FAILED, f"{folder}: {error.strerror}", "set LOG_DIR to a folder you may write to")
    return Finding(OK, str(folder))


CHECKS: tuple[Check, ...] = (
    _python, _project, _configuration, _secrets, _trading, _suites, _holdout, _data, _notebooks, _kernel,
    _disk, _logs,
)  # fmt: skip
