"""Steps side by side: each begins as soon as everything it needs is there, and none after a failure."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping

Result = TypeVar("Result")
_GLANCE = 0.1  # seconds; between two looks an interrupt is delivered to this thread


def run_graph(  # noqa: PLR0913 - a graph, what to do with it, and how to stop
    needs: Mapping[str, Iterable[str]],
    work: Callable[[str], Result],
    *,
    good: Callable[[Result], bool],
    done: Callable[[str, Result], None],
    jobs: int,
    stop: threading.Event,
) -> bool:
    """Do `work` for each name once all names it needs have ended well.

    Parameters
    ----------
    needs : mapping of str to iterable of str
        For each name the names that come before it. Without circles.
    work : callable
        Called with a name, in a thread of its own.
    good : callable
        Tells whether a result lets others begin; after the first that does not, none begins any more.
    done : callable
        Called with name and result in this thread, in the order they end.
    jobs : int
        How many may run at once.
    stop : threading.Event
        Set here when this thread is interrupted, for `work` to see; what runs is waited for.

    Returns
    -------
    bool
        Whether it was interrupted.
    """
    waiting = {name: set(before) for name, before in needs.items()}
    running: dict[Future[Result], str] = {}
    failed = interrupted = False
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        while waiting or running:
            ready = [name for name, before in waiting.items() if not before]
            while ready and len(running) < jobs and not (failed or interrupted):
                name = ready.pop(0)
                del waiting[name]
                running[pool.submit(work, name)] = name
            if not running:
                break
            try:
                ended, _ = wait(running, timeout=_GLANCE, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                interrupted = True
                stop.set()
                continue
            for future in ended:
                name, result = running.pop(future), future.result()
                done(name, result)
                failed = failed or not good(result)
                for before in waiting.values():
                    before.discard(name)
    return interrupted
