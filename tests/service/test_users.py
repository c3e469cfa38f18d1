"""Users and their tokens, on the command line and at rest."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from argon2 import PasswordHasher

from sta410kit.service.users import Users


@pytest.fixture
def folder(tmp_path):
    """Make the folder of a project."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    return tmp_path


@pytest.mark.integration
def test_a_token_is_printed_once_and_kept_as_a_hash(folder, typed):
    """Standard output is the token alone; no file of the project holds it."""
    added = typed("user", "add", "anna", "--role", "runner", cwd=folder)
    listed = typed("user", "list", "--json", cwd=folder)
    token = added.stdout.strip()
    assert (added.returncode, added.stdout) == (0, f"{token}\n")
    assert token.startswith("sta410_")
    assert "anna has the role runner" in added.stderr
    assert [(one["name"], one["role"]) for one in json.loads(listed.stdout)] == [("anna", "runner")]
    secret = token.rpartition("_")[2].encode()
    assert not [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]
    with closing(sqlite3.connect(folder / "runs" / "service.sqlite")) as connection:
        (kept,) = connection.execute("select token_hash from users").fetchone()
    assert kept.startswith("$argon2id$")


@pytest.mark.integration
def test_names_are_unique_and_a_revoked_user_is_gone(folder, typed):
    """Errors name the next command or the nearest name."""
    typed("user", "add", "anna", cwd=folder)
    twice = typed("user", "add", "anna", cwd=folder)
    odd = typed("user", "add", "an na", cwd=folder)
    near = typed("user", "revoke", "ana", cwd=folder)
    gone = typed("user", "revoke", "anna", cwd=folder)
    none = typed("user", "list", cwd=folder)
    assert (twice.returncode, odd.returncode, near.returncode, gone.returncode) == (2, 2, 2, 0)
    assert "sta410 user revoke anna" in twice.stderr
    assert "Did you mean 'anna'?" in near.stderr
    assert "no users yet: sta410 user add" in none.stdout


@pytest.mark.integration
def test_requests_that_come_at_once_with_a_token_wait_for_one_hash(database, monkeypatch):
    """A page of a dashboard sends many: each hash takes 19 MiB and some milliseconds."""
    users, hashed = Users(database), []
    token = users.add("anna", "viewer")
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *given: hashed.append(1) or verify(*given))
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(users.verify, [token] * 20))
    assert [user.name for user in found] == ["anna"] * 20
    assert len(hashed) == 1
