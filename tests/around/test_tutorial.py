"""Quick start and tutorial work: a test types their commands and writes their files, block by block."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def follow(tmp_path):
    """Give the function that does what a page says, after some commands, and returns what was printed.

    A block of another language than bash is a file, which its first line names.
    """

    def do(page, *before):
        script = ["set -eo pipefail", *before]
        for language, text in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
            name = text.partition("\n")[0].removeprefix("# ")
            script.append(text if language == "bash" else f"cat > {name} <<'FILE'\n{text}FILE")
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "STA410_LEDGER": str(tmp_path / "trials.sqlite"),
            "BROWSER": "true",  # the program that does nothing
        }
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    return do


@pytest.mark.integration
@pytest.mark.slow
def test_the_quick_start_works(follow):
    """In a project, where `make run` of a checkout is `sta410 run`."""
    said = follow("quickstart.md", "sta410 new project here", "cd here", "sta410 run")
    assert said.count("verdict: no skill shown.") == 3  # run, show, and run with another model
    assert "boosting" in said


@pytest.mark.integration
@pytest.mark.slow
def test_the_tutorial_works(follow):
    """The broken bar is quarantined, and the model is the reader's own."""
    said = follow("tutorial.md")
    assert "prices: accepted without" in said
    assert "my_models:Shrunk" in said
