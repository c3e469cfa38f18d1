"""The registry: migrations under a lock, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sta410kit.exceptions import ConfigurationError, DatabaseError
from sta410kit.service import database as module
from sta410kit.service.database import metadata, open_database, users

pytestmark = pytest.mark.integration


def test_migrations_make_the_tables_that_the_code_uses(database):
    """Alembic finds nothing to change, and the newest migration is the one that the code names."""
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(module.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == module.HEAD


def test_processes_that_open_an_empty_database_at_once_agree(database_url, tmp_path):
    """One applies the migrations, the others wait for it."""
    code = (
        "from pathlib import Path; from sta410kit.service.database import open_database\n"
        "open_database(Path()).close()"
    )
    command = [sys.executable, "-Werror", "-c", code]
    environment = {**os.environ, "DATABASE_URL": database_url}
    started = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [(one.communicate()[1], one.returncode) for one in started] == [("", 0)] * 3


def test_a_database_of_a_newer_version_is_refused(database, database_url, opened):
    """The message names the schema and the way out, never the password; nothing is changed."""
    with database.write() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigurationError) as refused:
        opened(database_url)
    assert "newer version of sta410kit (schema 9999" in str(refused.value)
    assert "secret-of-tests" not in str(refused.value)


def test_a_transaction_that_fails_leaves_nothing(database):
    """What was written before the error is gone, on SQLite as well."""
    with pytest.raises(ZeroDivisionError), database.write() as connection:  # noqa: PT012 - the transaction
        connection.execute(
            sa.insert(users).values(name="a", role="b", token_id="c", token_hash="d", created=0)
        )
        raise ZeroDivisionError
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(users)) == 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:secret-of-tests@127.0.0.1:1/none", "connection"),  # pragma: allowlist secret
        ("sqlite:////proc/none/service.sqlite", "No such file or directory: '/proc/none'"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url, message, tmp_path, use_database):
    """The message says what to do about it."""
    with pytest.raises((DatabaseError, OSError), match=message) as refused:  # noqa: PT012 - either may refuse
        use_database(url)
        open_database(tmp_path)
    assert "secret-of-tests" not in str(refused.value)


def test_the_default_lies_beside_the_runs(tmp_path, opened):
    """Without DATABASE_URL the registry is an SQLite file in WAL mode."""
    with opened("").read() as connection:
        assert connection.scalar(sa.text("pragma journal_mode")) == "wal"
    assert (tmp_path / "runs" / "service.sqlite").is_file()
