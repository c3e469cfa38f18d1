"""How long the package and the command line take to start, beside things everybody knows.

Usage: ``python benchmarks/bench_startup.py [--repeats N]``; run it on an idle machine.
Exits 0 when both targets are met, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

BIN = Path(sys.executable).parent


class Start(NamedTuple):
    """One command to start, and the seconds it may take; peers have no limit."""

    name: str
    command: list[str]
    limit: float | None = None


STARTS = [
    Start('python -c "pass"', [sys.executable, "-c", "pass"]),
    Start('python -c "import sta410kit"', [sys.executable, "-c", "import sta410kit"], 0.1),
    Start("sta410 --help", [str(BIN / "sta410"), "--help"], 0.25),
    Start("papermill --help", [str(BIN / "papermill"), "--help"]),
    Start('python -c "import pandas"', [sys.executable, "-c", "import pandas"]),
]


def seconds(command: list[str]) -> float:
    """Start `command` once and return the wall-clock seconds until it ended."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(starts: list[Start], repeats: int) -> dict[str, float]:
    """Return the median seconds of each start.

    The first round only warms the file cache. The rounds go through all the commands in turn, so that a
    busy moment of the machine falls on all of them alike.
    """
    rounds = [[seconds(start.command) for start in starts] for _ in range(repeats + 1)][1:]
    return {
        start.name: statistics.median(times)
        for start, times in zip(starts, zip(*rounds, strict=True), strict=True)
    }


def verdict(start: Start, median: float) -> str:
    """Say whether `median` seconds keeps the limit of `start`."""
    if start.limit is None:
        return ""
    return f"{'met' if median < start.limit else 'MISSED'} (< {start.limit:g} s)"


def main() -> int:
    """Print the table; return 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=15, help="timed starts of each command (default: 15)")
    repeats = max(1, parser.parse_args().repeats)

    medians = measure(STARTS, repeats)
    bare = medians[STARTS[0].name]
    print(f"median of {repeats} starts, Python {sys.version.split()[0]}\n")
    print(f"{'command':<32}{'seconds':>9}{'x bare Python':>15}  target")
    for start in STARTS:
        median = medians[start.name]
        print(f"{start.name:<32}{median:>9.3f}{median / bare:>15.1f}  {verdict(start, median)}".rstrip())
    missed = [start for start in STARTS if start.limit is not None and medians[start.name] >= start.limit]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
