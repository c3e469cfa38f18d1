"""Regression: notebooks are executed anew, and their outputs compared with the committed ones."""

from __future__ import annotations

import copy
import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.notebook import EXPECTED, read_notebook, require_kernel
from sta410kit.runner.postconditions import SKIP

if TYPE_CHECKING:
    from collections.abc import Callable

    from sta410kit.runner.comparison.tolerance import Tolerance
    from sta410kit.runner.limits import Watch

# The tags of nbval and the kit's own, in small letters and with hyphens.
_NOT_COMPARED = {"regress-skip", "nbval-ignore-output"}
_NOT_EXECUTED = {"nbval-skip", SKIP}
_MAY_RAISE = {"nbval-raises-exception", EXPECTED}
_MARKER = re.compile(r"^\s*#\s*(nbval[_-][a-z_-]+)\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class CellDifference:
    """A cell whose outputs are not what they were.

    Attributes
    ----------
    cell : int
        Its number in the notebook, from 1.
    code : str
        The first line of its code.
    differences : list of str
        What differs: expected, got.
    tolerance : str
        What was allowed.
    """

    cell: int
    code: str
    differences: list[str]
    tolerance: str


@dataclass
class Regression:
    """What executing one notebook anew has shown.

    Attributes
    ----------
    notebook : Path
        The committed notebook.
    outcome : ExitCode
        ``PASSED``; ``NOTEBOOK_FAILED`` where outputs differ; otherwise how the notebook failed.
    message : str
        Why it failed; empty when it ran.
    cells : list of CellDifference
        The cells that differ.
    compared : int
        How many cells were compared.
    seconds : float
        How long it took.
    updated : bool
        Whether the committed outputs were replaced.
    """

    notebook: Path
    outcome: ExitCode
    message: str = ""
    cells: list[CellDifference] = field(default_factory=list)
    compared: int = 0
    seconds: float = 0.0
    updated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {**asdict(self), "notebook": str(self.notebook), "outcome": self.outcome.name}


def regress(
    notebook: Path,
    tolerance: Tolerance,
    *,
    update: bool = False,
    watch: Watch | None = None,
    on_cell: Callable[[], None] | None = None,
) -> Regression:
    """Execute a committed notebook on its defaults and compare its outputs with those it holds.

    Parameters
    ----------
    notebook : Path
        The notebook; executed in its own folder, and not changed unless `update` is true.
    tolerance : Tolerance
        How near numbers and figures must be; tags of a cell such as ``rtol=1e-3`` or ``figure-rms=5`` win.
    update : bool
        Replace the outputs of the cells that differ. A notebook that fails is left as it is.
    watch : Watch, optional
        What the execution may use.
    on_cell : callable, optional
        Called after each code cell.

    Raises
    ------
    ConfigurationError
        There is no such notebook, its kernel is missing, or a tag's value is no number.
    """
    require_kernel(read_notebook(notebook), notebook.name)
    committed = _read(notebook)
    tolerances = _tolerances(committed, tolerance, notebook.name)
    with tempfile.TemporaryDirectory(prefix="sta410-regress-") as folder:
        ready, executed = Path(folder) / notebook.name, Path(folder) / "executed" / notebook.name
        _prepared(committed, ready)
        done = execute(ready, executed, {}, watch=watch, on_cell=on_cell, folder=notebook.parent.absolute())
        if done.outcome is not ExitCode.PASSED:
            return Regression(notebook, done.outcome, done.message, seconds=done.seconds)
        fresh = _read(executed)
    cells, compared = _compare(committed, fresh, tolerances)
    outcome = ExitCode.NOTEBOOK_FAILED if cells and not update else ExitCode.PASSED
    if cells and update:
        _replace_outputs(notebook, committed, fresh, [one.cell - 1 for one in cells])
    return Regression(notebook, outcome, "", cells, compared, done.seconds, bool(cells and update))


def _read(path: Path) -> Any:  # noqa: ANN401 - an nbformat NotebookNode
    import nbformat

    return nbformat.read(path, as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]


def _marks(cell: Any) -> set[str]:  # noqa: ANN401
    """Return a cell's tags and the markers of nbval in its comments, in one spelling."""
    found = [*cell.metadata.get("tags", []), *_MARKER.findall(cell.source)]
    return {mark.lower().replace("_", "-") for mark in found}


def _tolerances(notebook: Any, tolerance: Tolerance, name: str) -> list[Tolerance]:  # noqa: ANN401
    return [
        tolerance.of_cell(cell.metadata.get("tags", []), f"{name}, cell {number}")
        for number, cell in enumerate(notebook.cells, 1)
    ]


def _prepared(notebook: Any, path: Path) -> None:  # noqa: ANN401
    """Write a copy whose tags say to papermill what nbval's say to nbval."""
    import nbformat

    ready = copy.deepcopy(notebook)
    for cell in ready.cells:
        marks, tags = _marks(cell), list(cell.metadata.get("tags", []))
        tags += [SKIP] if marks & _NOT_EXECUTED else []
        tags += [EXPECTED] if marks & _MAY_RAISE else []
        if tags:
            cell.metadata["tags"] = list(dict.fromkeys(tags))
    nbformat.write(ready, path)  # type: ignore[no-untyped-call]


def _compare(committed: Any, fresh: Any, tolerances: list[Tolerance]) -> tuple[list[CellDifference], int]:  # noqa: ANN401
    from sta410kit.runner.comparison.outputs import differences_of_outputs

    found, compared = [], 0
    pairs = zip(committed.cells, fresh.cells, tolerances, strict=True)
    for number, (before, after, tolerance) in enumerate(pairs, 1):
        if before.cell_type != "code" or _marks(before) & (_NOT_COMPARED | _NOT_EXECUTED):
            continue
        compared += 1
        differences = differences_of_outputs(before.outputs, after.outputs, tolerance)
        if differences:
            code = next(iter(before.source.strip().splitlines()), "")
            words = [redact(text) for text in differences]
            found.append(CellDifference(number, code, words, str(tolerance)))
    return found, compared


def _replace_outputs(path: Path, committed: Any, fresh: Any, positions: list[int]) -> None:  # noqa: ANN401
    """Give the cells at `positions` their new outputs; everything else stays as it is committed."""
    import nbformat

    for position in positions:
        cell = committed.cells[position]
        cell["outputs"] = fresh.cells[position].outputs
        cell["execution_count"] = fresh.cells[position].execution_count
    write_text(path, redact(nbformat.writes(committed, version=nbformat.NO_CONVERT)) + "\n")  # type: ignore[no-untyped-call]
