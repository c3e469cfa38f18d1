"""The manifest of a run, ``manifest.json``: written at its start, after each step and at its end."""

import json
import os
import platform
import socket
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, TypeVar

import sta410kit
from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.checkout import git, user_name
from sta410kit._internal.redaction import redact
from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import MANIFEST, REPORT, run_folders

SCHEMA = 1  # of the manifest; raised when a field changes its meaning or goes
RUNNING = "RUNNING"
UNITS, RECORD = "units", "unit.json"  # of a sweep: the folder of its units, and the record of each
DIFF = "code.diff"
JOB = "STA410_JOB"  # the variable by which the service tells a run whose it is
_MOST_UNTRACKED = 100
_RESULTS = {  # types of what `results` holds, where pages and metrics look into it
    **dict.fromkeys(("scores", "data", "origin", "verdict", "quarantined", "no_forecast"), dict),
    **dict.fromkeys(("forecasts", "orders", "scorecard", "outcomes", "drift"), list),
}


@dataclass
class StepRecord:
    """How one step of a run ended."""

    # its name, the name of its exit code, the reason of a failure, and the executed notebook's file name
    name: str
    outcome: str
    seconds: float = 0.0  # wall-clock time
    message: str = ""
    notebook: str = ""
    peak_memory: int = 0  # bytes; 0 where unknown
    warnings: list[str] = field(default_factory=list)  # problems that did not stop the step
    # values of all its parameters; a default that is an expression is given as source text
    parameters: dict[str, Any] = field(default_factory=dict)
    recorded: dict[str, Any] = field(default_factory=dict)  # values recorded with `sta410kit.steps.record`
    # for each Parquet artifact with columns ``symbol`` and ``date``: ``symbols``, ``first`` and ``last``
    # session, ``rows``
    data: dict[str, dict[str, Any]] = field(default_factory=dict)
    identity: str = ""  # the digest of `parts`
    parts: dict[str, str] = field(default_factory=dict)  # digests of what the result depends on
    artifacts: dict[str, str] = field(default_factory=dict)  # SHA-256 of each file it left, by file name
    reused: str = ""  # the run its result was taken from; empty when it was executed in this run
    started: str = ""  # when it began, in UTC
    # the user's files that it read while it ran: as observed when `execute` returns it, with their digests in
    # a run, see `reads.record_reads`; nothing where not observed
    reads: dict[str, Any] | None = None
    # the exception that a cell raised: ``cell`` (its execution count), ``error``, ``text``, ``of_the_kit``
    failure: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.outcome == ExitCode.PASSED.name


@dataclass
class Manifest:
    """Everything that is known of a run."""

    # its id; ``chain``, ``notebook`` or ``sweep``; the notebook, unless it is a chain
    run: str
    kind: str = "chain"
    title: str = ""
    job: str = ""  # key of the service's job that made it
    schema: int = SCHEMA  # version of this structure
    # in UTC; the second is empty while it runs
    started: str = ""
    finished: str = ""
    # ``RUNNING`` and None until it has ended
    outcome: str = RUNNING
    exit_code: int | None = None
    # parameters as typed; typed values by step
    given: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)  # ``fresh``, ``first``, ``last``, ``session``
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    # records of the steps that were executed or reused; names of the others
    steps: list[StepRecord] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # ``model``, ``verdict``, ``scores``, ``forecasts``, ``data``, ``quarantined``: `results.run_results`
    results: dict[str, Any] = field(default_factory=dict)
    # the random seed, and all settings but secrets
    seed: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    # commit, branch and uncommitted changes; the machine; the installed packages
    git: dict[str, Any] = field(default_factory=dict)
    host: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the manifest into the run folder atomically, secrets redacted."""
        write_text(folder / MANIFEST, redact(json.dumps(asdict(self), indent=1, default=str)) + "\n")

    @property
    def passed(self) -> bool:
        """Whether the run passed."""
        return self.outcome == ExitCode.PASSED.name

    @property
    def last_end(self) -> datetime:
        """When the last step so far ended."""
        ends = [datetime.fromisoformat(one.started) + timedelta(seconds=one.seconds) for one in self.steps]
        return max(ends, default=datetime.fromisoformat(self.started))

    @property
    def seconds(self) -> float | None:
        """Wall-clock time of the run; None while it has no end."""
        if not self.finished:
            return None
        started, finished = (datetime.fromisoformat(text) for text in (self.started, self.finished))
        return (finished - started).total_seconds()

    @property
    def ends_early(self) -> str:
        """That its prices end before the session that a schedule wanted; empty where they do not."""
        last, session = self.results.get("data", {}).get("last", ""), self.options.get("session", "")
        return f"prices end {last}, before the session of {session}" if last and last < session else ""

    def step(self, name: str) -> StepRecord | None:
        """Return the record of a step, or None if it has not run."""
        return next((record for record in self.steps if record.name == name), None)


_Record = TypeVar("_Record", Manifest, StepRecord)


def begin(manifest: Manifest, folder: Path, registry: Registry) -> None:
    """Fill in what is known when a run begins in `folder`, and write the manifest there.

    That is the time, the seed and the settings, the state of the code, the machine and the packages.
    """
    settings = get_config()
    manifest.job = os.environ.get(JOB, "")
    manifest.started, manifest.seed, manifest.settings = now(), settings.model.random_seed, settings.to_dict()
    manifest.git = git_state(folder.parent.parent, folder)
    manifest.host = host_facts()
    manifest.versions = registry.remembered(Path(sysconfig.get_path("purelib")), _installed_versions)
    manifest.write(folder)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the run in `folder`."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = content.get("schema", 0)
        if schema == SCHEMA:
            found = _checked(Manifest(**content))
            return replace(found, steps=[_checked(StepRecord(**one)) for one in content["steps"]])
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        message = f"{path} cannot be read as a manifest: {error}"
        raise ConfigurationError(message) from error
    message = (
        f"run {folder.name} was written by another version of sta410kit (run schema {schema}, this version "
        f"reads {SCHEMA}); look at {folder / REPORT}, or execute it again: sta410 run"
    )
    raise ConfigurationError(message)


def _checked(record: _Record) -> _Record:
    """Return a record, unless a value is not of its field's type, as far as that is known by its default."""
    fields = {name: type(value) for name, value in vars(type(record)("", "")).items() if value is not None}
    results: dict[str, Any] = getattr(record, "results", {})
    for types, values in ((fields, vars(record)), (_RESULTS, results)):
        for name, value in values.items():
            kind = types.get(name, object)
            if not isinstance(value, int | float if kind is float else kind):  # a sum of nothing is the int 0
                message = f"{name} is {value!r:.40}"
                raise TypeError(message)
    for text in filter(None, map(vars(record).get, ("started", "finished"))):
        datetime.fromisoformat(text)
    return record


