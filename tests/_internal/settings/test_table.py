"""The documents and the code agree on the settings, and an unused setting is marked as deprecated."""

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
    """Field, default, use, values, and why it is deprecated."""
    row = (
        "| `MODEL_CACHE_DIR` | `data.model_cache_dir` | `model_cache` | folder of fitted models; the name of "
        "a folder; deprecated: changes nothing, because each run keeps its fitted model in its folder, as "
        "model.skops |\n"
    )
    assert row in script["page"]("above\n\n| variable | old |\n|---|---|\n\nbelow\n")
    lines = (
        "# Folder of fitted models. Takes the name of a folder.\n"
        "# Deprecated: changes nothing, because each run keeps its fitted model in its folder, "
        "as model.skops.\n"
        "MODEL_CACHE_DIR=model_cache\n"
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
    """A setting that nothing reads is deprecated; the validator of VALIDATE_DATA is its use."""
    sources = [path.read_text("utf-8") for path in (ROOT / "sta410kit").rglob("*.py")]
    sources += [cells(path) for path in (ROOT / "notebooks").glob("*.ipynb")]
    used = set().union(*map(attributes, sources))
    unused = {one.variable for one in all_settings() if one.field.rpartition(".")[2] not in used}
    assert unused - {"VALIDATE_DATA"} == {one.variable for one in all_settings() if one.deprecated}


def test_a_mention_is_no_use():
    """A text, a name or a comment is not a use."""
    assert attributes("x = config.data.cache_dir  # .a\n'config.b'\ndef c(): return config.d") == {
        "data", "cache_dir", "d",
    }  # fmt: skip
