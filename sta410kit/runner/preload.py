"""Which modules a notebook's processes may share: loaded once, before they are forked."""

from __future__ import annotations

from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from sta410kit.runner.imports import KIT, imported_names, own_modules
from sta410kit.runner.warm.identity import package_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sta410kit.runner.registry import Registry

# What a notebook that publishes data docs would do at its first page.
_TEMPLATES = "sta410kit.guards.data_docs"
_NEEDS_A_CLIENT = {"ipywidgets", "ipympl", "anywidget"}


def modules_to_load(sources: Sequence[str], registry: Registry) -> list[str]:
    """Return the modules that notebook code imports and nobody edits: installed packages', and the kit's.

    Behind them stand, as ``module:function``, what to call once they are loaded.
    The user's own are left to each process: loading them may print, or depend on the parameters.
    """
    names = sorted({name for source in sources for name in imported_names(source)})
    folders = [str(folder) for folder in package_folders()]
    installed = {
        first
        for first in {name.partition(".")[0] for name in names}
        if first and first != KIT.name and PathFinder.find_spec(first, folders) is not None
    }
    packages = [name for name in names if name.partition(".")[0] in installed]
    kits = [name for name in own_modules(sources, [], registry) if name.partition(".")[0] == KIT.name]
    return [*packages, *kits, *([f"{_TEMPLATES}:load_templates"] if _TEMPLATES in kits else [])]


def needs_a_client(sources: Sequence[str]) -> bool:
    """Tell whether notebook code uses widgets, whose state only a client of Jupyter's keeps."""
    return any(
        name.partition(".")[0] in _NEEDS_A_CLIENT for source in sources for name in imported_names(source)
    )
