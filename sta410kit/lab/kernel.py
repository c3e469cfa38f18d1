"""What a kernel loads that JupyterLab has started: its notebooks connect."""

from typing import Any

from sta410kit.lab.exploration import Exploration
from sta410kit.lab.shell import extend
from sta410kit.steps import connect


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401 - an InteractiveShell
    """Connect the notebooks of this kernel, and extend its shell."""
    exploration = Exploration(shell.user_ns)
    connect(exploration)
    extend(shell, exploration)
