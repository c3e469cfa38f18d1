"""Which kernels are this environment's Python, found out without loading Jupyter."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

_OURS = "sta410"
NATIVE = "python3"  # ipykernel's own, there even when no specification is installed
PYTHON = "python"  # the language, as notebooks name it


def is_this_python(kernel: str) -> bool:
    """Tell whether the kernel of that name is the Python of this environment.

    Specifications are looked for where `jupyter_client` looks, in the same order.
    """
    if kernel == _OURS:
        return True
    program = _program(kernel.lower())
    if not program:
        return kernel.lower() == NATIVE
    return program in {PYTHON, f"python{sys.version_info[0]}"} or shutil.which(program) == sys.executable


def _program(kernel: str) -> str:
    """Return what a kernel's specification starts; empty when there is none."""
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("kernels"):
        for path in sorted(Path(folder).glob("*/kernel.json")):
            if path.parent.name.lower() != kernel:
                continue
            try:
                return str(json.loads(path.read_text(encoding="utf-8"))["argv"][0])
            except (OSError, ValueError, KeyError, IndexError, TypeError):
                continue
    return ""
