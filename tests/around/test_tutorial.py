"""The tutorial works: its commands are typed, its files written, block by block as a reader does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(bash|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.integration
@pytest.mark.slow
def test_the_tutorial_works_block_by_block(tmp_path):
    """A block of another language than bash is a file, which its first line names."""
    script = ["set -eo pipefail"]
    for language, text in BLOCK.findall((ROOT / "docs/tutorial.md").read_text("utf-8")):
        name = text.partition("\n")[0].removeprefix("# ")
        script.append(text if language == "bash" else f"cat > {name} <<'FILE'\n{text}FILE")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "STA410_LEDGER": str(tmp_path / "trials.sqlite"),
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    assert "prices: accepted without" in done.stdout, "the broken bar is quarantined" + done.stdout
    assert "my_models:Shrunk" in done.stdout
