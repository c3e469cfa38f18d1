"""The extension of JupyterLab: warm kernels, notebooks that connect, magics.

Jupyter's servers load it by ``etc/jupyter/jupyter_server_config.d/sta410kit.json``, which comes with the
package. Kernels that such a server starts have the magics; in others ``%load_ext sta410kit.lab`` adds them.
"""

from typing import Any


def load_ipython_extension(shell: Any) -> None:  # noqa: ANN401 - an InteractiveShell
    """Add the magics, errors in one line and the progress of long fits to an IPython shell."""
    from sta410kit.lab.shell import extend

    extend(shell)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "sta410kit.lab"}]


def _link_jupyter_server_extension(server: Any) -> None:  # noqa: ANN401 - a ServerApp
    from sta410kit.lab.server import choose_kernels

    choose_kernels(server)


def _load_jupyter_server_extension(server: Any) -> None:  # noqa: ANN401 - a ServerApp
    from sta410kit.lab.server import load

    load(server)
