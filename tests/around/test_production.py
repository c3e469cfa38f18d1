"""Every command of docs/production.md is executed: here, or by scripts/prove_compose.sh."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from sta410kit.market import load_prices
from tests.market.broker_server import BrokerServer

pytestmark = pytest.mark.integration

SCHEDULE = '[nightly]\nexchange = "XNYS"\nparameters = { path = "prices" }\n'
# A crontab's line is its command: without times, folder and log.
CRON = re.compile(r"^[*/\d ]+ cd \S+ && (?:\.venv/bin/)?(.*?)(?: >>.*)?$")
# Each with the exit code that it ends with here; the proposals of old prices are not sent.
EXECUTED = {
    'sta410 unseal --why "final comparison of ridge and naive"': 0,
    "sta410 unseal --list": 0,
    "sta410 run -p path=prices": 0,
    "sta410 due nightly": 0,
    "sta410 run --schedule nightly": 0,
    "sta410 trade": 4,
    "sta410 trade --send": 4,
}


def test_every_command_of_the_page_is_executed(root):
    """Each line of its command blocks is in the proof script or in the list of this file."""
    page = (root / "docs" / "production.md").read_text("utf-8")
    script = (root / "scripts" / "prove_compose.sh").read_text("utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [
        CRON.sub(r"\1", line.partition("  #")[0].strip())
        for tag, block in blocks
        if not tag
        for line in block.splitlines()
    ]
    assert len(lines) > 20
    assert [line for line in lines if line not in EXECUTED and line not in script] == []


@pytest.mark.slow
def test_the_commands_end_as_they_should(root, tmp_path):
    """In a project with a sealed holdout, one after the other."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(root / name, tmp_path / name)
    (tmp_path / "prices").mkdir()
    for symbol, prices in load_prices().groupby("symbol"):
        prices.to_csv(tmp_path / "prices" / f"{symbol}.csv", index=False)
    (tmp_path / "schedules.toml").write_text(SCHEDULE)
    with BrokerServer() as broker:
        settings = {**os.environ, **broker.settings, "HOLDOUT_START": "2012-01-01"}
        for command, code in EXECUTED.items():
            words = [sys.executable, "-m", "sta410kit", *shlex.split(command)[1:]]
            done = subprocess.run(
                words, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
            )
            assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
