"""What a notebook shows in JupyterLab, as HTML beside plain text."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT, URL = "STA410_LAB_ROOT", "STA410_LAB_URL"  # set by Jupyter's server for its kernels


def show(html: str, text: str, *, update: Any = None) -> Any:  # noqa: ANN401 - a DisplayHandle
    """Show HTML, and text where HTML is not shown; return the handle by which it can be replaced."""
    from IPython.display import display

    bundle = {"text/html": html, "text/plain": text}
    if update is not None:
        update.update(bundle, raw=True)
        return update
    return display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]


def show_progress(done: int, total: int, text: str, *, update: Any = None) -> Any:  # noqa: ANN401
    """Show a bar with words beside it, as `show` does."""
    bar = f'<progress value="{done}" max="{total}"></progress> {escape(text)}'
    return show(bar, text, update=update)


def address(path: Path) -> str:
    """Return where a browser finds a file: on Jupyter's server, or without one in the file system."""
    root, url = os.environ.get(ROOT), os.environ.get(URL)
    if root and url and path.resolve().is_relative_to(root):
        return f"{url}files/{quote(path.resolve().relative_to(root).as_posix())}"
    return path.resolve().as_uri()
