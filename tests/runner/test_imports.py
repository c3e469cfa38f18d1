"""What a notebook's code reaches decides what has to run again."""

import pytest

from sta410kit.runner.imports import imported_names, own_modules
from sta410kit.runner.registry import Registry

pytestmark = pytest.mark.unit


def test_how_notebooks_are_executed_is_no_part_of_what_they_do(tmp_path):
    """Importing from the runner's package does not bring the whole runner in."""
    with Registry(tmp_path) as registry:
        found = own_modules(["from sta410kit.runner import handover"], [tmp_path], registry)
    assert {"sta410kit.runner", "sta410kit.runner.handover", "sta410kit.market"} <= set(found)
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
