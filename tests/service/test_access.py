"""Who may do what: tokens, sessions, roles, limits."""

import re

import pytest
from fastapi.routing import iter_route_contexts

ROLES = ("", "viewer", "runner", "admin")
NEEDED = {
    "GET /healthz": "",
    "GET /readyz": "",
    "GET /login": "",
    "POST /login": "",
    "POST /logout": "viewer",
    "GET /api/v1/openapi.json": "viewer",
    "GET /api/v1/me": "viewer",
    "GET /api/v1/runs": "viewer",
    "POST /api/v1/runs": "runner",
    "GET /api/v1/runs/{run}": "viewer",
    "GET /api/v1/runs/{run}/log": "viewer",
    "GET /api/v1/runs/{run}/diff/{other}": "viewer",
    "GET /api/v1/runs/{run}/events": "viewer",
    "GET /api/v1/runs/{run}/artifacts": "viewer",
    "GET /api/v1/runs/{run}/artifacts/{name}": "viewer",
    "GET /api/v1/runs/{run}/validations": "viewer",
    "GET /api/v1/runs/{run}/validations/{suite}/{step}/{time}": "viewer",
    "GET /api/v1/jobs": "viewer",
    "GET /api/v1/jobs/{job}": "viewer",
    "GET /api/v1/jobs/{job}/events": "viewer",
    "POST /api/v1/jobs/{job}/cancel": "runner",
    "GET /api/v1/sweeps": "viewer",
    "POST /api/v1/sweeps": "runner",
    "GET /api/v1/sweeps/{run}": "viewer",
    "GET /api/v1/forecasts": "viewer",
    "GET /api/v1/forecasts/log": "viewer",
    "GET /api/v1/scorecard": "viewer",
    "GET /api/v1/trials": "viewer",
    "GET /api/v1/schedules": "viewer",
    "GET /api/v1/data": "viewer",
    "GET /api/v1/users": "admin",
    "POST /api/v1/users": "admin",
    "DELETE /api/v1/users/{name}": "admin",
    "GET /metrics": "viewer",
    "GET /static/{name}": "",
    "GET /": "viewer",
    "GET /compare": "viewer",
    "GET /start": "runner",
    "POST /start": "runner",
    "GET /queue": "viewer",
    "GET /queue/{number}": "viewer",
    "POST /queue/{number}/cancel": "runner",
    "POST /runs/{run}/cancel": "runner",
    "GET /forecasts": "viewer",
    "GET /sweeps": "viewer",
    "GET /sweeps/{run}": "viewer",
    "GET /ledger": "viewer",
    "GET /accepted": "viewer",
    "GET /night": "viewer",
    "GET /profile/{run}": "viewer",
    "GET /users": "admin",
    "POST /users": "admin",
    "POST /users/revoke": "admin",
    "GET /data": "viewer",
    "GET /runs/{run}": "viewer",
    "GET /runs/{run}/log": "viewer",
    "GET /runs/{run}/notebooks/{path}": "viewer",
    "GET /runs/{run}/artifacts/{path}": "viewer",
    "GET /runs/{run}/files/{path}": "viewer",
}
VALUES = {"job": "999999", "run": "20200101-000000-000aa", "other": "latest"}


def routes(app):
    """Name every route of an application, and its methods."""
    for one in iter_route_contexts(app.routes):
        path = re.sub(r":\w+}", "}", one.path)
        yield from (f"{method} {path}" for method in one.methods - {"HEAD"})


@pytest.mark.integration
def test_every_route_answers_each_role_as_the_table_says(service):
    """A route that is not in the table fails, and so does one that answers a role below the one it needs."""
    assert set(routes(service.app)) == set(NEEDED)
    wrong = []
    for role in ROLES:
        with service.client(role) as client:
            for route, needed in NEEDED.items():
                method, path = route.split()
                path = re.sub(r"{(\w+)}", lambda found: VALUES.get(found[1], "x"), path)
                status = client.request(method, path).status_code
                allowed = ROLES.index(role) >= ROLES.index(needed)
                expected = None if allowed else 403 if role else 401
                if status == 500 or (status in {401, 403}) is allowed or expected not in {None, status}:
                    wrong.append((route, role, status))
    # A login without a token is refused as such.
    assert [one for one in wrong if one[0] != "POST /login"] == []
