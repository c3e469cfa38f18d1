"""Redact notebooks before they are written, and note in their metadata what was redacted from which cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.kernel_redaction import WARNING
from sta410kit._internal.redaction import holds_secret, redact, redact_values

_RECORD, _LIST = "sta410", "redacted"
_PARTS = {"outputs": "output", "source": "source", "input": "source", "attachments": "attachments"}


def redacted_notebook(notebook: Any) -> Any:  # noqa: ANN401 - an nbformat NotebookNode, or its JSON
    """Return `notebook` without registered secrets: itself where it holds none, else a copy.

    Sources, outputs, attachments and metadata are redacted, of nbformat 3 too. What was found, and what the
    kernel itself has redacted already, is listed in the notebook's metadata; see `redactions`.
    """
    notes = redactions(notebook)
    clean = {name: _redacted_entry(name, value, notes) for name, value in notebook.items()}
    if clean.get("metadata") is not notebook.get("metadata"):
        notes.append("a secret was redacted from the notebook's metadata")
    notes = list(dict.fromkeys(notes))
    if notes == redactions(notebook) and all(clean[name] is notebook[name] for name in notebook):
        return notebook
    metadata = clean.get("metadata")
    if isinstance(metadata, dict):
        clean["metadata"] = {**metadata, _RECORD: {**metadata.get(_RECORD, {}), _LIST: notes}}
    if type(notebook) is dict:
        return clean
    import nbformat

    return nbformat.from_dict(clean)  # type: ignore[no-untyped-call]


def redact_notebook_file(path: Path) -> list[str]:
    """Redact an executed notebook in place; return what was redacted, now or while it ran."""
    import nbformat

    if not path.is_file():
        return []
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    clean = redacted_notebook(notebook)
    if clean is not notebook:
        write_text(path, nbformat.writes(clean))  # type: ignore[no-untyped-call]
    return redactions(clean)


def redactions(notebook: Mapping[str, Any]) -> list[str]:
    """Return what was redacted from a notebook, a sentence for each part of a cell, in their order."""
    return list(_record(notebook).get(_LIST, []))


def forget_redactions(notebook: Mapping[str, Any]) -> None:
    """Remove what an earlier execution has listed."""
    record = _record(notebook)
    if _LIST in record:
        del record[_LIST]
        if not record:
            del notebook["metadata"][_RECORD]


def _record(notebook: Mapping[str, Any]) -> dict[str, Any]:
    metadata = notebook.get("metadata")
    record = metadata.get(_RECORD) if isinstance(metadata, dict) else None
    return record if isinstance(record, dict) else {}


def _redacted_entry(name: str, value: Any, notes: list[str]) -> Any:  # noqa: ANN401
    """Return an entry of a notebook without secrets; itself where it holds none."""
    if name == "cells" and isinstance(value, list):
        cells = [_redacted_cell(cell, number, notes) for number, cell in enumerate(value, 1)]
        return value if all(a is b for a, b in zip(cells, value, strict=True)) else cells
    if name == "worksheets" and isinstance(value, list):  # nbformat 3
        return [
            {key: _redacted_entry(key, item, notes) for key, item in sheet.items()}
            if isinstance(sheet, dict)
            else redact_values(sheet)
            for sheet in value
        ]
    return redact_values(value)


def _redacted_cell(cell: Any, number: int, notes: list[str]) -> Any:  # noqa: ANN401
    """Return a cell without secrets, and add to `notes` what was redacted."""
    if not isinstance(cell, dict):
        return redact_values(cell)
    outputs = cell.get("outputs")
    has_outputs = isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)
    joined = {**cell, "outputs": _joined(outputs)} if outputs and has_outputs else cell
    clean = {name: redact_values(value) for name, value in joined.items()}
    changed = [name for name in cell if clean[name] is not cell[name]]
    warned = has_outputs and any(WARNING in str(output.get("text", "")) for output in outputs or ())
    where = f"cell In [{cell['execution_count']}]" if cell.get("execution_count") else f"cell {number}"
    notes += [f"{where}: a secret was redacted from its {_PARTS.get(name, 'metadata')}" for name in changed]
    notes += [f"{where}: a secret was redacted from its output"] if warned else []
    return clean if changed else cell


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs with each stream, and each traceback, in one piece where a secret is in several."""
    result = outputs
    streams = [output for output in outputs if output.get("output_type") == "stream"]
    for name in dict.fromkeys(output.get("name") for output in streams):
        first, *others = [output for output in streams if output.get("name") == name]
        text = "".join("".join(output.get("text", "")) for output in (first, *others))
        if others and holds_secret(text):
            result = [
                {**output, "text": text} if output is first else output
                for output in result
                if not any(output is other for other in others)
            ]
    traces = ["\n".join(map(str, output.get("traceback", []))) for output in result]
    if any(map(holds_secret, traces)):
        result = [
            {**output, "traceback": redact(trace).split("\n")} if trace else output
            for output, trace in zip(result, traces, strict=True)
        ]
    return result
