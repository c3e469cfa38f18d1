"""What `lint-imports` and ruff cannot check: imports at run time and of notebooks, the size of modules."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KIT = ROOT / "sta410kit"
HEAVY = {
    "arch", "detect_secrets", "distributed", "exchange_calendars", "great_expectations", "jupyter_client",
    "matplotlib", "nbclient", "nbformat", "numpy", "pandas", "papermill", "pyarrow", "scipy", "skops",
    "sklearn", "statsmodels",
}  # fmt: skip
MODULES = sorted(path.stem for path in KIT.glob("*.py") if not path.stem.startswith("__"))
PACKAGES = sorted(path.parent.name for path in KIT.glob("*/__init__.py"))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("names", "unwanted"),
    [
        (["sta410kit"], HEAVY | {"pydantic", "loguru", "dotenv", "click", "rich"}),
        ([f"sta410kit.{name}" for name in (*MODULES, *PACKAGES)], HEAVY),
        (["sta410kit.runner.chain", "sta410kit.runner.sweeps.sweep"], HEAVY),
    ],
    ids=["the package", "its modules", "run and sweep"],
)
def test_importing_is_quick_and_does_nothing(tmp_path, names, unwanted):
    """No heavy package is loaded, no settings are read, no warning is given and no file is written."""
    (tmp_path / ".env").write_text("GD_LR=broken\n")
    code = f"import sys, {', '.join(names)}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-Werror", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert unwanted & set(done.stdout.split()) == set()
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def imports(source):
    """Name every module that Python code imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.unit
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_import_the_kit_and_nothing_above_it(path):
    """A notebook can be opened without the runner: it imports neither that nor an entry point."""
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    code = "\n".join(
        line for cell in cells for line in "".join(cell["source"]).splitlines() if line[:1] != "%"
    )
    rooms = {name.split(".")[1] for name in imports(code) if name.startswith("sta410kit.")}
    assert rooms
    assert rooms & {"runner", "cli", "lab", "service", "_internal"} == set()


@pytest.mark.unit
def test_no_module_outgrows_its_reader():
    """A module of more than 350 lines is two modules."""
    lengths = {
        str(path.relative_to(KIT)): len(path.read_text("utf-8").splitlines()) for path in KIT.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 350} == {}
