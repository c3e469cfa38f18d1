"""Fifty runs of a notebook with different parameters, two at once: `sta410 sweep` beside others who do that.

Usage: ``python benchmarks/bench_sweep.py [--quick] [--repeats N] [--only NAME]``; run it on an idle machine.

Three notebooks: one that does nothing, one with pandas and a figure, `04_train` on the prices of two symbols.
Beside the kit: the papermill command line through ``xargs -P2``; ploomber-engine, which executes in its own
process, in two workers (from ``.venv-peers``, see ``make peers``; left out when that is not there); a bare
fork of a process that has imported everything, which executes the cells with `exec` and keeps no outputs.
Only the bare fork's imports are not counted, for the kit's fork server is warm as well. Exits 1 when a reach
is missed; ``--quick`` only shows that all of it works.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
BIN = Path(sys.executable).parent
PEERS = PROJECT / ".venv-peers" / "bin" / "python"
WORKERS = 2
AT_MOST = 2.5  # times the bare fork

NOTHING = ["n: int = 1", "n"]
FIGURE = [
    "n: int = 1",
    "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd",
    "frame = pd.DataFrame({'x': np.arange(1000), 'y': np.random.default_rng(n).normal(size=1000).cumsum()})",
    "frame.groupby(frame['x'] % 7)['y'].agg(['mean', 'std'])",
    "axes = frame.plot(x='x', y='y')",
]


@dataclass(frozen=True)
class Case:
    """A notebook, the parameters of its runs, and how many times faster than papermill it should be."""

    name: str
    notebook: Path
    grid: dict[str, list[str]]
    fixed: dict[str, str]
    reach: float
    takes_folder: bool = False

    def runs(self) -> list[dict[str, str]]:
        """Return the parameters of each run."""
        found: list[dict[str, str]] = [{}]
        for name, values in self.grid.items():
            found = [{**one, name: value} for one in found for value in values]
        return [{**self.fixed, **one} for one in found]


def main() -> int:
    """Print the table; return 0 when every reach is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="8 runs instead of 50")
    parser.add_argument("--repeats", type=int, default=1, help="timed rounds; the median counts (default: 1)")
    parser.add_argument("--only", default="", help="nothing, figure or train")
    options = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory(prefix="sta410-sweep-") as folder:
        for case in cases(Path(folder), 8 if options.quick else 50, options.only):
            seconds = measure(case, Path(folder), max(1, options.repeats))
            missed |= show(case, seconds)
    if options.quick:
        print("\nWith so few runs the start of the command counts too much; the reaches are for fifty.")
    return int(missed and not options.quick)


def cases(folder: Path, count: int, only: str) -> list[Case]:
    """Write the notebooks and return what is to be measured."""
    numbers = [str(number) for number in range(1, count + 1)]
    found = [
        Case("nothing", write(folder / "nothing.ipynb", NOTHING), {"n": numbers}, {}, 30),
        Case("figure", write(folder / "figure.ipynb", FIGURE), {"n": numbers}, {}, 12),
    ]
    found = [case for case in found if only in {"", case.name}]
    return [*found, training(folder, count)] if only in {"", "train"} else found


