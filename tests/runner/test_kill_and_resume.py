"""A chain that is killed again and again and resumed leaves the artifacts of an undisturbed one."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FIRST = "from pathlib import Path"
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kill_and_resume.py"


def test_kills_change_nothing(project, nightly):
    """Three kills of a chain whose steps take a moment; in the nightly tests, twenty."""
    for name in ("one", "two"):
        path = project / "notebooks" / f"{name}.ipynb"
        slow = path.read_text().replace(FIRST, f"import time\\ntime.sleep(0.7)\\n{FIRST}")
        path.write_text(slow)
    command = [
        sys.executable,
        SCRIPT,
        "--kills",
        "20" if nightly else "3",
        "--longest",
        "3",
        "--project",
        project,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if ".txt" in line] == ["equal", "equal"]
