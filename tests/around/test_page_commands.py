"""The commands of README and docs work: each block is typed, page by page, in a project of its own."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from sta410kit._internal.calendars import closed_sessions
from sta410kit.market import load_prices
from tests.market.alpaca_server import AlpacaServer, LocalServer
from tests.market.broker_server import BrokerServer

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A crontab's line is its command, without times, folder and log; where nothing is due it ends with 12.
CRON = re.compile(r"^[-*/\d ]+ cd \S+ && (?:\.venv/bin/)?(.*?)(?: >>.*)?$")
PROOF = "scripts/prove_compose.sh"  # executes the lines of docs/production.md that need containers and root

# What is not executed here, by how the line begins, and why.
ELSEWHERE = {
    "pip install": "needs a registry; tests/around/test_clean_environment.py installs all extras",
    "make peers": "needs a registry; only benchmarks use it",
    "make benchmark": "takes an hour; tests/around/test_site.py records a short script",
    "restic": "another program, given the folder that `sta410 backup` has just written",
}
# What runs until it is stopped: it is started, goes on while the page is followed, and has to say this.
SERVERS = {
    "make lab": "start_here.ipynb?token=",
    "sta410 lab": "start_here.ipynb?token=",
    "sta410 docs --serve": "serving http",
    "sta410 serve --port 8410": "http://127.0.0.1",
    "dask scheduler --port 8786": "Scheduler at",
    "dask worker tcp://127.0.0.1:8786": "Registered to",
}
# What ends with another code than 0: proposals of old prices are not sent, and grep finds nothing.
EXITS = {
    "sta410 trade": 4,
    "sta410 trade --send": 4,
    'grep -rn "stock_prediction.utils" --include=*.py --include=*.ipynb .': 1,
}

# What a page promises beyond exit codes.
SAID = {
    "quickstart.md": ["boosting"],
    "tutorial.md": ["prices: accepted without", "my_models:Shrunk"],
}
SETTINGS = {"production.md": {"HOLDOUT_START": "2012-01-01"}}
SCHEDULES = '[nightly]\nexchange = "XNYS"\nparameters = { path = "prices.csv" }\n'
START = """set -eo pipefail
unset ARGS MAKEFLAGS MAKELEVEL  # the tests may themselves run below make
trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR
serve() { # TEXT COMMAND...
    local log=$(mktemp) text=$1
    shift
    "$@" >"$log" 2>&1 &
    for _ in $(seq 1200); do ! grep -qF "$text" "$log" || return 0; kill -0 $! || break; sleep 0.1; done
    cat "$log" >&2
    return 1
}
"""


def lines(page):
    """Return the lines of a page's command blocks."""
    blocks = BLOCK.findall(page.read_text("utf-8"))
    return [line for language, text in blocks if language == "bash" for line in text.splitlines()]


def elsewhere(line, page):
    """Return why a line is not executed here, or nothing."""
    if page.name == "production.md" and CRON.sub(r"\1", line) in (ROOT / PROOF).read_text("utf-8"):
        return PROOF
    return next((why for begins, why in ELSEWHERE.items() if line.startswith(begins)), "")


def typed(line, page):
    """Return what bash is given for a line."""
    command = line.partition("  #")[0].strip()
    if command and elsewhere(command, page):
        return f": {command.split()[0]}"
    if command in SERVERS:
        return f"serve '{SERVERS[command]}' {command}"
    if command in EXITS:
        return f"{command} || [ $? = {EXITS[command]} ]"
    return CRON.sub(r"\1 || [ $? = 12 ]", line)


def script(page):
    """Yield what bash is given for a page; a block that names a file in its first line writes it."""
    yield START
    for language, text in BLOCK.findall(page.read_text("utf-8")):
        if language == "bash":
            yield from (typed(line, page) for line in text.splitlines())
        elif file := re.match(r"# (\w+\.(?:py|toml))\b", text):
            yield f"cat > {file[1]} <<'FILE'\n{text}FILE"


