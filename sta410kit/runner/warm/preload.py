"""What the fork server imports before it forks: third-party packages, then the kit."""

import builtins
import contextlib
import gc
import inspect
import logging
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from sta410kit.runner.warm.identity import KIT, OUTSIDE_THE_KIT, SLOW_GRAMMARS, kit_files


def preload(names: Iterable[str]) -> None:
    """Import modules that notebooks need."""
    with _as_in_a_kernel():
        for name in names:
            with contextlib.suppress(ImportError):
                import_module(name)
    # Great Expectations turns it on, and all warnings would be lost.
    logging.captureWarnings(capture=False)
    # A traceback asks which module its file belongs to; the answer is remembered, for thousands of modules.
    inspect.getmodule(preload.__code__, "<nowhere>")
    freeze()


def kit_modules() -> list[str]:
    """Return the names of the kit's modules that a notebook may import."""
    paths = [Path(path).relative_to(KIT) for path, _, _ in kit_files() if path.endswith(".py")]
    inside = [path.with_suffix("") for path in paths if path.with_suffix("").parts[0] not in OUTSIDE_THE_KIT]
    return [".".join((KIT.name, *path.parts)).removesuffix(".__init__") for path in inside]


def freeze() -> None:
    """Keep the collector of a child away from what is here now, so that its memory stays shared."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _as_in_a_kernel() -> Iterator[None]:
    """Let modules find what tells pandas how wide a table may be, and no slow grammars."""
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None, config={})  # type: ignore[attr-defined]
    sys.modules |= dict.fromkeys(SLOW_GRAMMARS)  # type: ignore[arg-type] # None: not found
    try:
        yield
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]
        for name in SLOW_GRAMMARS:
            del sys.modules[name]
