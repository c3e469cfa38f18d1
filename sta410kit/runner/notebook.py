"""A notebook as a file: reading it, and the parameters it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.parameters import TAG, Parameter, declared_parameters
from sta410kit.suggest import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path


def read_notebook(path: Path) -> Any:  # noqa: ANN401 - an nbformat NotebookNode
    """Return the notebook in `path`.

    Raises
    ------
    ConfigurationError
        There is no such file, or it is not a notebook.
    """
    import nbformat

    if not path.is_file():
        near = ", ".join(sorted(other.name for other in path.parent.glob("*.ipynb"))) or "none"
        message = f"no notebook {path}; notebooks in that folder: {near}"
        raise ConfigurationError(message)
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        message = f"{path} is not a Jupyter notebook: {_first_line(error)}"
        raise ConfigurationError(message) from error
    return notebook


def parameters_of(notebook: Any) -> list[Parameter]:  # noqa: ANN401 - an nbformat NotebookNode
    """Return what a notebook's cell tagged ``parameters`` declares; nothing without such a cell."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and TAG in cell.metadata.get("tags", []):
            return declared_parameters(cell.source)
    return []


def kernel_of(notebook: Any) -> tuple[str, str]:  # noqa: ANN401 - an nbformat NotebookNode
    """Return the names of a notebook's kernel and language; Python's where it names none."""
    spec = notebook.metadata.get("kernelspec", {})
    return spec.get("name") or "python3", spec.get("language") or "python"


def require_kernel(notebook: Any, name: str) -> None:  # noqa: ANN401 - an nbformat NotebookNode
    """Raise `ConfigurationError` when the kernel of the notebook called `name` is not installed here."""
    from jupyter_client.kernelspec import KernelSpecManager

    kernel, _ = kernel_of(notebook)
    known = KernelSpecManager().find_kernel_specs()
    if kernel not in known:
        message = (
            f"{name} wants a kernel called '{kernel}'; installed are {', '.join(sorted(known))}."
            f"{did_you_mean(kernel, known)} `make install` brings python3."
        )
        raise ConfigurationError(message)


def figures_missing(notebook: Any) -> list[int]:  # noqa: ANN401 - an nbformat NotebookNode
    """Return the numbers (from 1) of the cells tagged ``figure`` that show no image."""
    return [
        number
        for number, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code" and "figure" in cell.metadata.get("tags", []) and not images_of(cell)
    ]


def images_of(cell: Any) -> list[str]:  # noqa: ANN401 - an nbformat NotebookNode
    """Return the PNG images a cell shows, base64-encoded."""
    return [
        output["data"]["image/png"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
