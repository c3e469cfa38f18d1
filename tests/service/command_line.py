"""A command line that runs nothing: it leaves what `sta410 run --json` leaves, and does what a test asks for.

A parameter `before` or `during` says what happens before or after its run folder has been made: seconds to
wait, or "die".
"""

import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path


def end(outcome, code, run=None, **more):
    sys.stdout.write(json.dumps({"outcome": outcome, "exit_code": code, "run": run, **more}))
    sys.exit(code)


def do(what):
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(what)


given = (
    json.loads(Path(sys.argv[sys.argv.index("--params") + 1]).read_text()) if "--params" in sys.argv else {}
)
with Path("started.txt").open("a") as file:
    file.write(f"{os.getpid()}\n")
signal.signal(signal.SIGTERM, lambda *_: end("INTERRUPTED", 130))
do(given.get("before", 0))
if "wrong" in given:
    end("USAGE", 2, error={"message": "no parameter 'wrong'"})
folder = Path("runs") / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid() % 1000:03d}00"
folder.mkdir(parents=True)
manifest = {"run": folder.name, "schema": 1, "steps": [], "job": os.environ["STA410_JOB"]}
(folder / "manifest.json").write_text(json.dumps(manifest))
signal.signal(signal.SIGTERM, lambda *_: end("INTERRUPTED", 130, folder.name))
do(given.get("during", 0))
(folder / "manifest.json").write_text(json.dumps({**manifest, "outcome": "PASSED", "exit_code": 0}))
end("PASSED", 0, folder.name)
