"""``sta410 diff``: in what two runs differ, and the first cell that came out differently."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.runner.history.units import are_sweeps, named_by_values, recorded_apart, swept_in
from sta410kit.runner.manifest import DIFF, Manifest, read_manifest
from sta410kit.runner.notebook import INJECTED, MARK
from sta410kit.runner.sweeps.sweep import KIND

if TYPE_CHECKING:
    from sta410kit.runner.manifest import StepRecord

_LONGEST = 200  # characters of a difference between artifacts
_MOST = 12  # differences shown of a cell
_KINDS = (
    "code", "parameters", "data", "packages", "settings", "seed", "git", "outcomes", "results", "artifacts",
)  # fmt: skip
_ALIKE = ("code", "parameters", "data", "packages", "seed", "git")  # said when they are the same
_MOST_LINES = 30  # shown of a kind of difference


def compare_runs(first: Path, second: Path) -> dict[str, Any]:
    """Return in what two runs differ, as JSON values.

    Returns
    -------
    dict
        ``runs``; ``same``, whether nothing at all differs; and what does, each as a list of sentences:
        ``code, parameters, data, packages, settings, seed, git, outcomes, results, artifacts``;
        ``in_both``, how many steps ran in both; ``first_cell``, where the outputs of these part:
        ``step, cell, code`` and ``differences``, or nothing.
        Units of two sweeps are compared where they had the same of what was swept, and go by these values.

    Raises
    ------
    ConfigurationError
        One of them has no manifest.
    """
    before, after = read_manifest(first), read_manifest(second)
    results: list[str] = []
    if are_sweeps(before, after):
        results, swept = recorded_apart(first, second, before, after), swept_in(before, after)
        before, after = named_by_values(first, before, swept), named_by_values(second, after, swept)
    parts = _parts_apart(before, after)
    settings = _values_apart(_flat(before.settings), _flat(after.settings))
    found: dict[str, Any] = {
        "code": [*_notebooks_apart(before, after), *parts["code"]],
        "parameters": _values_apart(before.given, after.given, "default"),
        "data": parts["data"],
        "packages": [*_values_apart(before.versions, after.versions), *parts["packages"]],
        "settings": settings or parts["settings"],
        "seed": [] if before.seed == after.seed else [f"{before.seed} and {after.seed}"],
        "git": _git_apart(first, second, before, after),
        "outcomes": _outcomes_apart(before, after),
        "results": results,
        "artifacts": _artifacts_apart(first, second, before, after),
    }
    found["in_both"] = len(_in_both(before, after))
    cell = first_cell_apart(first, second, before, after)
    same = cell is None and not any(found[kind] for kind in _KINDS)
    return {"runs": [before.run, after.run], "same": same, **found, "first_cell": cell}


def first_cell_apart(first: Path, second: Path, before: Manifest, after: Manifest) -> dict[str, Any] | None:
    """Return the first cell whose code or outputs are not the same in both, in the order of the chain."""
    for step, other in _in_both(before, after):
        names = [first / step.notebook, second / other.notebook]
        if not all(path.is_file() for path in names):
            continue
        found = cell_apart(*names)
        if found is not None:
            return {"step": step.name, **found}
    return None


def _in_both(before: Manifest, after: Manifest) -> list[tuple[StepRecord, StepRecord]]:
    """Return the steps that ran in both runs, each with itself in the other, in the order of the first."""
    others = {step.name: step for step in after.steps}
    return [(step, others[step.name]) for step in before.steps if step.name in others]


def cell_apart(first: Path, second: Path) -> dict[str, Any] | None:
    """Return the first code cell in which two executed notebooks differ: ``cell, code, differences``."""
    import nbformat

    from sta410kit.runner.comparison.outputs import differences_of_outputs
    from sta410kit.runner.comparison.tolerance import Tolerance

    ours, theirs = (_code_cells(nbformat.read(path, as_version=4)) for path in (first, second))  # type: ignore[no-untyped-call]
    exact = Tolerance(rtol=0.0, atol=0.0, figure_rms=0.0)
    for (number, one), (_, other) in zip(ours, theirs, strict=False):
        code = next(iter(one.source.strip().splitlines()), "")
        if one.source != other.source:
            lines = difflib.unified_diff(one.source.splitlines(), other.source.splitlines(), lineterm="", n=0)
            words = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
            return {"cell": number, "code": code, "differences": ["its code differs:", *words[:_MOST]]}
        words = differences_of_outputs(one.outputs, other.outputs, exact)
        if words:
            return {"cell": number, "code": code, "differences": words[:_MOST]}
    if len(ours) != len(theirs):
        longer = max(ours, theirs, key=len)
        number, cell = longer[min(len(ours), len(theirs))]
        code = next(iter(cell.source.strip().splitlines()), "")
        return {"cell": number, "code": code, "differences": ["this cell is in one of the two only"]}
    return None


def _code_cells(notebook: Any) -> list[tuple[int, Any]]:  # noqa: ANN401 - an nbformat NotebookNode
    """Return the code cells with their numbers; what papermill has put in does not count."""
    cells = [cell for cell in notebook.cells if MARK not in cell.metadata.get("tags", [])]
    return [
        (number, cell)
        for number, cell in enumerate(cells, 1)
        if cell.cell_type == "code" and INJECTED not in cell.metadata.get("tags", [])
    ]


def _parts_apart(before: Manifest, after: Manifest) -> dict[str, list[str]]:
    """Return which parts of the steps' identities differ, sorted by what they are about."""
    found: dict[str, dict[str, list[str]]] = {kind: {} for kind in ("code", "data", "packages", "settings")}
    for step, other in _in_both(before, after):
        for name in dict.fromkeys([*step.parts, *other.parts]):
            if name == "code" and before.kind == KIND:
                continue  # of a sweep it is one notebook, see `_notebooks_apart`
            if step.parts.get(name) != other.parts.get(name) and _kind_of(name):
                label = f"{step.name}: its notebook" if name == "code" else name
                found[_kind_of(name)].setdefault(label, []).append(step.name)
    lists = {
        kind: [
            label if label.endswith("its notebook") else f"{label} ({_listed(steps)})"
            for label, steps in by.items()
        ]
        for kind, by in found.items()
    }
    if any("packages" in text for text in lists["packages"]):
        lists["packages"] = [text for text in lists["packages"] if not text.startswith("packages")]
    return lists


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{', '.join(names[:_MOST])}{more}"


