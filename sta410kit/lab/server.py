"""What Jupyter's server does differently: which kernel it starts, and what it saves.

Notebooks name the kernel ``python3``. The server starts the warm one under that name, so that no notebook has
to be changed, and has it load `sta410kit.lab.kernel`, by which its notebooks connect.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_server.base.handlers import AuthenticatedFileHandler
from jupyter_server.utils import url_path_join

from sta410kit.lab.display import ROOT, URL
from sta410kit.runner.kernelspecs import NATIVE, WARM, is_this_python
from sta410kit.runner.notebook_redaction import forget_redactions, redacted_notebook, redactions
from sta410kit.secrets import learn_configured_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEEP_WARM = 5 * 60 * 1000  # milliseconds; the fork server stops after 15 idle minutes
_LAUNCH = [
    "python", "-P", "-m", "sta410kit.runner.warm.launcher", "-f", "{connection_file}",
    "--InteractiveShellApp.extra_extensions=sta410kit.lab.kernel",
]  # fmt: skip


class WarmKernelSpecManager(KernelSpecManager):
    """The kernel specifications of this environment, with the warm kernel in place of ipykernel's."""

    environment: Mapping[str, str] = {}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return a specification; its display name is ipykernel's, which notebooks have in their metadata."""
        spec = super().get_kernel_spec(kernel_name)
        if kernel_name == WARM or (kernel_name.lower() == NATIVE and is_this_python(NATIVE)):
            spec.argv, spec.interrupt_mode = [*_LAUNCH], "signal"
            spec.env = {**spec.env, **self.environment}
        return spec


class RunFilesHandler(AuthenticatedFileHandler):
    """The files of runs, whose pages link to each other.

    Jupyter shows pages in a sandbox, from where browsers send no Referer, and without one it refuses a file.
    That guards against pages of other sites that include the file; one opened in a tab is included in none.
    """

    def check_xsrf_cookie(self) -> None:
        """Accept what a browser opens in a tab; ask for a Referer as Jupyter does for all else."""
        if self.request.headers.get("Sec-Fetch-Dest") != "document":
            super().check_xsrf_cookie()


def choose_kernels(server: Any) -> None:  # noqa: ANN401 - a ServerApp
    """Have a server that is being set up start warm kernels, unless its kernels are configured otherwise."""
    config = server.config
    elsewhere = config.GatewayClient or os.environ.get("JUPYTER_GATEWAY_URL")
    if os.name == "posix" and not elsewhere and "kernel_spec_manager_class" not in config.ServerApp:
        server.kernel_spec_manager_class = WarmKernelSpecManager


def load(server: Any) -> None:  # noqa: ANN401 - a ServerApp
    """Warm the fork server, keep it warm, and check what is saved."""
    server.contents_manager.register_pre_save_hook(before_save)
    if not isinstance(server.kernel_spec_manager, WarmKernelSpecManager):
        return
    from tornado.ioloop import PeriodicCallback

    from sta410kit.runner.warm.client import warm_up

    root = str(Path(server.root_dir).resolve())
    server.kernel_spec_manager.environment = {ROOT: root, URL: server.base_url}
    if server.contents_manager.files_handler_class is AuthenticatedFileHandler:
        files = url_path_join(server.base_url, r"/files/((?:.*/)?runs/.*)")
        params = server.contents_manager.files_handler_params
        server.web_app.add_handlers(".*$", [(files, RunFilesHandler, params)])
    warm_up()
    PeriodicCallback(warm_up, _KEEP_WARM).start()


def before_save(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:  # noqa: ANN401
    """Redact secrets in a notebook that is about to be saved, and leave out what only git would notice."""
    content = model.get("content")
    if model.get("type") != "notebook" or not isinstance(content, dict):
        return
    file = Path(contents_manager.root_dir) / path.strip("/")
    learn_configured_secrets(file.parent)
    forget_redactions(content)
    model["content"] = redacted_notebook(content)
    for text in redactions(model["content"]):
        contents_manager.log.warning("sta410kit: %s, %s", path, text)
    _keep_metadata(model["content"], file)


def _keep_metadata(content: dict[str, Any], file: Path) -> None:
    """Keep kernel and language as the file names them where they are the same ones; drop times of cells.

    JupyterLab writes the version of the Python that happened to run, and when each cell ran.
    """
    metadata = content.get("metadata")
    for cell in content.get("cells", []):
        if isinstance(cell, dict) and isinstance(cell.get("metadata"), dict):
            cell["metadata"].pop("execution", None)
    try:
        before = json.loads(file.read_text(encoding="utf-8"))["metadata"]
        for name in ("kernelspec", "language_info"):
            if isinstance(metadata, dict) and metadata[name]["name"] == before[name]["name"]:
                metadata[name] = before[name]
    except (OSError, ValueError, LookupError, TypeError):
        return  # a new notebook, or one without them
