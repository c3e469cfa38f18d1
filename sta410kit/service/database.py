"""The registry of the service: SQLite beside the runs, or PostgreSQL for several hosts.

Times are seconds since 1970 by the clock of the database, so that hosts whose clocks differ agree on what has
expired. Migrations are applied when a database is opened.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError, DatabaseError

NAME = "service.sqlite"
HEAD = "0001"  # the newest migration
_PATIENCE = 30.0  # seconds to wait for another process's write lock
_LOCK = 410_410  # of PostgreSQL's advisory locks: held while migrations are applied
_IMMEDIATE = "immediate"

metadata = sa.MetaData()
_UNFINISHED = sa.text("schedule <> '' and state <> 'finished'")


def columns(
    kind: type[sa.types.TypeEngine[Any]], *names: str, nullable: bool = False, default: str | None = None
) -> list[sa.Column[Any]]:
    """Return columns of one type, for a table or a migration."""
    return [sa.Column(name, kind, nullable=nullable, server_default=default) for name in names]


users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("token_id", sa.String, nullable=False, unique=True),  # the part of the token that is no secret
    sa.Column("token_hash", sa.String, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("last_used", sa.Double),
)

sessions = sa.Table(  # of people who have logged in
    "sessions",
    metadata,
    sa.Column("cookie_hash", sa.String, primary_key=True),
    sa.Column("name", sa.String, sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    sa.Column("csrf", sa.String, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    *columns(sa.String, "kind", "state"),
    *columns(sa.String, "schedule", "session", "by", "cancelled_by", default=""),
    *columns(sa.String, "worker", "store", default=""),  # who executes it, and the run store there
    *columns(sa.String, "run", "outcome", default=""),
    *columns(sa.Text, "message", default=""),
    *columns(sa.JSON, "request"),
    *columns(sa.Double, "created"),
    *columns(sa.Double, "started", "finished", "heartbeat", nullable=True),
    *columns(sa.Integer, "attempts", default="0"),
    *columns(sa.Integer, "exit_code", nullable=True),
    sa.Index("jobs_by_state", "state", "id"),
    sa.Index(
        "jobs_one_a_schedule", "schedule", unique=True, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED
    ),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("schedule", sa.String, primary_key=True),
    sa.Column("session", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
    sa.Column("run", sa.String, nullable=False, server_default=""),  # the passed one that covers the session
)


class Database:
    """An open registry, safe to use from several threads and processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.shown = engine.url.render_as_string(hide_password=True)
        now = "extract(epoch from clock_timestamp())"
        if engine.dialect.name == "sqlite":
            now = "(julianday('now') - 2440587.5) * 86400"
        # SQL for the time in seconds since 1970, by the clock of the database
        self.now: sa.ColumnElement[float] = sa.cast(sa.literal_column(now), sa.Double)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that may write; committed when the block ends well.

        A `DatabaseError` says that the database does not answer or cannot be written; nothing is kept then.
        """
        with self._named(), self._engine.connect() as opened:
            connection = opened.execution_options(**{_IMMEDIATE: True})
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction that only reads; errors as `write`."""
        with self._named(), self._engine.connect() as connection:
            yield connection

    def rows(self, question: sa.Executable) -> Sequence[sa.Row[Any]]:
        """Return the rows that answer a question."""
        with self.read() as connection:
            return connection.execute(question).all()

    def change(self, statement: sa.Executable) -> int:
        """Execute a statement in a transaction of its own; return how many rows it has changed."""
        with self.write() as connection:
            return connection.execute(statement).rowcount

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the database in its errors, without what a driver may quote."""
        try:
            yield
        except (sa.exc.DatabaseError, sa.exc.InterfaceError) as error:
            if isinstance(error, sa.exc.IntegrityError):  # the caller's
                raise
            reason = str(error.orig).strip().partition("\n")[0]
            advice = "Start or mend it, or correct DATABASE_URL"
            message = f"the database {self.shown} cannot be used: {reason}. {advice}"
            raise DatabaseError(message) from None

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(project: Path) -> Database:
    """Return the registry of a project, with its migrations applied.

    Raises
    ------
    DatabaseError
        The database does not answer, is damaged, or cannot be written.
    ConfigurationError
        It is of a newer version of the kit.
    """
    database = Database(_engine(database_url(project)))
    try:
        _upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def database_url(project: Path) -> sa.URL:
    """Return the address in ``DATABASE_URL``; by default an SQLite file beside the runs."""
    text = get_config().service.database_url.get_secret_value()
    if not text:
        return sa.URL.create("sqlite", database=str(project / "runs" / NAME))
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        message = "DATABASE_URL is no address of a database, such as postgresql://user:password@host/name"
        raise ConfigurationError(message) from None
    if url.get_backend_name() == "sqlite":
        return url.set(database=str(project / (url.database or NAME)))
    return url.set(drivername="postgresql+psycopg")


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        try:
            return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        except ModuleNotFoundError as error:
            message = "PostgreSQL needs the package psycopg: pip install 'sta410kit[postgres]'"
            raise ConfigurationError(message) from error
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says, and hold for DDL too
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and then writes fails at once when another has written in between.
    immediate = connection.get_execution_options().get(_IMMEDIATE)
    connection.exec_driver_sql("begin immediate" if immediate else "begin")


def _upgrade(database: Database) -> None:
    """Apply the migrations that are missing, one process at a time."""
    with database.read() as connection:
        if _version_in(connection) == HEAD:
            return  # without importing Alembic
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        found = _version_in(connection)
        known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
        if found and found not in known:
            message = (
                f"the database {database.shown} was written by a newer version of sta410kit (schema {found}, "
                f"this version knows {HEAD}); upgrade sta410kit, or set DATABASE_URL to another database"
            )
            raise ConfigurationError(message)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version_in(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("select version_num from alembic_version")) or "")


def wait_for_database(database: Database, seconds: float) -> bool:
    """Wait until the database answers; return whether it does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            database.rows(sa.select(leases.c.run).limit(1))  # unlike a constant, it is read from the file
        except DatabaseError:
            if time.monotonic() > deadline:
                return False
            time.sleep(1)
        else:
            return True