def write(path: Path, sources: list[str]) -> Path:
    """Write a notebook whose first cell declares the parameters."""
    cells = [
        {
            "cell_type": "code", "id": f"c{place}", "source": source, "outputs": [], "execution_count": None,
            "metadata": {"tags": ["parameters"]} if place == 0 else {},
        }
        for place, source in enumerate(sources)
    ]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": cells}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def training(folder: Path, count: int) -> Case:
    """Return the case of 04_train, on prices and features that the chain has made of two symbols."""
    project = folder / "project"
    for name in ("notebooks", "expectations"):
        shutil.copytree(PROJECT / name, project / name)
    small = ["-p", "symbols=IBM,MSFT", "-p", "start=2009-01-01"]
    run = [BIN / "sta410", "run", "--to", "03_features", *small]
    subprocess.run(run, cwd=project, check=True, stdout=subprocess.DEVNULL)
    (made,) = (path for path in (project / "runs").iterdir() if path.is_dir())
    fixed = {name: str(made / f"{name}.parquet") for name in ("prices", "features")}
    grid = {"model": ["naive", "ridge"], "horizon": [str(number) for number in range(1, count // 2 + 1)]}
    return Case("train", project / "notebooks" / "04_train.ipynb", grid, fixed, 15, takes_folder=True)


def measure(case: Case, folder: Path, repeats: int) -> dict[str, float]:
    """Return the median seconds of each way, one after the other in each round."""
    ways: dict[str, Callable[[Case, Path], float]] = {"sta410 sweep": sweep, "bare fork": bare}
    if PEERS.exists():
        ways["ploomber-engine"] = ploomber
    ways["papermill"] = papermill
    sweep(Case(case.name, case.notebook, {k: v[:1] for k, v in case.grid.items()}, case.fixed, 0), folder)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(repeats):
        for name, way in ways.items():
            taken[name].append(way(case, folder / f"{case.name}-{name.split()[-1]}-{number}"))
    return {name: statistics.median(times) for name, times in taken.items()}


def timed(command: list[str], folder: Path, text: str = "") -> float:
    """Return the wall-clock seconds of a command, which has to succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=False, input=text, text=True, capture_output=True)
    taken = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return taken


def sweep(case: Case, _: Path) -> float:
    """Time the kit's command."""
    grid = [word for name, values in case.grid.items() for word in ("-g", f"{name}={','.join(values)}")]
    fixed = [word for name, value in case.fixed.items() for word in ("-p", f"{name}={value}")]
    command = [str(BIN / "sta410"), "sweep", str(case.notebook), *grid, *fixed, "--workers", str(WORKERS)]
    return timed(command, case.notebook.parent)


def papermill(case: Case, folder: Path) -> float:
    """Time papermill's command line, as many processes at once as there are workers."""
    lines = []
    for number, run in enumerate(with_folders(case, folder)):
        given = [word for name, value in run.items() for word in ("-p", name, value)]
        output = folder / f"{number}.ipynb"
        lines.append(" ".join(map(str, [case.notebook, output, *given, "--no-progress-bar"])))
    command = ["xargs", f"-P{WORKERS}", "-L1", str(BIN / "papermill"), "--log-level", "ERROR"]
    return timed(command, case.notebook.parent, "\n".join(lines) + "\n")


def ploomber(case: Case, folder: Path) -> float:
    """Time ploomber-engine: a script in its own environment, two workers, no run isolated from another."""
    order = {"notebook": str(case.notebook), "folder": str(folder), "workers": WORKERS,
             "runs": [typed(run) for run in with_folders(case, folder)]}  # fmt: skip
    return timed(
        [str(PEERS), str(HERE / "sweep_peers.py"), "ploomber"], case.notebook.parent, json.dumps(order)
    )


def bare(case: Case, folder: Path) -> float:
    """Return what a process says that forks itself for each run, its imports not counted."""
    order = {"notebook": str(case.notebook), "folder": str(folder), "workers": WORKERS,
             "runs": [typed(run) for run in with_folders(case, folder)]}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-Xfrozen_modules=off", str(HERE / "sweep_peers.py"), "bare"],
        input=json.dumps(order), text=True, capture_output=True, check=True, cwd=case.notebook.parent,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def with_folders(case: Case, folder: Path) -> list[dict[str, str]]:
    """Return the parameters of each run, and make its folder where the notebook wants one."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = case.runs()
    if case.takes_folder:
        for number, run in enumerate(runs):
            run["run_dir"] = str(folder / str(number))
            Path(run["run_dir"]).mkdir()
    return runs


def typed(run: dict[str, str]) -> dict[str, str | int]:
    """Return parameters with whole numbers as such."""
    return {name: int(value) if value.isdigit() else value for name, value in run.items()}


def show(case: Case, seconds: dict[str, float]) -> bool:
    """Print one notebook's rows; tell whether a reach was missed."""
    ours, count = seconds["sta410 sweep"], len(case.runs())
    print(f"\n{case.notebook.name}, {count} runs, {WORKERS} at once")
    print(f"{'':<18}{'seconds':>9}{'a run':>9}{'x the sweep':>13}")
    for name, taken in seconds.items():
        print(f"{name:<18}{taken:>9.2f}{taken / count:>9.3f}{taken / ours:>13.2f}")
    reaches = [
        (f"{seconds['papermill'] / ours:.1f}x faster than papermill, reach {case.reach:g}x",
         seconds["papermill"] / ours >= case.reach),
        (f"{ours / seconds['bare fork']:.2f}x the bare fork, reach {AT_MOST}x",
         ours / seconds["bare fork"] <= AT_MOST),
    ]  # fmt: skip
    if "ploomber-engine" in seconds:
        ratio = ours / seconds["ploomber-engine"]
        reaches.append((f"{ratio:.2f}x ploomber-engine, reach 1x", ratio <= 1))
    for text, met in reaches:
        print(f"  {'met   ' if met else 'MISSED'} {text}")
    return not all(met for _, met in reaches)


if __name__ == "__main__":
    sys.exit(main())
