"""Record which files a forked process opens while it executes a notebook, by Python's audit events."""

import os
import sys
import sysconfig
from collections.abc import Callable
from functools import cache, wraps
from importlib.util import source_from_cache
from typing import Any

from sta410kit.runner.warm.identity import KIT

# The kit's suites, installed and in a checkout: a file of the same name in the project replaces one of these.
SUITES = (f"{KIT}{os.sep}expectations{os.sep}", f"{KIT.parent}{os.sep}expectations{os.sep}")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC

_IMPORTING = ("importlib", "_frozen_importlib", "pkgutil")  # list the folders of `sys.path` for every import


class Observer:
    """Files that this process opened since the observer was made.

    Seen are files opened through Python: modules, also those whose byte code is cached, and data read with
    `open`, numpy or pandas; Parquet, which pyarrow opens by itself; and folders that are listed, as `glob`
    does. Files that other native code or a subprocess opens, and tests such as `Path.exists`, are not.
    """

    def __init__(self) -> None:
        self._read: dict[str, None] = {}
        self._written: set[str] = set()
        self._listed: dict[str, None] = {}
        self._imported: dict[str, None] = {}
        self._ignored = self.ignored()
        sys.addaudithook(self._note)
        self._note_parquet()

    @staticmethod
    @cache
    def ignored() -> tuple[str, ...]:
        """Return the folders, each with a separator at its end, whose files are not noted."""
        packages = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
        folders = packages | {sys.prefix, sys.base_prefix, str(KIT), "/proc", "/sys", "/dev"}
        return tuple(f"{folder}{os.sep}" for folder in folders)

    def observed(self) -> dict[str, list[str]]:
        """Return what was seen so far, as lists of absolute paths and names."""
        own = [os.path.abspath(folder) + os.sep for folder in sys.path]  # noqa: PTH100 - no symlinks resolved
        return {
            "read": [path for path in self._read.copy() if path not in self._written],
            "listed": [*self._listed],
            "missing": [name for name in self._imported.copy() if name not in sys.modules],
            "path": [
                folder.rstrip(os.sep)
                for folder in own
                if not folder.startswith(self._ignored) and os.path.isdir(folder)  # noqa: PTH112
            ],
        }

    def _note_parquet(self) -> None:
        """Note what pyarrow opens, for pandas and for the notebook.

        Its native code raises no audit event and has no hook, and notebooks may read without the kit. If its
        classes were not wrapped, a result would be reused after such a file has changed.
        """
        parquet = sys.modules.get("pyarrow.parquet.core")
        for name, written in (("ParquetDataset", False), ("ParquetFile", False), ("ParquetWriter", True)):
            kind = getattr(parquet, name, None)
            if kind is not None:
                kind.__init__ = self._noting(kind.__init__, written=written)

    def _noting(self, begin: Callable[..., None], *, written: bool) -> Callable[..., None]:
        @wraps(begin)
        def noted(parquet: object, source: object, *others: object, **how: object) -> None:
            for path in source if isinstance(source, list) else [source]:
                self._add(path, written=written)
                if isinstance(path, str | os.PathLike) and not written:
                    for folder, _, names in os.walk(os.fsdecode(path)):  # a dataset of several files
                        for name in names:
                            self._add(os.path.join(folder, name), written=False)  # noqa: PTH118
            begin(parquet, source, *others, **how)

        return noted

    def _note(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = details
            written = any(letter in mode for letter in "wax+") if mode else bool((flags or 0) & _WRITING)
            self._add(path, written=written)
        elif event == "import":
            name, file = details[:2]
            self._imported[str(name).partition(".")[0]] = None
            if file:  # an extension module
                self._add(file, written=False)
        elif event == "os.rename":
            self._add(details[1], written=True)
        elif event in {"os.listdir", "os.scandir"}:
            caller = str(sys._getframe(1).f_globals.get("__name__"))  # noqa: SLF001 - the audited code
            if not caller.startswith(_IMPORTING):
                self._add("." if details[0] is None else details[0], written=False, to=self._listed)
        elif event == "sqlite3.connect" and details[0] != ":memory:":
            self._add(str(details[0]).removeprefix("file:").partition("?")[0], written=False)

    def _add(self, path: object, *, written: bool, to: dict[str, None] | None = None) -> None:
        if not isinstance(path, str | bytes | os.PathLike):  # a descriptor
            return
        try:
            name = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - no symlinks resolved
            if name.endswith(".pyc"):
                name = source_from_cache(name)
        except (OSError, ValueError):  # the current folder is gone; a file that is no module's
            return
        if name.startswith(self._ignored) and not name.startswith(SUITES):
            return
        if written:
            self._written.add(name)
        else:
            (self._read if to is None else to)[name] = None
