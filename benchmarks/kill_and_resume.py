"""Kill the chain at random moments, resume it each time, and compare what it leaves with an undisturbed run.

    python benchmarks/kill_and_resume.py --kills 30

Works on a copy of the project, so that its own runs stay as they are. Ends with 1 when an artifact differs.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RUN = (sys.executable, "-m", "sta410kit", "run")


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--longest", type=float, default=6.0, help="seconds until a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory(prefix="sta410-kill-") as folder:
        calm, stormy = Path(folder, "calm"), Path(folder, "stormy")
        for copy in (calm, stormy):
            for name in ("notebooks", "expectations"):
                shutil.copytree(PROJECT / name, copy / name)
        subprocess.run(RUN, cwd=calm, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        finished = kill_again_and_again(stormy, options.kills, options.longest, chance)
        subprocess.run([*RUN, "--resume"], cwd=stormy, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(RUN, cwd=stormy, check=True, stdout=subprocess.DEVNULL)
        expected, found = artifacts(calm), artifacts(stormy)
    print(f"{options.kills} kills, {finished} runs came to their end in between")
    for name, content in expected.items():
        print(f"{name:24} {'equal' if found.get(name) == content else 'DIFFERENT'}")
    return int(expected != found)


def kill_again_and_again(project: Path, kills: int, longest: float, chance: random.Random) -> int:
    """Start or resume the chain and kill it, `kills` times; return how often it was done before."""
    finished = 0
    for number in range(kills):
        again = ["--resume"] if any(project.glob("runs/*/manifest.json")) and number % 3 else ["--fresh"]
        process = subprocess.Popen(
            [*RUN, *again], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.1, longest))
        finished += process.poll() is not None
        process.kill()
        process.wait()
    return finished


def artifacts(project: Path) -> dict[str, bytes]:
    """Return the content of what the steps of the newest passed run handed over."""
    newest = max(project.glob("runs/*/report.html")).parent
    return {path.name: path.read_bytes() for path in sorted(newest.iterdir()) if path.suffix in SUFFIXES}


SUFFIXES = {".parquet"}  # model files hold the time they were written

if __name__ == "__main__":
    sys.exit(main())