def _notebooks_apart(before: Manifest, after: Manifest) -> list[str]:
    """Return that the runs are not of the same kind or notebook, or that of two sweeps it has changed."""
    if (before.kind, before.title) != (after.kind, after.title):
        one, other = (f"{run.kind} {run.title}".strip() for run in (before, after))
        return [f"what ran: {one} and {other}"]
    versions = [{step.identity for step in run.steps} for run in (before, after)]
    changed = before.kind == KIND and versions[0] != versions[1]
    return [f"the notebook {before.title}"] if changed else []


def _kind_of(part: str) -> str:
    """Return what a part of an identity is about; nothing for parameters, which are compared as typed."""
    first = part.partition(" ")[0]
    return {
        "code": "code", "module": "code", "suite": "code", "file": "data", "input": "data", "data": "data",
        "packages": "packages", "python": "packages", "settings": "settings",
    }.get(first, "")  # fmt: skip


def _values_apart(before: dict[str, Any], after: dict[str, Any], absent: str = "not there") -> list[str]:
    return [
        f"{name}: {before.get(name, absent)} and {after.get(name, absent)}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _git_apart(first: Path, second: Path, before: Manifest, after: Manifest) -> list[str]:
    found = [
        f"{name}: {before.git.get(name, 'none')} and {after.git.get(name, 'none')}"
        for name in ("commit", "branch")
        if before.git.get(name) != after.git.get(name)
    ]
    texts = [path.read_text("utf-8") if path.is_file() else "" for path in (first / DIFF, second / DIFF)]
    if texts[0] != texts[1]:
        found.append("what was not committed differs: see code.diff in both folders")
    return found


def _outcomes_apart(before: Manifest, after: Manifest) -> list[str]:
    ended = [{step.name: step.outcome for step in manifest.steps} for manifest in (before, after)]
    found = []
    for name in dict.fromkeys([*ended[0], *ended[1]]):
        words = [outcomes.get(name, "not run") for outcomes in ended]
        if words[0] != words[1]:
            found.append(f"{name}: {words[0]} and {words[1]}")
    return found


def _artifacts_apart(first: Path, second: Path, before: Manifest, after: Manifest) -> list[str]:
    """Return the artifacts whose contents differ, with the first difference; a time inside does not count."""
    from sta410kit.runner.comparison.artifacts import differences_of_files

    found = []
    for step, other in _in_both(before, after):
        for name, digest in step.artifacts.items():
            if name not in other.artifacts or other.artifacts[name] == digest:
                continue
            # A unit of a sweep has a folder of its own, where its notebook lies too.
            ours, theirs = first / _home(step) / name, second / _home(other) / name
            if not (ours.is_file() and theirs.is_file()):
                found.append(f"{step.name}: {name} differs")
                continue
            found += [
                f"{step.name}: {name}: {_short(text)}" for text in differences_of_files(ours, theirs)[:1]
            ]
    return found


def _home(step: StepRecord) -> Path:
    return Path(step.notebook).parent


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{section}.{name}" if isinstance(values, dict) else section: value
        for section, values in settings.items()
        for name, value in (values.items() if isinstance(values, dict) else [("", values)])
    }


def print_comparison(found: dict[str, Any]) -> None:
    """Print what `compare_runs` returns."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"runs {found['runs'][0]} and {found['runs'][1]}", style="bold", markup=False)
    if found["same"]:
        console.print("nothing differs", style="green", markup=False)
        return
    for kind in _KINDS:
        words = found[kind]
        if words:
            console.print(f"{kind}:", style="bold", markup=False)
            for text in words[:_MOST_LINES]:
                console.print(f"  {text}", markup=False)
        if len(words) > _MOST_LINES:
            console.print(f"  and {len(words) - _MOST_LINES} more, see --json", markup=False)
    known = [kind for kind in _ALIKE if kind != "data" or found["in_both"]]
    equal = [kind for kind in known if not found[kind]]
    if equal:
        console.print(f"the same: {', '.join(equal)}", style="dim", markup=False)
    cell = found["first_cell"]
    if not found["in_both"]:
        console.print("nothing ran in both, so no cells were compared", style="yellow", markup=False)
        return
    if cell is None:
        console.print("every cell came out the same", style="green", markup=False)
        return
    console.print(
        f"first to differ: {cell['step']}, cell {cell['cell']} ({cell['code']})", style="yellow", markup=False
    )
    for text in cell["differences"]:
        console.print(f"  {text}", markup=False)
