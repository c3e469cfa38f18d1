"""What the documents show works when it is copied."""

import re
from pathlib import Path

import pytest

from sta410kit.cli.entry import cli
from sta410kit.outcomes import ExitCode

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language):
    """Return the fenced blocks of a language in all documents, each with where it stands."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        pytest.param(block, id=f"{document.name}-{number}")
        for document in DOCUMENTS
        for number, block in enumerate(pattern.findall(document.read_text("utf-8")))
    ]


@pytest.mark.parametrize("source", blocks("python"))
def test_python_examples_run(source):
    """Every Python block runs as it stands."""
    exec(compile(source, "example", "exec"), {})  # noqa: S102 - our own documents


def test_there_are_python_examples():
    """The test above cannot pass by finding nothing."""
    assert blocks("python")


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


def test_the_readmes_exit_codes_are_the_kits():
    """Each code in the table is one of the kit's; those a user can meet today are all there."""
    table = {
        int(code)
        for code in re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    }
    assert table <= set(ExitCode)
    assert {0, 1, 2, 3, 4, 5, 130} <= table
