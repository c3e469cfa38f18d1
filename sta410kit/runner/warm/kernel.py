"""The job of a forked process that becomes an ordinary IPython kernel, and what makes it light."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ipykernel.debugger import Debugger
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

if TYPE_CHECKING:
    from collections.abc import Iterator


def run(arguments: list[str]) -> None:
    """Run ipykernel on `arguments`, as its own launcher does."""
    IPKernelApp.launch_instance(arguments, parent_handle=os.getppid(), kernel_class=LightKernel)


class LateDebugger(Debugger):
    """ipykernel's debugger, which is told the files of all modules only when it asks for them."""

    @property
    def kernel_modules(self) -> list[str]:
        """The files that are no part of the notebook, for the debugger to step over."""
        files = (getattr(module, "__file__", None) for module in sys.modules.copy().values())
        return [file for file in files if file]

    @kernel_modules.setter
    def kernel_modules(self, known: list[str]) -> None:
        """Take no notice: what is known when the kernel starts is nothing, see `LightKernel`."""


class LightKernel(IPythonKernel):
    """ipykernel's kernel, without its look at every module that is imported while it starts.

    A process shares the memory of the server it was forked from until it touches it, and looking at a module
    touches its reference counts: with thousands of modules 20 MiB for each kernel, and 10 ms.
    """

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - passed on
        traits.setdefault("debugger_class", LateDebugger)
        with _modules_not_listed():
            super().__init__(**traits)  # type: ignore[no-untyped-call]


class _Unlisted:
    """``sys.modules`` for whoever asks by name; whoever asks for a copy of all gets none."""

    def __init__(self, modules: dict[str, Any]) -> None:
        self._modules = modules

    def copy(self) -> dict[str, Any]:
        return {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a module
        return self._modules[name]

    def __setitem__(self, name: str, module: Any) -> None:  # noqa: ANN401 - a module
        self._modules[name] = module

    def __delitem__(self, name: str) -> None:
        del self._modules[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the rest of a dict's methods
        return getattr(self._modules, name)


@contextmanager
def _modules_not_listed() -> Iterator[None]:
    """Let imports work as ever while a kernel starts; they do not go through this name."""
    modules = sys.modules
    sys.modules = _Unlisted(modules)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules = modules
