"""What is loaded once for all units: installed packages and the kit, never what the user edits."""

import pytest

from sta410kit.runner.preload import modules_to_load, needs_a_client
from sta410kit.runner.registry import Registry

pytestmark = pytest.mark.unit


def test_packages_and_the_kit_are_loaded_and_the_users_own_are_not(tmp_path, monkeypatch):
    """Nor what nobody has installed, nor the standard library, which is there already."""
    (tmp_path / "mine.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    sources = [
        "import mine, json, no_such_thing\nfrom rich.table import Table",
        "from sta410kit import steps",
    ]
    with Registry(tmp_path) as registry:
        found = modules_to_load(sources, registry)
    assert {"rich", "rich.table", "sta410kit.steps", "sta410kit.guards"} <= set(found)
    assert not {"mine", "json", "no_such_thing"} & set(found)


@pytest.mark.parametrize(
    ("source", "needs"),
    [("import ipywidgets as w", True), ("from ipywidgets import x", True), ("import os", False)],
)
def test_widgets_need_a_client(source, needs):
    """Their state is kept by Jupyter's own."""
    assert needs_a_client([source]) is needs
