"""Compare two runs by their manifests, and by the values and files their steps left."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.comparison.files import EXACT, Difference, Tolerance, compare_files, compare_values
from sta410kit.runner.key_metrics import metrics_of
from sta410kit.runner.manifest import DIFF, Manifest, StepRecord, read_manifest, read_units, runs_before
from sta410kit.runner.terminal import say

KINDS = (
    "metrics", "code", "parameters", "data", "packages", "settings", "seed", "git", "outcomes", "recorded",
    "artifacts",
)  # fmt: skip
_SWEEP = "sweep"
_MOST = 30  # differences printed of a kind
# What a dependency of a step is about, by its first word. Parameters, settings and packages are compared by
# value, and inputs as artifacts of the step that left them.
_DEPENDENCIES = {"code": "code", "kit": "code", "file": "data", "holdout": "data", "python": "packages"}


@dataclass(frozen=True)
class Comparison:
    """The outcome of comparing two runs."""

    first: str
    second: str
    differences: list[Difference]  # empty when the runs are equal
    steps: list[str]
    # the executed notebooks of the first step whose results or code differ; empty when there is none
    notebooks: tuple[Path, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def of_kind(self, kind: str) -> list[Difference]:
        """Return the differences of one kind."""
        return [one for one in self.differences if one.kind == kind]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "first": self.first,
            "second": self.second,
            "same": self.same,
            "steps": self.steps,
            "differences": [one._asdict() for one in self.differences],
            "notebooks": list(map(str, self.notebooks)),
        }


def previous_run(folder: Path) -> Path:
    """Return the run before this one of the chain, or of the same notebook or sweep."""
    for other, _ in runs_before(folder, read_manifest(folder)):
        return other
    message = f"no run before {folder.name} is of its kind; name the two to compare: sta410 diff A B"
    raise ConfigurationError(message)


def compare_runs(first: Path, second: Path, tolerance: Tolerance = EXACT) -> Comparison:
    """Compare two runs: what they depended on, how they ended, what they recorded and left.

    Units of two sweeps are paired by the values that were swept, not by their numbers.
    """
    old, new = read_manifest(first), read_manifest(second)
    ids = old.run, new.run
    if old.kind == new.kind == _SWEEP:
        swept = list(dict.fromkeys(name for run in (old, new) for name in run.results["sweep"]["grid"]))
        old, new = _named_by_values(first, old, swept), _named_by_values(second, new, swept)
    pairs = [(step, other) for step in old.steps if (other := new.step(step.name)) is not None]
    found = [one for kind, facts in _FACTS.items() for one in _compare_mappings(kind, facts(old), facts(new))]
    found += [*_compare_dependencies(pairs), *_compare_changes(first, second)]
    notebooks: tuple[Path, ...] = ()
    for step, other in pairs:
        results = compare_results(first, step, second, other, tolerance)
        found += results
        if not notebooks and (results or step.parts.get("code") != other.parts.get("code")):
            paths = first / step.notebook, second / other.notebook
            notebooks = paths if all(path.is_file() and path.suffix == ".ipynb" for path in paths) else ()
    found.sort(key=lambda one: KINDS.index(one.kind))
    return Comparison(*ids, found, [step.name for step, _ in pairs], notebooks)


def compare_results(
    first: Path, step: StepRecord, second: Path, other: StepRecord, tolerance: Tolerance = EXACT
) -> list[Difference]:
    """Return where the recorded values and the artifacts of a step differ between two runs.

    `diff`, `verify` and `regress` share this comparison.
    """
    # Why a source did not answer is no result: `verify` reads the stored prices and asks nobody.
    old_values, new_values = (
        {name: value for name, value in one.recorded.items() if name != "source_failure"}
        for one in (step, other)
    )
    found = compare_values(old_values, new_values, tolerance)
    homes = first / Path(step.notebook).parent, second / Path(other.notebook).parent
    for name in dict.fromkeys([*step.artifacts, *other.artifacts]):
        digests = step.artifacts.get(name), other.artifacts.get(name)
        if digests[0] is not None and digests[0] == digests[1]:
            continue
        old, new = (home / name for home in homes)
        if old.is_file() and new.is_file() and None not in digests:
            found += compare_files(old, new, tolerance)
        else:
            states = ("present" if path.is_file() else "absent" for path in (old, new))
            found.append(Difference("artifacts", name, *states))
    return [one._replace(where=f"{step.name}: {one.where}") for one in found]


def _named_by_values(folder: Path, manifest: Manifest, swept: Sequence[str]) -> Manifest:
    """Return the manifest of a sweep with units named by the swept values: ``n=1, model=ridge``.

    Of a sweep that was killed, the units that had ended are included.
    """
    names = {
        unit: ", ".join(
            f"{name}={values[name] if isinstance(values[name], str) else json.dumps(values[name])}"
            for name in swept
            if name in values
        )
        for unit, values in manifest.parameters.items()
    }
    ended = manifest.steps or read_units(folder)
    steps = [replace(record, name=names[record.name]) for record in ended]
    return replace(manifest, steps=steps, not_run=[names[unit] for unit in manifest.not_run])


def changed_dependencies(step: StepRecord, other: StepRecord) -> list[str]:
    """Return the names of the dependencies of a step that differ between two runs: parts, files it read."""
    old, new = dict(step.parts), dict(other.parts)
    if step.reads is not None and other.reads is not None:  # otherwise they were not observed
        old |= {f"file {name}": digest for name, digest in step.reads["files"].items()}
        new |= {f"file {name}": digest for name, digest in other.reads["files"].items()}
    return [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]


def _compare_dependencies(pairs: Sequence[tuple[StepRecord, StepRecord]]) -> list[Difference]:
    """Compare what the steps' results depend on, and name each dependency once with the steps it concerns."""
    steps: dict[str, list[str]] = {}
    for step, other in pairs:
        for name in changed_dependencies(step, other):
            steps.setdefault(name, []).append(step.name)
    found = []
    for name, names in steps.items():
        kind = "code" if name.endswith(".py") else _DEPENDENCIES.get(name.partition(" ")[0])
        if kind is not None:
            what = "notebook" if name == "code" else name
            found.append(Difference(kind, f"{what} of {', '.join(names)}"))
    return found


