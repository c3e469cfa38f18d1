"""What a notebook's code reaches decides what has to run again."""

import pytest

from sta410kit.runner.imports import code_digest, imported_names, own_modules
from sta410kit.runner.registry import Registry

pytestmark = pytest.mark.unit


def test_how_notebooks_are_executed_is_no_part_of_what_they_do(tmp_path):
    """Importing from the runner's package does not bring the whole runner in."""
    with Registry(tmp_path) as registry:
        found = own_modules(["from sta410kit import steps"], [tmp_path], registry)
    assert {"sta410kit.steps", "sta410kit.market"} <= set(found)
    assert not {"sta410kit.runner.chain", "sta410kit.runner.alone", "sta410kit.runner.report"} & set(found)


def test_what_only_a_type_checker_sees_is_not_imported():
    """Everything else is, however deep it stands."""
    source = """
from typing import TYPE_CHECKING
import typing
if TYPE_CHECKING:
    import seen.by.nobody
elif typing.TYPE_CHECKING:
    import nobody
else:
    import a
def f():
    if x:
        from b import c
"""
    assert imported_names(source) == ["a", "b", "b.c", "typing", "typing.TYPE_CHECKING"]
    assert imported_names("import (") == []


def test_modules_are_read_as_python_reads_them(tmp_path):
    """With a mark at the beginning, as some editors write it, or an encoding in a comment, or neither."""
    (tmp_path / "marked.py").write_bytes(b"\xef\xbb\xbfimport named\n")
    (tmp_path / "named.py").write_bytes(
        "# -*- coding: latin-1 -*-\nimport broken\nx = 'é'\n".encode("latin-1")
    )
    (tmp_path / "broken.py").write_bytes(b"x = '\xe9'\n")
    with Registry(tmp_path / "runs") as registry:
        found = own_modules(["import marked"], [tmp_path], registry)
    assert set(found) == {"marked", "named", "broken"}


def test_code_nested_too_deeply_counts_by_its_characters():
    """Python executes a sum of two thousand terms; to look into it takes more than there is room for."""
    terms = "x = " + " + ".join(["1"] * 2000)
    assert code_digest(terms) == code_digest(terms)
    assert code_digest(terms) != code_digest(f"{terms} + 1")
    assert code_digest("x = 1  # one") == code_digest("x  =  1")
    assert imported_names(" + ".join(["1"] * 50_000)) == []
