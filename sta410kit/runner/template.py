"""A notebook's content before and after it is executed, as papermill writes it.

The cell with the parameters goes behind the one tagged ``parameters``; notebook and cells get papermill's
metadata, and its marks where a cell failed. Papermill itself is not used: importing it and validating takes
longer than executing a short notebook.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sta410kit.runner.notebook import (
    EXPECTED,
    MARK,
    Node,
    inject_parameters,
    python_cells,
    read_notebook,
    tags_of,
)
from sta410kit.runner.parameters import plain

_MINOR = 5  # of nbformat 4: the first in which every cell has an id
_STYLE = 'style="color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif; font-size:2em;"'
_TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")
_PENDING = {"exception": None, "start_time": None, "end_time": None, "duration": None, "status": "pending"}


@dataclass(frozen=True)
class Template:
    """A notebook to be executed: its kernel, its content as JSON, its cells as Python."""

    path: str
    kernel: str
    content: str
    sources: tuple[str, ...]

    def with_parameters(self, values: Mapping[str, Any], output: str) -> Node:
        """Return the notebook with `values` injected and nothing executed yet."""
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
    """Return the notebook in `path` as a template."""
    stamp = path.stat() if path.is_file() else None
    return _read(path, (stamp.st_ino, stamp.st_size, stamp.st_mtime_ns) if stamp else ())


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, ...]) -> Template:
    """Read a notebook once, as long as it has not changed: a sweep executes it thousands of times."""
    del stamp
    read = read_notebook(path)
    sources, notebook = tuple(python_cells(read)), read.content
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
        cell["metadata"].pop("trusted", None)
        cell["metadata"]["papermill"] = _PENDING.copy()
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = None, []
        if MARK not in tags_of(cell):
            cells.append(cell)
    notebook["cells"] = cells
    return Template(str(path), read.kernel, json.dumps(notebook), sources)


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
    """Mark the cell that raised."""
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


def mark_failure(notebook: Node, message: str, position: int | None = None) -> None:
    """Say in an executed notebook why it failed, unless a cell that raised is marked already."""
    if any(MARK in tags_of(cell) for cell in notebook["cells"]):
        return
    words = "The run stopped here." if position is None else "The notebook ran to its end, but failed:"
    text = f"<span style='color:red'>**{words}**</span>\n\n```\n{message}\n```"
    if position is None:
        states = [cell["metadata"].get("papermill", {}).get("status") for cell in notebook["cells"]]
        position = next((at for at, state in enumerate(states) if state != "completed"), len(states))
    notebook["cells"].insert(position, _cell("markdown", text, MARK))


def _error_of(cell: Node) -> tuple[str, str] | None:
    """Return name and text of the exception a cell raised; to leave with code 0 is none."""
    if cell["cell_type"] != "code" or EXPECTED in tags_of(cell):
        return None
    left = False
    for output in cell["outputs"]:
        if output["output_type"] != "error":
            continue
        if output["ename"] != "SystemExit" or output["evalue"] not in {"", "0"}:
            return output["ename"], output["evalue"]
        left = True
    raised = cell["metadata"].get("papermill", {}).get("exception")
    return ("CellExecutionError", "") if raised and not left else None


def as_text(notebook: Node) -> str:
    """Return a notebook as the text of its file."""
    import nbformat

    return str(nbformat.v4.writes(nbformat.from_dict(notebook)))  # type: ignore[no-untyped-call]
