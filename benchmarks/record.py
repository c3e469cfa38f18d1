"""Run a benchmark or a calibration, show and record what it prints, and write it into the page it belongs to.

    python benchmarks/record.py bench_chain [options of the script]

The record is ``benchmarks/results/NAME.json``; the pages are docs/benchmarks.md and docs/calibration.md,
between two comments. The exit code is the script's.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from sta410kit._internal.atomic_files import write_text

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGES = {
    "bench": HERE.parent / "docs" / "benchmarks.md",
    "calibrate": HERE.parent / "docs" / "calibration.md",
}
_BETWEEN = re.compile(r"(?<=<!-- recorded -->\n).*?(?=<!-- end -->)", re.DOTALL)


def main(name: str, *options: str) -> int:
    """Run a script and record what it prints."""
    command = [sys.executable, "-u", str(HERE / f"{name}.py"), *options]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    record = {
        "options": list(options),
        "ended": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "exit_code": process.returncode,
        "output": "".join(lines).strip(),
    }
    RESULTS.mkdir(exist_ok=True)
    write_text(RESULTS / f"{name}.json", json.dumps(record, indent=1) + "\n")
    for path in PAGES.values():
        write_text(path, page(path))
    return process.returncode


def page(path: Path) -> str:
    """Return the text of a page with the records of its scripts."""
    kind = next(kind for kind, one in PAGES.items() if one == path)
    recorded = sorted(RESULTS.glob(f"{kind}_*.json"))
    left = sorted({one.stem for one in HERE.glob(f"{kind}_*.py")} - {one.stem for one in recorded})
    parts = [_section(one) for one in recorded]
    if parts and left:
        parts.append(f"Not recorded yet: {', '.join(f'`{name}`' for name in left)}.\n")
    text = "\n".join(parts) or "Nothing is recorded yet.\n"
    return _BETWEEN.sub(lambda _: text, path.read_text("utf-8"))


def _section(path: Path) -> str:
    record = json.loads(path.read_text("utf-8"))
    command = " ".join(["python", f"benchmarks/{path.stem}.py", *record["options"]])
    ending = "" if record["exit_code"] == 0 else f"; exit code {record['exit_code']}: a target was missed"
    about = f"`{command}`, {record['ended'][:10]}, {record['machine']}{ending}"
    return f"### {path.stem.replace('_', ' ')}\n\n{about}\n\n```text\n{record['output']}\n```\n"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
