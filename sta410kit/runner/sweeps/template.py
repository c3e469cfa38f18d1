"""A notebook read once, to be executed many times with different parameters.

What comes out is what papermill writes: the cell with the parameters behind the one tagged ``parameters``,
its metadata for notebook and cells, its marks where a cell failed. To load papermill and to validate takes
longer than to execute a short notebook, so neither is done for each.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sta410kit.runner.notebook import (
    EXPECTED,
    MARK,
    failure_text,
    inject_parameters,
    kernel_of,
    python_cells,
    read_notebook,
    stuck_at,
)
from sta410kit.runner.parameters import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MINOR = 5  # of nbformat 4: the first in which every cell has an id
_STYLE = 'style="color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif; font-size:2em;"'
_TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")
_PENDING = {"exception": None, "start_time": None, "end_time": None, "duration": None, "status": "pending"}

Node = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """A notebook ready to be executed: kernel, language, its content as JSON, and its Python cells."""

    path: str
    kernel: str
    language: str
    content: str
    sources: tuple[str, ...]

    def with_parameters(self, values: Mapping[str, Any], output: str) -> Node:
        """Return the notebook with `values` put in and nothing executed yet.

        Parameters
        ----------
        values : mapping
            Values in their declared types.
        output : str
            Where it will be saved; it stands in the metadata.
        """
        notebook: Node = json.loads(self.content)
        ours = notebook["metadata"]["papermill"]
        if values:
            inject_parameters(notebook, values)
            for cell in notebook["cells"]:
                cell["metadata"].setdefault("papermill", _PENDING.copy())
            ours["parameters"] = {name: plain(value) for name, value in values.items()}
        ours |= {"input_path": self.path, "output_path": output}
        return notebook


def read_template(path: Path) -> Template:
    """Return the notebook in `path` as a template.

    Raises
    ------
    ConfigurationError
        There is no such file, or it is no notebook of format 4.
    """
    content = read_notebook(path)
    kernel, language = kernel_of(content)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if notebook.get("nbformat_minor", 0) < _MINOR or any("id" not in cell for cell in notebook["cells"]):
        notebook = _upgraded(notebook)
    for name in _TRANSIENT:
        notebook["metadata"].pop(name, None)
    notebook["metadata"].setdefault(
        "papermill",
        {
            "default_parameters": {},
            "parameters": {},
            "environment_variables": {},
            "version": version("papermill"),
        },
    )
    cells = []
    for cell in notebook["cells"]:
        cell["source"] = _joined(cell["source"])
        cell["metadata"].pop("trusted", None)
        cell["metadata"].setdefault("tags", [])
        cell["metadata"]["papermill"] = _PENDING.copy()
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = None, []
        if MARK not in cell["metadata"]["tags"]:
            cells.append(cell)
    notebook["cells"] = cells
    return Template(str(path), kernel, language, json.dumps(notebook), tuple(python_cells(content)))


def _upgraded(notebook: Node) -> Node:
    """Return a notebook of an earlier minor format as one of today's."""
    import nbformat

    node = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    upgraded: Node = json.loads(json.dumps(nbformat.v4.upgrade(node)))  # type: ignore[no-untyped-call]
    return upgraded


def _cell(kind: str, source: str, tag: str) -> Node:
    return {"cell_type": kind, "id": uuid.uuid4().hex[:8], "metadata": {"tags": [tag]}, "source": source}


def begin(notebook: Node) -> datetime:
    """Note in the metadata that the notebook's execution begins."""
    now = datetime.now(UTC)
    notebook["metadata"]["papermill"] |= {
        "start_time": now.isoformat(), "end_time": None, "duration": None, "exception": None,
    }  # fmt: skip
    return now


def finish(notebook: Node, began: datetime) -> None:
    """Note in the metadata that it has ended."""
    now = datetime.now(UTC)
    notebook["metadata"]["papermill"] |= {
        "end_time": now.isoformat(),
        "duration": (now - began).total_seconds(),
    }


def mark_error(notebook: Node) -> tuple[int | None, str, str] | None:
    """Mark the cell that raised.

    Returns
    -------
    tuple of int or None, str, str, or None
        Where it raised, as counted by the kernel, the exception's name and text; ``None`` when no cell has.
    """
    found = next(
        ((place, error) for place, cell in enumerate(notebook["cells"]) if (error := _error_of(cell))), None
    )
    if found is None:
        return None
    failed, error = found
    count = notebook["cells"][failed]["execution_count"]
    above = (
        f"<span {_STYLE}>An Exception was encountered at "
        f"'<a href=\"#papermill-error-cell\">In [{count}]</a>'.</span>"
    )
    anchor = (
        f'<span id="papermill-error-cell" {_STYLE}>'
        "Execution using papermill encountered an exception here and stopped:</span>"
    )
    notebook["cells"].insert(failed, _cell("markdown", anchor, MARK))
    notebook["cells"].insert(0, _cell("markdown", above, MARK))
    return count, *error


def mark_stuck(notebook: Node, message: str, position: int | None = None) -> None:
    """Say in an executed notebook why it is not good, as `mark_failure` does in a file."""
    if not any(MARK in cell["metadata"].get("tags", []) for cell in notebook["cells"]):
        cell = _cell("markdown", failure_text(message, ended=position is not None), MARK)
        notebook["cells"].insert(stuck_at(notebook["cells"]) if position is None else position, cell)


def _error_of(cell: Node) -> tuple[str, str] | None:
    """Return name and text of the exception a cell raised; to leave with code 0 is none."""
    if cell["cell_type"] != "code" or EXPECTED in cell["metadata"]["tags"]:
        return None
    left = False
    for output in cell["outputs"]:
        if output["output_type"] != "error":
            continue
        if output["ename"] != "SystemExit" or output["evalue"] not in {"", "0"}:
            return output["ename"], output["evalue"]
        left = True
    return ("CellExecutionError", "") if cell["metadata"]["papermill"]["exception"] and not left else None


def as_text(notebook: Node) -> str:
    """Return a notebook as it stands in a file, the way nbformat writes it."""
    cells = [_split(cell) for cell in notebook["cells"]]
    content = {**notebook, "cells": cells}
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, separators=(",", ": "))


def _split(cell: Node) -> Node:
    """Return a cell with its long texts as lists of lines."""
    split = {**cell, "source": cell["source"].splitlines(keepends=True)}
    if cell["cell_type"] == "code":
        split["outputs"] = [_split_output(output) for output in cell["outputs"]]
    return split


def _split_output(output: Node) -> Node:
    if output["output_type"] == "stream":
        return {**output, "text": output["text"].splitlines(keepends=True)}
    if "data" in output:
        data = {
            kind: value.splitlines(keepends=True)
            if isinstance(value, str) and not (kind == "application/json" or kind.endswith("+json"))
            else value
            for kind, value in output["data"].items()
        }
        return {**output, "data": data}
    return output


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
