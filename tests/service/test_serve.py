"""`sta410 serve` as a process: start, run, read, stop."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest


@contextmanager
def served(folder, *options):
    """Start the service in a folder, on a free port; gives the process and its address."""
    words = [sys.executable, "-m", "sta410kit", *options, "--port", "0"]
    process = subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        yield process, process.stdout.readline().split()[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


@pytest.mark.slow
@pytest.mark.integration
def test_a_run_is_posted_followed_and_its_forecast_read(bare_project):
    """One process does it all, and ends with 0 at SIGTERM, though a reader follows a run."""
    add = [sys.executable, "-m", "sta410kit", "user", "add", "ann", "--role", "runner"]
    token = subprocess.run(add, cwd=bare_project, capture_output=True, text=True, check=True).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    with served(bare_project, "serve", "--no-schedules") as (process, url):
        with httpx.Client(base_url=url, headers=headers, timeout=300, trust_env=False) as client:
            assert client.get("/readyz").json() == {"ready": True, "reasons": []}
            posted = client.post("/api/v1/runs", json={"parameters": {"model": "naive"}})
            with client.stream("GET", f"{posted.headers['location']}/events") as events:
                lines = list(events.iter_lines())
            ended = json.loads([line for line in lines if line.startswith("data: ")][-1][6:])
            newest = client.get("/api/v1/forecasts").json()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert (posted.status_code, ended["outcome"], ended["run"]) == (202, "PASSED", newest["run"])
    assert {one["model"] for one in newest["forecasts"]} == {"naive"}


@pytest.mark.integration
def test_a_port_in_use_is_said(bare_project, typed):
    """With the option that helps."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = typed("ui", "--port", listener.getsockname()[1], "--no-browser", cwd=bare_project)
    assert said.returncode == 2
    assert "try another --port" in said.stderr