def test_what_is_not_executed_is_in_a_page():
    """So no list outlives the line that it excuses; and each block says what it is in."""
    written = {line.partition("  #")[0].strip() for page in PAGES for line in lines(page)}
    assert [page.name for page in PAGES if "" in dict(BLOCK.findall(page.read_text("utf-8")))] == []
    assert {*SERVERS, *EXITS} - written == set()
    assert [begins for begins in ELSEWHERE if not any(line.startswith(begins) for line in written)] == []


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Run the chain once in a project with all that pages take for granted; all workers copy it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project = shared / "pages" / "project"
    with FileLock(shared / "pages.lock"):
        if not project.exists():
            making = project.with_name("making")
            for name in ("notebooks", "expectations", "deploy"):
                shutil.copytree(
                    ROOT / name, making / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
                )
            for name in ("Makefile", "requirements.txt", "pyproject.toml", ".env.example"):
                shutil.copy(ROOT / name, making)
            (making / ".venv").mkdir()
            for path in Path(sys.prefix).iterdir():
                (making / ".venv" / path.name).symlink_to(path)
            for name in ("", "-test", "-dev", "-lab"):
                stamp = making / ".venv" / f".installed{name}"
                stamp.unlink(missing_ok=True)
                stamp.touch()
            prices = load_prices(symbols=["AAPL", "MSFT"], start="2009-01-01")
            prices.to_csv(making / "prices.csv", index=False)
            (making / "prices").mkdir()
            prices.to_csv(making / "prices" / "all.csv", index=False)
            (making / "night.toml").write_text('model = "naive"\n')
            (making / "schedules.toml").write_text(SCHEDULES)
            run = [sys.executable, "-m", "sta410kit", "run"]
            subprocess.run(run, cwd=making, check=True, capture_output=True)
            making.rename(project)
    return project


class Channel(LocalServer):
    """Takes every message."""

    class handler(BaseHTTPRequestHandler):  # noqa: N801 - the attribute of LocalServer
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Stay silent."""


def recent_bars():
    """Return bars of two symbols as Alpaca has them: those of the sample, on the newest sessions."""
    days = pd.DatetimeIndex(closed_sessions("XNYS", 0, datetime.now(UTC))[-1500:].astype("M8[D]"))
    stamps = days.tz_localize("America/New_York").tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {}
    for symbol, like in (("AAPL", "MSFT"), ("KO", "IBM")):
        bars = load_prices(symbols=[like])[["open", "high", "low", "close", "volume"]].tail(len(stamps))
        found[symbol] = [(stamp, *row) for stamp, row in zip(stamps, bars.to_numpy().tolist(), strict=True)]
    return found


@pytest.fixture
def follow(finished, tmp_path):
    """Give the function that types the commands of a page and returns what they print."""
    project = tmp_path / "project"
    shutil.copytree(finished, project, symlinks=True)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = one.getsockname()[1], two.getsockname()[1]
    (run,) = (project / "runs").glob("2*")
    stand_ins = {
        "/mnt/backup/desk": "../backup", "/var/backups/desk": "../backup", "20260105-0710": run.name,
        "8410": str(ports[0]), "8786": str(ports[1]), "docs --serve": "docs --serve --port 0",
        'max_age = "20h"': 'max_age = "480h"',  # on a long weekend too
    }  # fmt: skip
    (tmp_path / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true}}')

    def do(page):
        commands = "\n".join(script(page))
        for written, here in stand_ins.items():
            commands = commands.replace(written, here)
        with AlpacaServer(recent_bars()) as alpaca, BrokerServer() as broker, Channel() as channel:
            environment = {
                **os.environ, **broker.settings, **alpaca.settings, **SETTINGS.get(page.name, {}),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "ALERT_URLS": channel.url.replace("http", "json"),
                "STA410_LEDGER": str(tmp_path / "trials.sqlite"),
                "JUPYTER_CONFIG_DIR": str(tmp_path),
                "JUPYTER_RUNTIME_DIR": str(tmp_path),
                "BROWSER": "true",  # the program that does nothing
            }  # fmt: skip
            shell = subprocess.Popen(
                ["bash", "-c", commands], cwd=project, env=environment, start_new_session=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            said, errors = shell.communicate()
            with suppress(ProcessLookupError):  # no server is left
                os.killpg(shell.pid, signal.SIGKILL)
        assert shell.returncode == 0, f"{said[-3000:]}{errors[-3000:]}"
        return said

    return do


WITH_COMMANDS = [page for page in PAGES if any(not elsewhere(line, page) for line in lines(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_the_commands_of_a_page_work(page, follow):
    """From the first to the last; files that the page shows are written where they are shown."""
    said = follow(page)
    assert [text for text in SAID.get(page.name, []) if text not in said] == []
