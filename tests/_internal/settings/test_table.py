"""The documents and the code agree on the settings, and an unused setting is marked as reserved."""

import ast
import json
import runpy
from pathlib import Path

import pytest

from sta410kit.config import all_settings

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "scripts" / "document_settings.py"))


def test_the_documents_are_what_the_table_says(script):
    """After a change of a setting: python scripts/document_settings.py."""
    assert script["EXAMPLE"].read_text("utf-8") == script["example"]()
    page = script["PAGE"].read_text("utf-8")
    assert page == script["page"](page)


def test_a_row_of_the_documents(script):
    """Field, default, use, values, and whether it is reserved."""
    row = (
        "| `CACHE_TTL_HOURS` | `data.cache_ttl_hours` | `24` | hours for which downloaded prices count as "
        "fresh; a number from 0 upwards; reserved: read and checked, nothing uses it yet |\n"
    )
    assert row in script["page"]("above\n\n| variable | old |\n|---|---|\n\nbelow\n")
    lines = (
        "# Hours for which downloaded prices count as fresh. Takes a number from 0 upwards.\n"
        "# Reserved: read and checked, nothing uses it yet.\n"
        "CACHE_TTL_HOURS=24\n"
    )
    assert lines in script["example"]()


def attributes(source):
    """Name every attribute that Python code reads: `cache_dir` for ``config.data.cache_dir``."""
    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def cells(notebook):
    """Return the code of a notebook, without lines that only IPython understands."""
    lines = [
        line
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
        for line in "".join(cell["source"]).splitlines()
    ]
    return "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))


def test_a_setting_is_used_or_says_that_it_is_not():
    """Mark a setting that nothing reads as reserved, and unmark it in the change that begins to read it."""
    sources = [path.read_text("utf-8") for path in (ROOT / "sta410kit").rglob("*.py")]
    sources += [cells(path) for path in (ROOT / "notebooks").glob("*.ipynb")]
    used = set().union(*map(attributes, sources))
    unused = {one.variable for one in all_settings() if one.field.rpartition(".")[2] not in used}
    assert unused == {one.variable for one in all_settings() if one.reserved}


def test_a_mention_is_no_use():
    """A text, a name or a comment is not a use."""
    assert attributes("x = config.data.cache_dir  # .a\n'config.b'\ndef c(): return config.d") == {
        "data", "cache_dir", "d",
    }  # fmt: skip
