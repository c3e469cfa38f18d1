"""A notebook as a file: reading it, and the parameters it declares."""

import ast
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from sta410kit._internal.project import project_folder
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.parameters import TAG, Parameter, TypedValue, declared_parameters, literal, plain
from sta410kit.runner.usage import names_read

_FORMAT = 4
_ALWAYS_THERE = {"python3", "sta410"}  # ipykernel's own and the kit's, both of them requirements
EXPECTED = "raises-exception"  # the tag by which nbclient lets a cell raise
INJECTED = "injected-parameters"  # papermill's tag for the cell with what was given
SKIP = "skip-execution"  # the tag by which papermill and nbclient leave a cell out
MARK = "papermill-error-cell-tag"  # papermill's own, which it removes when the notebook is run again


Node = dict[str, Any]  # a part of a notebook, as JSON


@dataclass(frozen=True)
class Notebook:
    """A notebook file: its content as JSON, in which every source is one text and every cell has tags."""

    path: Path
    content: Node

    @property
    def cells(self) -> list[Node]:
        """Its cells."""
        return self.content["cells"]  # type: ignore[no-any-return] # as `read_notebook` has checked

    @property
    def kernel(self) -> str:
        """The name of its kernel; Python's where it names none."""
        return self.content.get("metadata", {}).get("kernelspec", {}).get("name") or "python3"


def read_notebook(path: Path) -> Notebook:
    """Return the notebook in `path`.

    The file is read as JSON: to load nbformat takes longer than a run in which nothing has changed. Papermill
    validates what it executes.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - false, not an error, for a name that is too long
        names = [other.name for other in sorted(path.parent.glob("*.ipynb"))]
        if not names:
            home = project_folder(path.parent) / "notebooks"
            names = [os.path.relpath(other) for other in sorted(home.glob("*.ipynb"))]
        listing = ", ".join(names) or "none"
        message = f"no notebook {path}.{did_you_mean(path.name, names)} Notebooks there are: {listing}"
        raise ConfigurationError(message)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["nbformat"] != _FORMAT:
            message = (
                f"its format is {content['nbformat']}; jupyter nbconvert --to notebook --inplace converts it"
            )
            raise ValueError(message)  # noqa: TRY301 - reported like everything else that is wrong with the file
        for cell in content["cells"]:
            cell["source"] = "".join(cell["source"])
            tags = cell.setdefault("metadata", {}).setdefault("tags", [])
            if not isinstance(cell["cell_type"], str) or not isinstance(tags, list):
                message = "a cell is malformed"
                raise TypeError(message)  # noqa: TRY301 - as above
        if not isinstance(content.setdefault("metadata", {}).get("kernelspec", {}), dict):
            message = "its kernelspec is malformed"
            raise TypeError(message)  # noqa: TRY301 - as above
        return Notebook(path, content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else _first_line(error)
        message = f"{path} is not a Jupyter notebook: {reason}"
        raise ConfigurationError(message) from error


def python_cells(notebook: Notebook) -> list[str]:
    """Return the code cells as plain Python: magics and shell lines become the calls behind them."""
    return [_as_python(cell["source"]) for cell in notebook.cells if cell["cell_type"] == "code"]


def _as_python(source: str) -> str:
    try:
        ast.parse(source)
    except RecursionError:
        return source
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        try:
            return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]
        except SyntaxError:
            return source
    return source


def parameters_of(notebook: Notebook) -> list[Parameter]:
    """Return what a notebook's cell tagged ``parameters`` declares; nothing without such a cell.

    Of each it says whether another cell reads it.
    """
    code = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    tagged = [cell for cell in code if TAG in tags_of(cell)]
    if len(tagged) > 1:
        message = (
            f"{notebook.path.name}: {len(tagged)} cells are tagged '{TAG}', and papermill fills "
            "one alone; merge them, or remove the tag from all but one"
        )
        raise ConfigurationError(message)
    if not tagged:
        return []
    read = names_read(_as_python(cell["source"]) for cell in code if not {TAG, INJECTED} & {*tags_of(cell)})
    try:
        declared = declared_parameters(_as_python(tagged[0]["source"]))
    except ConfigurationError as error:
        message = f"{notebook.path.name}: {error}"
        raise ConfigurationError(message) from error
    return [replace(one, read=read is None or one.name in read) for one in declared]


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """Return the tags of a cell."""
    return list(cell["metadata"].get("tags", []))


def inject_parameters(notebook: Node, values: Mapping[str, Any]) -> None:
    """Put the cell that sets `values` behind a notebook's parameters cell, as papermill does."""
    cells = notebook["cells"]
    tags = list(map(tags_of, cells))
    places = {tag: place for tag in (INJECTED, TAG) for place, found in enumerate(tags) if tag in found}
    declared = {}
    if TAG in places:
        source = _as_python(cells[places[TAG]]["source"])
        declared = {one.name: one.annotation for one in declared_parameters(source)}
    imports: dict[str, None] = {}
    lines = []
    for name, value in values.items():
        if isinstance(value, TypedValue):
            imports["from pydantic import TypeAdapter"] = None
            lines.append(f"{name} = {value.source}")
        elif isinstance(value, PurePath) and "Path" in declared.get(name, ""):
            imports["from pathlib import Path"] = None
            lines.append(f"{name} = Path({literal(str(value))})")
        else:
            lines.append(f"{name} = {literal(plain(value))}")
    cell: Node = {
        "cell_type": "code",
        "id": uuid.uuid4().hex[:8],
        "metadata": {"tags": [INJECTED]},
        "source": "\n".join(["# Parameters", *imports, *lines]) + "\n",
        "execution_count": None,
        "outputs": [],
    }
    if INJECTED in places:
        cells[places[INJECTED]] = cell
    else:
        cells.insert(places.get(TAG, -1) + 1, cell)


def add_missing_error(cell: Node, reply: Mapping[str, Any]) -> None:
    """Add the error of a kernel's reply to the outputs of a cell that has none.

    IPython only prints a mistake in a magic; everything that looks for an error looks among the outputs.
    """
    if reply["status"] == "error" and not any(one["output_type"] == "error" for one in cell["outputs"]):
        kept = {name: reply[name] for name in ("ename", "evalue", "traceback")}
        cell["outputs"].append({"output_type": "error", **kept})


def require_kernel(notebook: Notebook, name: str) -> None:
    """Raise `ConfigurationError` when the kernel of the notebook called `name` is not installed here."""
    kernel = notebook.kernel
    if kernel in _ALWAYS_THERE:
        return  # without loading Jupyter, which takes longer than a run in which nothing has changed
    from jupyter_client.kernelspec import KernelSpecManager

    known = KernelSpecManager().find_kernel_specs()
    if kernel not in known:
        message = (
            f"{name} wants a kernel called '{kernel}'; installed are {', '.join(sorted(known))}."
            f"{did_you_mean(kernel, known)} `make install` brings python3."
        )
        raise ConfigurationError(message)


def cell_name(cells: Sequence[Mapping[str, Any]], position: int) -> str:
    """Return how messages name a cell: ``In [3]``, the number before it once it has run.

    A cell that has not run goes by the number it would have had.
    """
    number = cells[position].get("execution_count")
    if number is None:
        before = (cell for cell in cells[:position] if cell["cell_type"] == "code" and cell["source"].strip())
        number = 1 + sum(SKIP not in tags_of(cell) for cell in before)
    return f"In [{number}]"


def images_of(cell: Mapping[str, Any]) -> list[str]:
    """Return the PNG images a cell shows, base64-encoded."""
    return [
        output["data"]["image/png"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
