"""The six-notebook chain: beside papermill one by one, and once more with nothing changed.

    python benchmarks/bench_chain.py [--repeats N]

Both sides execute the same notebooks with the same hand-over of files, in turns, in a copy of the project.
The fork server is warm, as it is after the first notebook of a day. Ends with 1 when a reach is missed.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit.runner.pipeline import RUN_FOLDER, Step, read_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
FASTER, UNCHANGED = 10, 0.02  # the reaches: times as fast as papermill, share of the first run


def quietly(*words: str, folder: Path) -> None:
    """Run a command; what it says is shown only when it fails."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def chain(project: Path, *words: str) -> None:
    """Run the chain with the kit's command."""
    quietly(str(BIN / "sta410"), "run", *words, folder=project)


def one_by_one(project: Path, steps: list[Step]) -> None:
    """Run the chain with papermill's command on an ordinary kernel, a notebook at a time."""
    out = Path(tempfile.mkdtemp(dir=project))
    made = {name: out / file for step in steps for name, file in step.produces.items()}
    for step in steps:
        handed = {RUN_FOLDER: out, **{name: made[name] for name in step.needs}}
        quietly(
            *(str(BIN / "papermill"), "--kernel", "python3", "--no-progress-bar"),
            *(str(step.notebook), str(out / step.notebook.name)),
            *(word for name, path in handed.items() for word in ("-r", name, str(path))),
            folder=project / "notebooks",
        )


def seconds(work: Callable[[], None]) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    """Print the table; return 0 when both reaches are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = max(1, parser.parse_args().repeats)
    with tempfile.TemporaryDirectory(prefix="sta410-chain-") as folder:
        project = Path(folder)
        for name in ("notebooks", "expectations"):
            shutil.copytree(PROJECT / name, project / name)
        steps = read_pipeline(project)
        cold = seconds(lambda: chain(project, "--fresh"))
        rows = [
            (
                seconds(lambda: chain(project, "--fresh")),
                seconds(lambda: chain(project)),
                seconds(lambda: one_by_one(project, steps)),
            )
            for _ in range(repeats)
        ]
    warm, unchanged, papermill = (statistics.median(times) for times in zip(*rows, strict=True))
    ratio, share = papermill / warm, unchanged / cold
    print(f"the chain of {len(steps)} notebooks, median of {repeats}:")
    print(f"  papermill one by one {papermill:.2f} s, warm {warm:.2f} s: {ratio:.1f}x  (reach {FASTER}x)")
    print(
        f"  first run {cold:.2f} s; nothing changed {unchanged:.2f} s: {share:.3f} of it  (reach {UNCHANGED})"
    )
    return 0 if ratio >= FASTER and share < UNCHANGED else 1


if __name__ == "__main__":
    sys.exit(main())
