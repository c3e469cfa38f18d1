"""Notebooks without secrets: scrubbed before they are written, told cell by cell."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.kernel_redaction import WARNING
from sta410kit._internal.redaction import holds_secret, redact
from sta410kit._internal.scrub import scrub

if TYPE_CHECKING:
    from pathlib import Path

_RECORD = "sta410"


def scrubbed_notebook(notebook: Any) -> Any:  # noqa: ANN401 - an nbformat NotebookNode
    """Return `notebook` without registered secrets: itself where it holds none, else a copy.

    Sources, outputs, attachments and all metadata are looked at. What was found, and what the kernel itself
    has scrubbed already, is listed in the notebook's metadata; see `scrubbed_from`.
    """
    cells, told = [], list(scrubbed_from(notebook))
    for number, cell in enumerate(notebook["cells"], 1):
        clean, parts = _scrubbed_cell(cell)
        cells.append(_alike(clean, cell) if parts else cell)
        where = f"In [{cell['execution_count']}]" if cell.get("execution_count") else str(number)
        told += [f"cell {where}: a secret was scrubbed from its {part}" for part in parts]
        if any(WARNING in output.get("text", "") for output in cell.get("outputs", [])):
            told.append(f"cell {where}: a secret was scrubbed from its output")
    metadata = scrub(notebook["metadata"])
    if metadata is not notebook["metadata"]:
        told.append("a secret was scrubbed from the notebook's metadata")
    told = list(dict.fromkeys(told))
    if told == scrubbed_from(notebook):
        return notebook
    result = copy(notebook)
    result["cells"] = cells
    record = {**metadata.get(_RECORD, {}), "scrubbed": told}
    result["metadata"] = _alike({**metadata, _RECORD: record}, notebook["metadata"])
    return result


def scrub_notebook_file(path: Path) -> list[str]:
    """Redact an executed notebook in place; return what was redacted, now or while it ran."""
    import nbformat

    if not path.is_file():
        return []
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    clean = scrubbed_notebook(notebook)
    if clean is not notebook:
        write_text(path, nbformat.writes(clean))  # type: ignore[no-untyped-call]
    return scrubbed_from(clean)


def _alike(clean: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return a dictionary as a node of nbformat where it was one, with all that is in it."""
    if type(before) is dict:
        return clean
    import nbformat

    node: dict[str, Any] = nbformat.from_dict(clean)  # type: ignore[no-untyped-call]
    return node


def scrubbed_from(notebook: Any) -> list[str]:  # noqa: ANN401
    """Return what was scrubbed from a notebook, a sentence a cell and part, in the order of the cells."""
    return list(notebook["metadata"].get(_RECORD, {}).get("scrubbed", []))


def forget_scrubbed(notebook: Any) -> None:  # noqa: ANN401
    """Take out what an earlier execution has listed."""
    record = notebook["metadata"].get(_RECORD, {})
    record.pop("scrubbed", None)
    if not record:
        notebook["metadata"].pop(_RECORD, None)


def _scrubbed_cell(cell: Any) -> tuple[dict[str, Any], list[str]]:  # noqa: ANN401
    clean, parts = dict(cell), []
    if "outputs" in cell:
        clean["outputs"] = _scrubbed_outputs(cell["outputs"])
    for name in cell:
        if name != "outputs":
            clean[name] = scrub(cell[name])
    for name, word in (("outputs", "output"), ("source", "source"), ("attachments", "attachments")):
        if name in cell and clean[name] is not cell[name] and clean[name] != cell[name]:
            parts.append(word)
    if any(clean[name] != cell[name] for name in cell if name not in {"outputs", "source", "attachments"}):
        parts.append("metadata")
    return clean, parts


def _scrubbed_outputs(outputs: list[Any]) -> list[Any]:
    """Return outputs without secrets, also such as stand in pieces in several messages or lines."""
    streams = [output for output in outputs if output.get("output_type") == "stream"]
    texts = ["".join(one["text"] for one in streams if one["name"] == name) for name in ("stdout", "stderr")]
    # Joined before anything is scrubbed from them: a piece alone may be scrubbed and leave the next.
    joined = _joined_streams(outputs) if any(map(holds_secret, texts)) else outputs
    clean = [scrub(output) for output in joined]
    for at, output in enumerate(joined):
        trace = "\n".join(output.get("traceback", []))
        if holds_secret(trace):
            clean[at] = {**clean[at], "traceback": redact(trace).split("\n")}
    same = len(clean) == len(outputs) and all(a is b for a, b in zip(clean, outputs, strict=True))
    return outputs if same else clean


def _joined_streams(outputs: list[Any]) -> list[Any]:
    """Return outputs with the texts of each stream in one place."""
    joined: list[Any] = []
    by_name: dict[str, dict[str, Any]] = {}
    for output in outputs:
        if output.get("output_type") != "stream":
            joined.append(output)
        elif output["name"] in by_name:
            by_name[output["name"]]["text"] += output["text"]
        else:
            by_name[output["name"]] = dict(output)
            joined.append(by_name[output["name"]])
    return joined
