"""What a deployment needs beyond a sound installation: the rest of the checklist of ``sta410 doctor``.

Nothing of the project is executed: tests and image are judged by what their last run left.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sta410kit._internal.project import project_folder
from sta410kit._internal.text import pluralize
from sta410kit.config import get_config
from sta410kit.runner.backup import last_backup
from sta410kit.runner.doctor import CHECKS, FAILED, OK, Check, Finding, subject_of
from sta410kit.runner.schedules import FILE, read_schedules

IMAGE = "sta410kit"
_TESTED = ".pytest_cache/v/cache"
_TEST_SOURCES = ("sta410kit", "notebooks", "tests", "expectations")
_BUILD_SOURCES = ("Dockerfile", "requirements.txt", "pyproject.toml")
_BACKUP_AGE = timedelta(days=4)  # a long weekend: backups follow the sessions
_IN_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


def environment() -> Finding:
    """Whether the environment is the one asked for."""
    found = get_config().environment
    if found != "production":
        return Finding(FAILED, f"ENVIRONMENT is {found}", "set ENVIRONMENT=production in .env")
    return Finding(OK, found)


def secrets() -> Finding:
    """Whether there are credentials; schedules that neither read from Alpaca nor trade need none."""
    from sta410kit.exceptions import SecretsManagementError
    from sta410kit.secrets import get_alpaca_credentials

    try:
        get_alpaca_credentials()
    except SecretsManagementError as error:
        if not _needs_alpaca():
            return Finding(OK, f"no schedule of {FILE} reads from Alpaca; sta410 trade would be refused")
        advice = "write both to .env, or to files that ALPACA_API_KEY_FILE and ALPACA_SECRET_KEY_FILE name"
        return Finding(FAILED, str(error).split(". ")[0], advice)
    return Finding(OK, "Alpaca credentials are set and look real")


def authentication() -> Finding:
    """Whether Alpaca takes the credentials."""
    from sta410kit.exceptions import STA410Exception
    from sta410kit.market.brokerage import brokerage
    from sta410kit.market.resilience import Timeouts

    if not _needs_alpaca():
        return Finding(OK, "not needed")
    try:
        with brokerage(Timeouts(connect=5, read=10, whole=10)) as broker:
            equity = broker.account().equity
    except STA410Exception as error:
        return Finding(FAILED, str(error), "correct the credentials, then sta410 trade to see the account")
    return Finding(OK, f"Alpaca takes the credentials; equity {equity:,.2f}")


def trading() -> Finding:
    """Whether orders use real money; the configuration refuses that unless it is acknowledged."""
    if get_config().trading.paper_trading:
        return Finding(OK, "paper trading")
    return Finding(OK, "LIVE trading, as LIVE_TRADING_ACKNOWLEDGED says; PAPER_TRADING=true ends it")


def schedules() -> Finding:
    """Whether something runs every night, and on data that load and validate."""
    from sta410kit.guards import validate
    from sta410kit.market import load_prices

    project, found = project_folder(), _schedules()
    if not found:
        return Finding(FAILED, f"none: there is no {FILE}", "write one: docs/production.md")
    for name, parameters in found.items():
        if path := parameters.get("path"):
            result = validate(load_prices("files", path=project / str(path)), "prices")
            if not result.passed:
                return Finding(FAILED, f"{name}: {result.summary()}", f"sta410 triage {path}")
    return Finding(OK, f"{', '.join(found)}; price files that they name pass the gate")


def tests() -> Finding:
    """Whether the last run of the tests passed, and saw the code as it is."""
    project = project_folder()
    if not (project / "tests").is_dir():
        return Finding(OK, "not part of an image; they belong to the checkout it was built from")
    cache = project / _TESTED
    known, failed = (_read_json(cache / name) for name in ("nodeids", "lastfailed"))
    if not known:
        return Finding(FAILED, "never run here", "make test")
    if failed:
        text = f"{pluralize(len(failed), 'test')} failed at the last run, the first {next(iter(failed))}"
        return Finding(FAILED, text, "make test")
    ran = max(path.stat().st_mtime for path in cache.iterdir())
    changed = _newer(project, _TEST_SOURCES, ran)
    if changed:
        return Finding(FAILED, f"{changed} was changed since they passed", "make test")
    return Finding(OK, f"{pluralize(len(known), 'test')} known, no failure at the last run, {_day(ran)}")


def image() -> Finding:
    """Whether the image is built, and from the present declarations; only where there is an engine."""
    if any(path.exists() for path in _IN_CONTAINER):
        return Finding(OK, "running in it")
    project, docker = project_folder(), shutil.which("docker")
    if docker is None or not (project / "Dockerfile").is_file():
        return Finding(OK, "not used: no docker command, or no Dockerfile, here")
    command = [docker, "image", "inspect", "--format", "{{.Created}}", IMAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    build = f"docker build --tag {IMAGE} ."
    if done.returncode != 0:
        return Finding(FAILED, (done.stderr.strip() or "docker says nothing").splitlines()[-1], build)
    created = datetime.fromisoformat(f"{done.stdout.strip()[:19]}+00:00").timestamp()
    changed = _newer(project, _BUILD_SOURCES, created)
    if changed:
        return Finding(FAILED, f"{changed} was changed since it was built", build)
    return Finding(OK, f"{IMAGE}, built {_day(created)}")


def alerts() -> Finding:
    """Whether someone hears of a failed night."""
    if get_config().night.alert_urls.get_secret_value():
        return Finding(OK, "ALERT_URLS is set")
    advice = "set it in .env, or write it to a file that ALERT_URLS_FILE names"
    return Finding(FAILED, "ALERT_URLS is not set", advice)


def monitoring() -> Finding:
    """Whether Prometheus has something to read: the service, or the file of scheduled runs."""
    project, textfile = project_folder(), get_config().night.metrics_textfile
    if textfile:
        path = project / textfile
        if not path.is_file():
            return Finding(FAILED, f"{path} is not there yet", "sta410 run --schedule NAME writes it")
        return Finding(OK, f"{path}, written {_day(path.stat().st_mtime)}")
    if get_config().service.database_url.get_secret_value() or (project / "runs/service.sqlite").is_file():
        return Finding(OK, "the service, at /metrics")
    advice = "sta410 serve, or set METRICS_TEXTFILE; deploy/prometheus has the rest"
    return Finding(FAILED, "neither a service nor METRICS_TEXTFILE", advice)


def backup() -> Finding:
    """Whether there is a backup, not older than a long weekend."""
    found = last_backup(project_folder())
    if found is None:
        return Finding(FAILED, "none was made yet", "sta410 backup DEST")
    moment, destination = found
    text = f"{_day(moment.timestamp())} to {destination}"
    if datetime.now(UTC) - moment > _BACKUP_AGE:
        return Finding(FAILED, f"the newest is of {text}", f"sta410 backup {destination}")
    return Finding(OK, text)


def checks() -> tuple[Check, ...]:
    """Return the whole checklist: that of the installation, then that of its deployment."""
    stricter = (
        environment, secrets, authentication, trading, schedules, tests, image, alerts, monitoring, backup,
    )  # fmt: skip
    subjects = set(map(subject_of, stricter))
    return (*(one for one in CHECKS if subject_of(one) not in subjects), *stricter)


def _schedules() -> dict[str, dict[str, Any]]:
    """Return the parameters of each schedule by its name."""
    if not (project_folder() / FILE).is_file():
        return {}
    return {name: one.parameters for name, one in read_schedules(project_folder()).items()}


def _needs_alpaca() -> bool:
    found = _schedules()
    live = not get_config().trading.paper_trading
    return live or not found or any(one.get("source") == "alpaca" for one in found.values())


def _newer(project: Path, names: tuple[str, ...], moment: float) -> str:
    """Name the first file that was changed after `moment`; nothing if none was."""
    for path in _files(project, names):
        if path.stat().st_mtime > moment:
            return path.relative_to(project).as_posix()
    return ""


def _files(project: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        if (project / name).is_file():
            yield project / name
        for root, folders, files in os.walk(project / name):
            folders[:] = [one for one in folders if one[0] != "." and one != "__pycache__"]
            yield from (Path(root, one) for one in files)


def _read_json(path: Path) -> Any:  # noqa: ANN401 - of pytest's making
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
