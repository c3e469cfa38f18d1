"""Importing does no work and pulls in nothing heavy."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

HEAVY = ("pandas", "numpy", "great_expectations", "papermill", "matplotlib", "sklearn", "pyarrow")
ABOVE = tuple(f"sta410kit.{room}" for room in ("guards", "market", "research", "runner", "service", "cli"))


def loaded_after(statement, cwd):
    ask = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ask], cwd=cwd, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_the_package_imports_next_to_nothing(tmp_path):
    """`import sta410kit` names a version and does no more; no file appears."""
    loaded = loaded_after("import sta410kit", tmp_path)
    assert not loaded & {*HEAVY, "pydantic", "pydantic_settings", "loguru", "dotenv", "click", "rich"}
    assert {name for name in loaded if name.startswith("sta410kit.")} == set()
    assert list(tmp_path.iterdir()) == []


def test_the_ground_floor_is_light_and_stands_alone(tmp_path):
    """It loads nothing that takes seconds and no room above it, reads no settings and writes no files."""
    (tmp_path / ".env").write_text("GD_LR=broken\n")
    kit = Path(__file__).parents[1] / "sta410kit"
    floor = sorted({path.stem for path in kit.glob("*.py")} - {"__init__", "__main__", "cli"})
    assert len(floor) > 10
    loaded = loaded_after("import " + ", ".join(f"sta410kit.{module}" for module in floor), tmp_path)
    assert loaded & set(HEAVY) == set()
    assert [name for name in loaded if name.startswith(ABOVE)] == []
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
