"""Sphinx configuration: the pages of this folder, and the notebooks as they are committed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import sta410kit

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
project = "sta410kit"
author = "The sta410kit authors"
copyright = author  # noqa: A001 - Sphinx's name
release = sta410kit.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# Plain Markdown that GitHub shows alike; notebooks are shown with their committed outputs.
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type"]  # recorded values are for programs, not for a page
myst_heading_anchors = 4
html_theme = "furo"
html_title = "sta410kit"
html_show_copyright = False
html_show_sphinx = False

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpy docstrings give the types


def _copy_notebooks(*_: object) -> None:
    """Put the notebooks where Sphinx reads: it takes no page from outside of its folder."""
    shutil.copytree(
        ROOT / "notebooks", ROOT / "docs" / "notebooks", dirs_exist_ok=True,
        ignore=lambda _folder, names: [name for name in names if not name.endswith(".ipynb")],
    )  # fmt: skip


def setup(app: Sphinx) -> None:
    """Connect the one thing that the settings above cannot say."""
    app.connect("config-inited", _copy_notebooks)
