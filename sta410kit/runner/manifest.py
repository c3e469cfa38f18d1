"""``manifest.json``: all there is to know of a run, written at its start, after each step and at its end."""

from __future__ import annotations

import getpass
import json
import os
import platform
import socket
import subprocess
import sysconfig
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sta410kit
from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.runs import MANIFEST

if TYPE_CHECKING:
    from sta410kit.runner.registry import Registry

RUNNING = "RUNNING"
DIFF = "code.diff"
_MOST_UNTRACKED = 100
Record = TypeVar("Record")


@dataclass
class StepRecord:
    """How one step of a run ended.

    Attributes
    ----------
    name, outcome, message, notebook : str
        Its name, its ending, what there is to say of it, and the executed notebook's file name.
    seconds : float
        Wall-clock time.
    peak_memory : int
        Bytes; 0 where it is not known.
    warnings : list of str
        What did not stop it and still has to be known.
    identity : str
        The digest of `parts`.
    parts : dict of str to str
        What its result depends on.
    artifacts : dict of str to str
        SHA-256 of each file it left, by file name.
    reused : str
        The run its result was taken from; empty when it was executed here.
    started : str
        When it began, in UTC.
    failure : dict
        What a cell raised: ``cell`` (the number in brackets), ``error``, ``text``, ``of_the_kit``.
    """

    name: str
    outcome: str
    seconds: float = 0.0
    message: str = ""
    notebook: str = ""
    peak_memory: int = 0
    warnings: list[str] = field(default_factory=list)
    identity: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    reused: str = ""
    started: str = ""
    failure: dict[str, Any] = field(default_factory=dict)


@dataclass
class Manifest:
    """A run as its folder tells it.

    Attributes
    ----------
    run, kind, title : str
        Its id; ``chain`` or ``notebook``; the notebook that ran alone.
    started, finished : str
        In UTC; the second is empty while it runs.
    outcome, exit_code : str, int or None
        ``RUNNING`` and nothing until it has ended.
    given, parameters : dict
        What was typed; what each step got of it, with its type.
    options : dict
        How it was asked for: ``fresh``, ``first``, ``last``.
    steps, not_run : list
        What was executed or taken over; what has not come so far.
    results : dict
        The verdict and the forecasts.
    seed, settings : int or None, dict
        The seed of the settings, and all of them but for secrets.
    git, host, versions : dict
        Commit, branch and what is not committed; the machine; the installed packages.
    """

    run: str
    kind: str = "chain"
    title: str = ""
    started: str = ""
    finished: str = ""
    outcome: str = RUNNING
    exit_code: int | None = None
    given: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    git: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the manifest into the run's folder, whole or not at all, secrets redacted."""
        write_text(folder / MANIFEST, redact(json.dumps(asdict(self), indent=1, default=str)) + "\n")

    @property
    def last_end(self) -> datetime:
        """When the last step that has run so far had ended."""
        ends = [datetime.fromisoformat(one.started) + timedelta(seconds=one.seconds) for one in self.steps]
        return max(ends, default=datetime.fromisoformat(self.started))

    def step(self, name: str) -> StepRecord | None:
        """Return the record of a step, if it has come so far."""
        return next((record for record in self.steps if record.name == name), None)


def begin(manifest: Manifest, folder: Path, registry: Registry) -> None:
    """Note in a manifest what holds for every run that begins in `folder`, and write it there.

    That is the time, the seed and the settings, the state of the code, the machine and what is installed.
    The index of runs knows of it from now on.
    """
    settings = get_config()
    manifest.started, manifest.seed, manifest.settings = now(), settings.model.random_seed, settings.to_dict()
    manifest.git = git_state(folder.parent.parent, folder)
    manifest.host, manifest.versions = host_facts(), remembered_versions(registry)
    manifest.write(folder)
    registry.note_run(folder.name, manifest.started, manifest.outcome, manifest.kind, manifest.title)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the run in `folder`; a `ConfigurationError` when there is none to be read."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        steps = [_known(StepRecord, record) for record in content.pop("steps", [])]
        return _known(Manifest, {**content, "steps": steps})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        message = f"{path} is not a manifest of this version of the kit: {error}"
        raise ConfigurationError(message) from error


def _known(kind: type[Record], content: dict[str, Any]) -> Record:
    """Return a record without what only a later version of the kit knows of."""
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type] # both kinds are dataclasses
    return kind(**{name: value for name, value in content.items() if name in names})


def now() -> str:
    """Return the present time as it stands in manifests."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def host_facts() -> dict[str, Any]:
    """Return where this runs: system, processor count, Python, user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else ""
    return {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "user": user,
    }


def installed_versions() -> dict[str, str]:
    """Return name and version of every installed package, and the kit's."""
    found = {item.metadata["Name"]: item.version for item in distributions() if item.metadata["Name"]}
    return {**dict(sorted(found.items())), "sta410kit": sta410kit.__version__}


def remembered_versions(registry: Registry) -> dict[str, str]:
    """Return what is installed, from memory for as long as the folder of packages has not changed."""
    found: dict[str, str] = registry.remembered(Path(sysconfig.get_path("purelib")), _versions_in)
    return found


def _versions_in(_: Path) -> dict[str, str]:
    return installed_versions()


def git_state(project: Path, folder: Path) -> dict[str, Any]:
    """Return commit and branch of the project's checkout; what is not committed goes to ``code.diff``.

    Files that git does not follow are named. Empty outside a checkout, or where git is not installed or does
    not answer.
    """
    commit = _git(project, "rev-parse", "HEAD")
    if commit is None:
        return {}
    diff = _git(project, "diff", "HEAD", "--no-color", "--no-ext-diff") or ""
    (folder / DIFF).unlink(missing_ok=True)  # of an earlier try in this folder
    if diff.strip():
        write_text(folder / DIFF, redact(diff))
    strangers = _git(project, "ls-files", "--others", "--exclude-standard") or ""
    return {
        "commit": commit.strip(),
        "branch": (_git(project, "rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        "changed": bool(diff.strip()),
        "untracked": strangers.splitlines()[:_MOST_UNTRACKED],
    }


def _git(project: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(project), *words],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
