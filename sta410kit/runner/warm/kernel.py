"""The job of a forked process that becomes an ordinary IPython kernel."""

from __future__ import annotations

import os


def run(arguments: list[str]) -> None:
    """Run ipykernel on `arguments`, as its own launcher does."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(arguments, parent_handle=os.getppid())
