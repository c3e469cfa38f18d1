"""TLS by the example for Caddy, with a certificate of its own authority."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import httpx
import pytest
from fastapi import Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
# The example as it is, with certificates of a local authority and nothing written outside a folder.
WRAPPED = """{{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
	storage file_system {folder}
}}
import {example}
"""


@pytest.fixture
def behind(first_run, serve_project, tmp_path, monkeypatch, wait_until):
    """Serve a project behind Caddy; gives the service and a client that trusts its authority."""
    caddy = shutil.which("caddy")
    if caddy is None:
        assert "CI" not in os.environ, "caddy is missing: .ci/run installs it"
        pytest.skip("caddy is not installed: apt-get install caddy")
    project = tmp_path / "project"  # of its own: the shared one has its users, and a service at work
    shutil.copytree(first_run.cwd, project)
    monkeypatch.chdir(project)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"https://localhost:{free.getsockname()[1]}"
    (tmp_path / "Caddyfile").write_text(WRAPPED.format(folder=tmp_path, example=EXAMPLE))
    with serve_project(project, url=address) as service:
        settings = {
            "STA410_SITE": address, "STA410_SERVICE": service.url.removeprefix("http://"),
            "HOME": str(tmp_path), "PATH": os.environ["PATH"],
        }  # fmt: skip
        command = [caddy, "run", "--adapter", "caddyfile", "--config", tmp_path / "Caddyfile"]
        with (
            (tmp_path / "caddy.log").open("wb") as log,
            subprocess.Popen(command, env=settings, stderr=log) as server,
        ):
            try:
                authority = tmp_path / "pki/authorities/local/root.crt"
                wait_until(lambda: _answers(address, authority))
                trust = ssl.create_default_context(cafile=authority)
                transport = httpx.HTTPTransport(verify=trust, local_address="127.0.0.2")
                with httpx.Client(base_url=address, transport=transport, timeout=20) as client:
                    yield service, client
            finally:
                server.terminate()


def _answers(address, authority):
    try:
        trust = ssl.create_default_context(cafile=authority)
        return httpx.get(f"{address}/healthz", verify=trust, trust_env=False).is_success
    except (httpx.HTTPError, OSError):  # OSError: Caddy has not made its authority yet
        return False


def test_a_person_logs_in_over_tls(behind):
    """The cookie is Secure, HSTS is set, and the session is accepted from then on."""
    service, client = behind
    answer = client.post("/login", data={"token": service.tokens["viewer"]})
    assert answer.status_code == 303, answer.text
    assert {"Secure", "HttpOnly"} <= {word.strip() for word in answer.headers["set-cookie"].split(";")}
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert client.get("/api/v1/me").json()["name"] == "viewer"


def test_events_come_as_they_are_sent_and_the_client_keeps_its_address(behind):
    """The first event arrives while the second is withheld, compressed or not."""
    service, client = behind
    arrived = threading.Event()

    def events(request: Request):
        yield ServerSentEvent(data=request.client.host)
        yield ServerSentEvent(data=arrived.wait(20))

    service.app.add_api_route("/test/events", events, response_class=EventSourceResponse)
    for encoding in ("identity", "gzip"):
        arrived.clear()
        with client.stream("GET", "/test/events", headers={"Accept-Encoding": encoding}) as answer:
            lines = (line for line in answer.iter_lines() if line.startswith("data:"))
            assert next(lines) == 'data: "127.0.0.2"'
            arrived.set()
            assert next(lines) == "data: true"