def read_units(folder: Path) -> list[StepRecord]:
    """Return the record of each unit whose result lies in a run folder."""
    found = []
    for path in sorted((folder / UNITS).glob(f"*/{RECORD}")):
        with suppress(OSError, ValueError, TypeError):  # it will be executed again
            found.append(_checked(StepRecord(**json.loads(path.read_text(encoding="utf-8")))))
    return found


def manifests(runs: Path, kind: str = "") -> Iterator[tuple[Path, Manifest]]:
    """Yield folder and manifest of each readable run of that kind, the newest first."""
    for folder in run_folders(runs):
        with suppress(ConfigurationError):
            manifest = read_manifest(folder)
            if kind in {"", manifest.kind}:
                yield folder, manifest


def runs_before(folder: Path, manifest: Manifest) -> Iterator[tuple[Path, Manifest]]:
    """Yield the runs before this one of the chain, or of the same notebook or sweep, the newest first."""
    for other, earlier in manifests(folder.parent, manifest.kind):
        if other.name < folder.name and earlier.title == manifest.title:
            yield other, earlier


def last_passed(folder: Path, manifest: Manifest) -> Manifest | None:
    """Return the newest passed run before this one of the chain, or of the same notebook or sweep."""
    return next((earlier for _, earlier in runs_before(folder, manifest) if earlier.passed), None)


def resume_command(folder: Path, manifest: Manifest) -> str:
    """Return the command that continues a run whose process is gone; empty where none does any more."""
    command = {"chain": "sta410 run --resume", "sweep": "sta410 sweep --resume"}.get(manifest.kind, "")
    newest = next(manifests(folder.parent, manifest.kind), None) if command else None
    return command if newest is not None and newest[0] == folder else ""


def now() -> str:
    """Return the current time as manifests hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def host_facts() -> dict[str, Any]:
    """Return host name, system, processor count, Python version and user."""
    return {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "user": user_name(),
    }


def _installed_versions(_: Path) -> dict[str, str]:
    """Return name and version of every installed package, and of the kit."""
    found = {item.metadata["Name"]: item.version for item in distributions() if item.metadata["Name"]}
    return {**dict(sorted(found.items())), "sta410kit": sta410kit.__version__}


def git_state(project: Path, folder: Path) -> dict[str, Any]:
    """Return commit and branch of the project's checkout, and write uncommitted changes to ``code.diff``.

    Untracked files are listed by name. Empty outside a checkout or without git.
    """
    commit = git(project, "rev-parse", "HEAD")
    if commit is None:
        return {}
    diff = git(project, "diff", "HEAD", "--no-color", "--no-ext-diff") or ""
    (folder / DIFF).unlink(missing_ok=True)  # of an earlier attempt in this folder
    if diff.strip():
        write_text(folder / DIFF, redact(diff))
    untracked = git(project, "ls-files", "--others", "--exclude-standard") or ""
    return {
        "commit": commit.strip(),
        "branch": (git(project, "rev-parse", "--abbrev-ref", "HEAD") or "").strip(),
        "changed": bool(diff.strip()),
        "untracked": untracked.splitlines()[:_MOST_UNTRACKED],
    }
