"""The documents lead somewhere: links, anchors, commands and files."""

import re
from pathlib import Path

import pytest

from sta410kit.exit_codes import ExitCode

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "sta410kit").rglob("*.md")),
]
LINK = re.compile(
    r"!?\[(?:[^\]\\]|\\.)*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|<(?:img|a)\s[^>]*(?:src|href)=\"([^\"]+)\""
)
(PHONY,) = re.findall(
    r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " "), re.MULTILINE
)
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


def anchors(text):
    """Name the anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def broken_links(document):
    """Name the links of `document` that lead nowhere in the repository; other hosts are not asked."""
    text = document.read_text("utf-8")
    broken = []
    for match in LINK.finditer(FENCE.sub("", text)):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target.read_text("utf-8"))
        ):
            broken.append(link)
    return broken


def make_targets(text):
    """Name what follows `make` in the code of a document."""
    code = [match.group(0) for match in FENCE.finditer(text)]
    code += re.findall(r"`[^`\n]+`", FENCE.sub("", text))
    return {name for part in code for name in re.findall(r"(?<![\w-])make ([a-z-]+)", part)}


def short(path):
    return path.relative_to(ROOT).as_posix()


def test_the_documents_are_there():
    """The ones that every visitor looks for exist."""
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= {short(path) for path in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_links_lead_somewhere(document):
    """Every relative link names a file, and every anchor a heading."""
    assert broken_links(document) == []


def test_a_broken_link_is_found(tmp_path):
    """The search sees files, anchors, pictures and titles, and leaves code blocks and other hosts alone."""
    (tmp_path / "there.md").write_text("# A `heading`, here\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        '[a](there.md) [b](there.md#a-heading-here) [c](gone.md "title") [d](there.md#gone) ![e](gone.png)\n'
        '[f](https://example.com) <img width="3" src="lost.png">\n```\n[g](code.md)\n```\n',
        encoding="utf-8",
    )
    assert broken_links(page) == ["gone.md", "there.md#gone", "gone.png", "lost.png"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_named_make_targets_exist(document):
    """Every `make target` in code, inline or in a block, is one that the Makefile has."""
    assert make_targets(document.read_text("utf-8")) <= set(PHONY.split())


def test_make_targets_are_seen():
    """The search reads blocks and inline code, and leaves plain sentences alone."""
    text = "```\nmake run  # or\nFOO=1 make test ARGS=x\n```\nyou make it, `make lab` or `cd x && make docs`"
    assert make_targets(text) == {"run", "test", "lab", "docs"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_named_files_exist(document):
    """Every file of ours that a document names in backticks is where it says."""
    named = re.findall(
        r"`((?:sta410kit|notebooks|expectations|tests|scripts|benchmarks|binder|docs)/[\w./-]+\.\w+)`",
        document.read_text("utf-8"),
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_lists_every_exit_code():
    """And none that there is not."""
    table = re.findall(r"^\| (\d[\d, ]*) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    codes = [int(code) for cell in table for code in cell.split(",")]
    assert codes == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]
    assert codes == [int(code) for code in ExitCode]
