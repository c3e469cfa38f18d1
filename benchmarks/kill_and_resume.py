"""Kill the chain at random moments, resume it each time, and compare what it leaves with an undisturbed run.

    python benchmarks/kill_and_resume.py --kills 30

Works on copies of the project, so that its own runs stay as they are. Artifacts are compared by content, for
model files hold the time they were written. Ends with 1 when one differs.
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

from sta410kit.runner.comparison.files import compare_files
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.runs import run_folders

PROJECT = Path(__file__).resolve().parents[1]
RUN = (sys.executable, "-m", "sta410kit", "run")


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--longest", type=float, default=6.0, help="seconds until a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--project", type=Path, default=PROJECT, help="whose chain; this one unless given")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory(prefix="sta410-kill-") as folder:
        calm, stormy = Path(folder, "calm"), Path(folder, "stormy")
        for copy in (calm, stormy):
            for name in ("notebooks", "expectations"):
                if (options.project / name).is_dir():
                    shutil.copytree(options.project / name, copy / name)
        subprocess.run(RUN, cwd=calm, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        finished = kill_again_and_again(stormy, options.kills, options.longest, chance)
        subprocess.run([*RUN, "--resume"], cwd=stormy, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(RUN, cwd=stormy, check=True, stdout=subprocess.DEVNULL)
        apart = differences(calm, stormy)
    print(f"{options.kills} kills, {finished} runs came to their end in between")
    for name, words in apart.items():
        print(f"{name:24} {'DIFFERENT: ' + words[0] if words else 'equal'}")
    return int(not apart or any(apart.values()))


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


def differences(calm: Path, stormy: Path) -> dict[str, list[str]]:
    """Return, for each artifact of the newest run of either project, in what the two differ."""
    expected, found = (run_folders(project / "runs")[0] for project in (calm, stormy))
    return {
        name: (
            list(map(str, compare_files(expected / name, found / name)))
            if (found / name).is_file()
            else ["it is missing"]
        )
        for step in read_manifest(expected).steps
        for name in step.artifacts
    }


if __name__ == "__main__":
    sys.exit(main())
