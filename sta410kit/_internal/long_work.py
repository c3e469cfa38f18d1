"""Long work says how far it is, where somebody watches: in JupyterLab, and nowhere else."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
Watcher = Callable[[str, int, int], None]  # what is counted, how many are done, of how many

_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Have `watcher` called, in the thread that waits, whenever a part of long work is done."""
    _watchers[:] = [watcher]


def reported(parts: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Pass on the parts of long work, and report each that is done."""
    for done, part in enumerate(parts, 1):
        for watcher in _watchers:
            watcher(what, done, total)
        yield part