def _compare_mappings(kind: str, old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    absent = _ABSENT.get(kind, "")
    return [
        Difference(kind, name, str(old.get(name, absent)), str(new.get(name, absent)))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def _compare_changes(first: Path, second: Path) -> list[Difference]:
    """Compare the uncommitted changes that the two folders keep."""
    texts = [path.read_text("utf-8") if path.is_file() else "" for path in (first / DIFF, second / DIFF)]
    same = texts[0] == texts[1]
    return [] if same else [Difference("git", f"uncommitted changes: see {DIFF} in both folders")]


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{name}".rstrip("."): value
        for section, values in settings.items()
        for name, value in (values.items() if isinstance(values, dict) else [("", values)])
    }


_FACTS: dict[str, Callable[[Manifest], dict[str, Any]]] = {
    "metrics": metrics_of,
    "code": lambda run: {"what ran": f"{run.kind} {run.title}".strip()},
    "parameters": lambda run: run.given,
    "packages": lambda run: run.versions,
    "settings": lambda run: _flat(run.settings),
    "seed": lambda run: {"seed": run.seed},
    "git": lambda run: {name: run.git.get(name, "") for name in ("commit", "branch")},
    "outcomes": lambda run: {step.name: step.outcome for step in run.steps},
}
_ABSENT = {
    "metrics": "none",
    "parameters": "default",
    "outcomes": "not run",
}  # how a fact is shown that a run does not have


def print_comparison(found: Comparison) -> None:
    """Print a comparison for a reader."""
    say(f"first:  {found.first}\nsecond: {found.second}", "bold")
    if found.same:
        say("nothing differs", "green")
        return
    for kind in KINDS:
        differences = found.of_kind(kind)
        if differences:
            say(f"{kind}:", "bold")
        for one in differences[:_MOST]:
            say(f"  {one}")
        if len(differences) > _MOST:
            say(f"  and {len(differences) - _MOST:,} more, see --json")
    if not found.steps:
        say("the runs have no step in common, so no results were compared", "yellow")
    elif not (found.of_kind("recorded") or found.of_kind("artifacts")):
        say("recorded values and artifacts are the same", "green")
    if found.notebooks:
        say(f"compare the notebooks: nbdiff-web {found.notebooks[0]} {found.notebooks[1]}")
