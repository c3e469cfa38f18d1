"""Importing does no work and pulls in nothing heavy."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

HEAVY = ("pandas", "numpy", "great_expectations", "papermill", "matplotlib", "sklearn", "pyarrow")


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


@pytest.mark.parametrize(
    "module",
    [
        "config",
        "secrets",
        "redaction",
        "logging",
        "exceptions",
        "outcomes",
        "project",
        "atomic",
        "validation",
    ],
)
def test_the_ground_floor_is_light(module, tmp_path):
    """No module of the ground floor loads what takes seconds, reads settings or writes files."""
    (tmp_path / ".env").write_text("GD_LR=broken\n")
    loaded = loaded_after(f"import sta410kit.{module}", tmp_path)
    assert not loaded & set(HEAVY)
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_the_ground_floor_imports_nothing_above_it(tmp_path):
    """Dependencies point downwards only."""
    loaded = loaded_after("import sta410kit.logging, sta410kit.secrets, sta410kit.validation", tmp_path)
    above = ("guards", "market", "research", "runner", "service", "cli")
    assert not [name for name in loaded if name.startswith(tuple(f"sta410kit.{room}" for room in above))]
