"""Small notebooks and projects to run."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from sta410kit.runner.chain import run_plan
from sta410kit.runner.limits import Watch
from sta410kit.runner.plan import Options, plan_chain
from sta410kit.runner.progress import Progress

BEGUN = "from pathlib import Path\nPath('begun').touch()\n"


def save(path, *cells):
    """Write a notebook; a cell is its source, or its source and a tag."""
    made = []
    for number, cell in enumerate(cells):
        source, *tags = (cell,) if isinstance(cell, str) else cell
        new = new_markdown_cell(source) if source.startswith("#!") else new_code_cell(source)
        new["id"] = f"cell{number}"
        new.metadata["tags"] = tags
        made.append(new)
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=made, metadata={"kernelspec": spec}), path)
    return path


def edit(path, number, source):
    """Give a cell of a notebook another source."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number].source = source
    nbformat.write(notebook, path)


def run_chain(project, given=None, **options):
    """Run the chain as `sta410 run` does."""
    return run_plan(plan_chain(project, given or {}, Options(**options)), Progress())


@pytest.fixture
def write_notebook():
    """Give the function that writes a notebook."""
    return save


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Give the source that says a cell runs; no limit counts before a notebook in this folder has said so.

    A busy machine would reach the limit before the cell.
    """
    look = Watch.__call__

    def look_when_begun(watch, pid):
        if (tmp_path / "begun").exists():
            look(watch, pid)

    monkeypatch.setattr(Watch, "__call__", look_when_begun)
    return BEGUN


@pytest.fixture
def project(tmp_path):
    """Make a project of two steps: the first writes a number, the second doubles it."""
    save(
        tmp_path / "notebooks" / "one.ipynb",
        ("start: int = 2\nrun_dir: str | None = None", "parameters"),
        "from pathlib import Path\n(Path(run_dir) / 'number.txt').write_text(str(start))",
    )
    save(
        tmp_path / "notebooks" / "two.ipynb",
        ("number: str | None = None\nfactor: float = 2.0\nrun_dir: str | None = None", "parameters"),
        "from pathlib import Path\nfound = float(Path(number).read_text()) * factor",
        "(Path(run_dir) / 'double.txt').write_text(str(found))",
    )
    (tmp_path / "notebooks" / "pipeline.toml").write_text(
        '[[step]]\nnotebook = "one.ipynb"\nproduces = { number = "number.txt" }\n'
        '[[step]]\nnotebook = "two.ipynb"\nneeds = ["number"]\nproduces = { double = "double.txt" }\n'
    )
    return tmp_path


@pytest.fixture
def one_step(project):
    """Give the function that makes the project a chain of one step, which writes ``number.txt``."""

    def make(source):
        head = ("run_dir: str | None = None", "parameters")
        save(project / "notebooks" / "one.ipynb", head, f"from pathlib import Path\n{source}")
        (project / "notebooks" / "pipeline.toml").write_text(
            '[[step]]\nnotebook = "one.ipynb"\nproduces = { number = "number.txt" }\n'
        )
        return project

    return make
