"""Two ways to run a notebook many times, for `bench_sweep` to stand beside; what to do comes in as JSON.

``python sweep_peers.py ploomber`` or ``python sweep_peers.py bare``.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def ploomber(order: dict[str, Any]) -> None:
    """Execute every run with ploomber-engine, each worker its share in one process."""
    from ploomber_engine import execute_notebook

    runs, workers = list(enumerate(order["runs"])), order["workers"]
    for first in range(workers):
        if os.fork() == 0:
            code = 1
            try:
                for number, run in runs[first::workers]:
                    output = f"{order['folder']}/{number}.ipynb"
                    execute_notebook(
                        order["notebook"], output, parameters=run, progress_bar=False, verbose=False
                    )
                code = 0
            finally:
                os._exit(code)
    for _ in range(workers):
        ended()


def bare(order: dict[str, Any]) -> None:
    """Fork for every run, execute its cells, and print the seconds from the first fork to the last end."""
    from sta410kit.runner.notebook import read_notebook, tags_of
    from sta410kit.runner.warm.identity import FIRST, OTHERS
    from sta410kit.runner.warm.preload import kit_modules, preload

    notebook = read_notebook(Path(order["notebook"]))
    cells = [(cell["source"], tags_of(cell)) for cell in notebook.cells if cell["cell_type"] == "code"]
    preload([*FIRST, *OTHERS, *kit_modules()])
    import matplotlib as mpl

    mpl.use("agg")
    began, running = time.perf_counter(), 0
    for run in order["runs"]:
        if running == order["workers"]:
            running -= 1
            ended()
        if os.fork() == 0:
            execute(cells, run)
        running += 1
    for _ in range(running):
        ended()
    print(time.perf_counter() - began)


def ended() -> None:
    """Wait for a child, which must have done well."""
    _, status = os.wait()
    if status:
        sys.exit("a child failed")


def execute(cells: list[tuple[str, list[str]]], run: dict[str, Any]) -> None:
    """In a child: execute the cells, draw what figures are open after each, and end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    names: dict[str, Any] = {}
    code = 1
    try:
        for source, tags in cells:
            exec(compile(source, "cell", "exec"), names)  # noqa: S102 - our own notebooks
            if "parameters" in tags:
                names |= run
            pyplot = sys.modules["matplotlib.pyplot"]
            for number in pyplot.get_fignums():
                pyplot.figure(number).savefig(io.BytesIO(), format="png")
                pyplot.close(number)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    {"ploomber": ploomber, "bare": bare}[sys.argv[1]](json.load(sys.stdin))
