"""Run steps in parallel: each begins once all that it needs has ended, and none after a failure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import threading

Result = TypeVar("Result")
_POLL_SECONDS = 0.1  # in between, an interrupt is delivered to this thread


def run_graph(  # noqa: PLR0913 - a graph, what to do with it, and how to stop
    needs: Mapping[str, Iterable[str]],
    work: Callable[[str], Result],
    *,
    good: Callable[[Result], bool],
    done: Callable[[str, Result], None],
    jobs: int,
    stop: threading.Event,
) -> bool:
    """Call `work` for each name once all names it needs have succeeded."""
    graph = TopologicalSorter(needs)
    graph.prepare()
    ready = deque(graph.get_ready())
    running: dict[Future[Result], str] = {}
    failed = interrupted = False
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        while ready or running:
            try:
                while ready and len(running) < jobs and not (failed or interrupted):
                    name = ready.popleft()
                    running[pool.submit(work, name)] = name
                if not running:
                    break
                ended, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in ended:
                    name, result = running[future], future.result()
                    done(name, result)  # if interrupted here, it is called once more
                    del running[future]
                    failed = failed or not good(result)
                    graph.done(name)
                ready.extend(graph.get_ready())
            except KeyboardInterrupt:
                interrupted = True
                stop.set()
            except BaseException:
                stop.set()  # otherwise leaving this block would wait for all that runs
                raise
    return interrupted
