"""The documents are true: links lead somewhere, commands exist, examples run."""

import re
import shutil
from pathlib import Path

import pytest

from sta410kit.cli.entry import cli
from sta410kit.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
DOCUMENTS = [path for folder in (".", "benchmarks", "docs") for path in sorted((ROOT / folder).glob("*.md"))]
WITH_PYTHON = [path for path in DOCUMENTS if "\n```python\n" in path.read_text("utf-8")]
LINK = re.compile(r"\[(?:[^\]\\]|\\.)*\]\(<?([^)\s>]+)|<(?:img|a)\s[^>]*(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
WRITTEN_BY_REVIEWERS = {"expectations/repairs.toml", "expectations/events.toml"}
CREDENTIALS = {
    "ALPACA_API_KEY": "PKQ7W3E9R5T1Y8U2I4O6",  # pragma: allowlist secret
    "ALPACA_SECRET_KEY": "h8Kd02LmQz71XvBn55TyWcRp34EoUaSg69JfHi0Q",  # pragma: allowlist secret
}


def short(path):
    return path.relative_to(ROOT).as_posix()


def anchors(text):
    """Name the anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def broken_links(document):
    """Name the links of a document that lead nowhere in the repository; other hosts are not asked."""
    for match in LINK.finditer(FENCE.sub("", document.read_text("utf-8"))):
        link = match.group(1) or match.group(2)
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not re.match(r"[a-z]+:", link) and (
            not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8")))
        ):
            yield link


@pytest.mark.unit
@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_what_a_document_names_exists(document, targets):
    """Its links, anchors and files are in the repository, its make targets in the Makefile."""
    text = document.read_text("utf-8")
    assert list(broken_links(document)) == []
    files = re.findall(r"`((?:sta410kit|notebooks|expectations|tests|scripts|docs)/[\w./-]+\.\w+)`", text)
    assert [name for name in set(files) - WRITTEN_BY_REVIEWERS if not (ROOT / name).exists()] == []
    code = [match.group() for match in FENCE.finditer(text)] + re.findall(r"`[^`\n]+`", FENCE.sub("", text))
    named = {name for part in code for name in re.findall(r"(?<![\w-])make ([a-z-]+)", part)}
    assert named <= set(targets)


@pytest.mark.unit
@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_commands_exist_and_take_the_options_shown(document):
    """Each `sta410 ...` of a code block names a command and options that the command line has.

    A block of text is what a program printed.
    """
    fences = (match.group() for match in FENCE.finditer(document.read_text("utf-8")))
    fences = (fence for fence in fences if not fence.startswith("```text"))
    lines = [line.split("#")[0].split() for fence in fences for line in fence.splitlines()]
    for words in (line for line in lines if line[:1] == ["sta410"] and len(line) > 1):
        command = cli.commands[words[1]]
        command = getattr(command, "commands", {}).get(words[2] if len(words) > 2 else "", command)
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= options, words


@pytest.mark.integration
@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("document", WITH_PYTHON, ids=short)
def test_python_examples_run(document, tmp_path, monkeypatch):
    """The Python blocks of a document run one after the other, in a project, as a reader copies them."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    blocks = re.findall(r"^```python\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    exec(compile("".join(blocks), document, "exec"), {"__name__": "example"})  # noqa: S102 - our own examples


@pytest.mark.unit
def test_the_page_on_runs_lists_every_exit_code():
    """Each code of the kit is in the table, and no other."""
    table = re.findall(r"^\| (\d[\d, ]*) \|", (ROOT / "docs/running.md").read_text("utf-8"), re.MULTILINE)
    assert [int(code) for cell in table for code in cell.split(",")] == [int(code) for code in ExitCode]
