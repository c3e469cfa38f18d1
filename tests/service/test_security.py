"""What a foreign page, a guesser and a careless script must not achieve."""

import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from sta410kit.service.pages.people import local_path
from sta410kit.service.security import is_same_user

pytestmark = pytest.mark.integration


@pytest.fixture
def session(service):
    """Log in as the runner; give the client and the token of its forms."""
    with service.client() as client:
        answer = client.post("/login", data={"token": service.tokens["runner"], "next": "/queue"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
        page = client.get("/start").text
        yield client, re.search('name="csrf_token" value="([^"]+)"', page)[1]
        client.post("/logout", headers={"X-CSRF-Token": re.search('csrf_token" value="([^"]+)"', page)[1]})


def test_the_cookie_is_for_this_site_and_no_script(service):
    """A session's cookie is HttpOnly and SameSite=Strict, and Secure behind TLS."""
    with service.client() as client:
        form = {"token": service.tokens["viewer"]}
        plain = client.post("/login", data=form).headers["set-cookie"]
        secure = client.post("/login", data=form, headers={"X-Forwarded-Proto": "https"}).headers[
            "set-cookie"
        ]
    assert {"HttpOnly", "SameSite=strict"} <= set(plain.split("; "))
    assert "Secure" not in plain
    assert "Secure" in secure.split("; ")


def test_a_write_by_cookie_needs_the_token_of_the_form(session):
    """Without it, or with another, nothing is written; with it, in the header or the form, it is."""
    client, token = session
    asked = {"parameters": {"model": "naive"}}
    refused = [client.post("/api/v1/runs", json=asked, headers=headers).status_code
               for headers in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": ""})]  # fmt: skip
    accepted = client.post("/api/v1/runs", json=asked, headers={"X-CSRF-Token": token})
    cancelled = client.post(f"/queue/{accepted.json()['id']}/cancel", data={"csrf_token": token})
    assert (refused, accepted.status_code, cancelled.status_code) == ([403, 403, 403], 202, 303)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_write_from_another_page_is_refused(session, headers):
    """Even with cookie and token."""
    client, token = session
    answer = client.post("/api/v1/runs", json={}, headers={"X-CSRF-Token": token, **headers})
    assert answer.status_code == 403


def test_a_session_ends_with_the_logout(service):
    """The cookie is of no use afterwards."""
    with service.client(Accept="text/html") as client:
        client.post("/login", data={"token": service.tokens["viewer"]})
        cookie = client.cookies["sta410_session"]
        token = re.search('csrf_token" value="([^"]+)"', client.get("/").text)[1]
        assert client.post("/logout", data={"csrf_token": token}).headers["location"] == "/login"
        after = client.get("/", headers={"Cookie": f"sta410_session={cookie}"})
    assert (after.status_code, after.headers["location"]) == (303, "/login?next=/")


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x"]
)
def test_a_login_leads_to_no_other_site(path):
    """Only to a path of this service."""
    assert local_path(path) == "/"


def test_a_token_in_the_address_is_none(service):
    """It would end in logs and histories."""
    with service.client() as client:
        for name in ("token", "access_token", "sta410_session"):
            assert client.get("/api/v1/runs", params={name: service.tokens["admin"]}).status_code == 401


def test_every_answer_has_the_security_headers(service):
    """Pages, JSON, errors, files."""
    with service.client("viewer") as client:
        for path in ("/", "/api/v1/runs", "/api/v1/nothing", "/healthz", "/login"):
            headers = client.get(path).headers
            assert "script-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "server" not in headers


def test_large_and_deep_bodies_are_refused(service):
    """A body over 64 KiB, also in pieces, and one that is nested too deeply."""
    deep = '{"parameters": {"model": ' + "[" * 900 + "]" * 900 + "}}"
    bodies = (b" " * 100_000, (b" " * 1000 for _ in range(100)), deep)
    found = []
    for body in bodies:
        with service.client("runner", **{"Content-Type": "application/json"}) as client:
            try:
                answer = client.post("/api/v1/runs", content=body)
            except httpx.TransportError:  # closed before all of it was sent
                found.append(413)
            else:
                found.append(answer.status_code)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["x-content-type-options"] == "nosniff"
    assert found == [413, 413, 422]


def test_a_header_is_not_split(service):
    """Line ends in a name or a value reach no header of the answer."""
    address = urlsplit(service.url)
    request = (
        f"GET /api/v1/runs/latest/artifacts/x%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {service.tokens['viewer']}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 404")
    assert "set-cookie" not in answer.partition("\r\n\r\n")[0].lower()


def test_guessing_is_slowed_down_and_so_is_haste(bare_project, serve_project):
    """Ten failed logins a minute from an address, so many requests with a token; then 429 and how long."""
    with serve_project(bare_project, requests=5) as service:
        with service.client("viewer") as client:
            answers = [client.get("/api/v1/me") for _ in range(7)]
        with service.client() as client:
            wrong = {"Authorization": "Bearer sta410_000000000000_guess"}
            guesses = [client.get("/api/v1/me", headers=wrong) for _ in range(12)]
            form = client.post("/login", data={"token": service.tokens["viewer"]})
    assert [one.status_code for one in answers] == [200] * 5 + [429] * 2
    assert [one.status_code for one in guesses] == [401] * 10 + [429] * 2
    assert form.status_code == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_anonymous_readers_read_and_write_nothing(bare_project, serve_project):
    """With the switch; a wrong token is refused all the same."""
    with serve_project(bare_project, anonymous_read=True) as service, service.client() as client:
        assert client.get("/api/v1/runs").status_code == 200
        assert client.post("/api/v1/runs", json={}).status_code == 401
        assert client.get("/api/v1/users").status_code == 401
        assert client.get("/api/v1/runs", headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_local_pages_answer_this_machine_and_this_user_only(bare_project, serve_project, monkeypatch):
    """`sta410 ui` needs no login, so it looks at Host, Origin and the owner of the connection."""
    with serve_project(bare_project, local=True) as service, service.client() as client:
        assert client.get("/api/v1/me").json() == {"name": "local", "role": "admin"}
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Host": "["}):
            assert client.get("/api/v1/me", headers=headers).status_code == 403
        monkeypatch.setattr("os.getuid", lambda: 4321)
        assert client.get("/api/v1/me").status_code == 403
    assert is_same_user(None, None)
