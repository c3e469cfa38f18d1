"""Users of the service, their tokens and sessions; of both only hashes are kept."""

import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.service.database import Database, sessions, users

Role = Literal["viewer", "runner", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "runner", "admin")  # each may do what those before it may
SESSION_HOURS = 12
_PREFIX = "sta410"
_MINUTE = 60
_REMEMBERED = 5.0  # seconds in which neither a token's hash nor a session is looked up again
_MOST = 10_000  # remembered at once
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
# A token has 256 random bits, so the hash need not be slow; these are OWASP's smallest parameters.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class User:
    """A user; times are in UTC."""

    name: str
    role: Role
    created: datetime
    last_used: datetime | None = None  # to the minute
    csrf: str = field(default="", repr=False)  # of the session by which the user was found


class Users:
    """The users in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, User]] = {}
        self._hashing = threading.Lock()  # one at a time: each takes 19 MiB

    def add(self, name: str, role: str) -> str:
        """Add a user and return the token, which is kept nowhere."""
        if not _NAME.fullmatch(name):
            message = (
                f"{name!r} is no user name: up to 64 letters, digits and . _ @ -, a letter or digit first"
            )
            raise ConfigurationError(message)
        if role not in ROLES:
            message = f"no role {role!r}.{did_you_mean(role, ROLES)} Roles: {', '.join(ROLES)}"
            raise ConfigurationError(message)
        key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row = {"name": name, "role": role, "token_id": key, "token_hash": _HASHER.hash(secret)}
        try:
            self._database.change(sa.insert(users).values(**row, created=self._database.now))
        except sa.exc.IntegrityError:
            message = f"there is a user {name} already; for a new token: sta410 user revoke {name}, then add"
            raise ConfigurationError(message) from None
        return f"{_PREFIX}_{key}_{secret}"

    def revoke(self, name: str) -> None:
        """Remove a user with all sessions; other processes notice within seconds."""
        gone = self._database.change(sa.delete(users).where(users.c.name == name))
        self._known.clear()
        if not gone:
            near = did_you_mean(name, [user.name for user in self.all()])
            message = f"no user {name!r}.{near} `sta410 user list` lists them."
            raise ConfigurationError(message)

    def all(self) -> list[User]:
        """Return all users by name."""
        return [_user(row) for row in self._database.rows(sa.select(users).order_by(users.c.name))]

    def recall(self, secret: str) -> User | None:
        """Return the user of a token or session that was looked up within the last seconds."""
        until, user = self._known.get(_digest(secret), (0.0, None))
        return user if until > time.monotonic() else None

    def verify(self, token: str) -> User | None:
        """Return the user of a token, None if there is none."""
        prefix, _, rest = token.partition("_")
        key, _, secret = rest.partition("_")
        if prefix != _PREFIX or not secret:
            return None
        one = users.c.token_id == key
        row = next(iter(self._database.rows(sa.select(users).where(one))), None)
        if row is None:
            return None
        try:
            with self._hashing:
                if known := self.recall(token):  # verified for another request while this one waited
                    return known
                _HASHER.verify(row.token_hash, secret)
                found = self._remember(token, _user(row))
        except (VerificationError, InvalidHashError):
            return None
        if (row.last_used or 0) < time.time() - _MINUTE:
            self._database.change(sa.update(users).where(one).values(last_used=self._database.now))
        return found

    def open_session(self, user: User) -> str:
        """Return the id of a new session."""
        session, now = secrets.token_urlsafe(32), self._database.now
        row = {"cookie_hash": _digest(session), "name": user.name, "csrf": secrets.token_urlsafe(32)}
        with self._database.write() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.expires < now))
            ends = now + SESSION_HOURS * 3600
            connection.execute(sa.insert(sessions).values(**row, created=now, expires=ends))
        return session

    def of_session(self, session: str) -> User | None:
        """Return the user of a session, None if it has ended."""
        found = (
            sa.select(users, sessions.c.csrf)
            .join(sessions, sessions.c.name == users.c.name)
            .where(sessions.c.cookie_hash == _digest(session), sessions.c.expires > self._database.now)
        )
        row = next(iter(self._database.rows(found)), None)
        return None if row is None else self._remember(session, _user(row, row.csrf))

    def close_session(self, session: str) -> None:
        """End a session."""
        self._known.pop(_digest(session), None)
        self._database.change(sa.delete(sessions).where(sessions.c.cookie_hash == _digest(session)))

    def _remember(self, secret: str, user: User) -> User:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[_digest(secret)] = (time.monotonic() + _REMEMBERED, user)
        return user


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _user(row: sa.Row[Any], csrf: str = "") -> User:
    used = None if row.last_used is None else datetime.fromtimestamp(row.last_used, UTC)
    return User(row.name, row.role, datetime.fromtimestamp(row.created, UTC), used, csrf)
