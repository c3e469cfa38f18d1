"""What the documents show works when it is copied."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sta410kit.cli.entry import cli
from sta410kit.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
CREDENTIALS = {
    "ALPACA_API_KEY": "PKQ7W3E9R5T1Y8U2I4O6",  # pragma: allowlist secret
    "ALPACA_SECRET_KEY": "h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q",  # pragma: allowlist secret
}
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language, documents=DOCUMENTS):
    """Return the fenced blocks of a language in documents, each with where it stands."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        pytest.param(block, id=f"{document.name}-{number}")
        for document in documents
        for number, block in enumerate(pattern.findall(document.read_text("utf-8")))
    ]


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_examples_run(document, tmp_path):
    """The Python blocks of a document run one after the other, as somebody would copy them."""
    source = "".join(block.values[0] for block in blocks("python", [document]))
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    # Great Expectations imports them.
    ignored = [
        f"-Wignore:module 'sre_{name}' is deprecated:DeprecationWarning" for name in ("constants", "parse")
    ]
    done = subprocess.run(
        [sys.executable, "-Werror", *ignored, "-c", source],
        cwd=tmp_path, env={**os.environ, **CREDENTIALS}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.unit
def test_there_are_python_examples():
    """The test above cannot pass by finding nothing."""
    assert blocks("python")


@pytest.mark.unit
@pytest.mark.parametrize("block", blocks(""))
def test_every_command_shown_exists_and_takes_the_options_shown(block):
    """Commands of `sta410` in the documents are parsed as the command line parses them."""
    for line in block.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "sta410":
            continue
        command = cli.commands[words[1]]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= options, line


@pytest.mark.unit
def test_the_readmes_exit_codes_are_the_kits():
    """Each code in the table is one of the kit's; those a user can meet today are all there."""
    table = {
        int(code)
        for code in re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    }
    assert table <= set(ExitCode)
    assert {0, 1, 2, 3, 4, 5, 6, 10, 130} <= table
