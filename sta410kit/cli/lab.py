"""``sta410 lab``: JupyterLab on the project's notebooks."""

import os
import sys
from importlib.util import find_spec

import click

from sta410kit._internal.project import require_project
from sta410kit.exceptions import ConfigurationError

_START = "notebooks/start_here.ipynb"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF JUPYTERLAB]")
def lab(options: tuple[str, ...]) -> None:
    """Open JupyterLab on the project's notebooks, with warm kernels.

    JupyterLab's own options may follow, such as --no-browser or --port=8889.
    """
    if find_spec("jupyterlab") is None:
        message = "JupyterLab is not installed; install it: pip install 'sta410kit[lab]'"
        raise ConfigurationError(message)
    project = require_project("; change into one, or make one: sta410 new project DIR")
    first = _START if (project / _START).is_file() else "notebooks"
    # The program that installs extensions asks another host for their list, so it stays closed.
    settings = [f"--ServerApp.root_dir={project}", f"--LabApp.default_url=/lab/tree/{first}",
                "--LabApp.extension_manager=readonly"]  # fmt: skip
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *settings, *options])  # noqa: S606 - this Python
