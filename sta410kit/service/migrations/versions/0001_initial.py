"""Users, sessions, jobs and leases."""

import sqlalchemy as sa
from alembic import op

from sta410kit.service.database import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("token_id", sa.String, nullable=False, unique=True),
        *columns(sa.String, "role", "token_hash"),
        *columns(sa.Double, "created"),
        sa.Column("last_used", sa.Double),
    )
    op.create_table(
        "sessions",
        sa.Column("cookie_hash", sa.String, primary_key=True),
        sa.Column("name", sa.String, sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
        *columns(sa.String, "csrf"),
        *columns(sa.Double, "created", "expires"),
    )
    texts = ("schedule", "session", "by", "worker", "store", "cancelled_by", "run", "outcome")
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *columns(sa.String, "kind", "state"),
        *columns(sa.String, *texts, default=""),
        *columns(sa.Text, "message", default=""),
        *columns(sa.JSON, "request"),
        *columns(sa.Double, "created"),
        *columns(sa.Double, "started", "finished", "heartbeat", nullable=True),
        *columns(sa.Integer, "attempts", default="0"),
        *columns(sa.Integer, "exit_code", nullable=True),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "id"])
    where = sa.text("schedule <> '' and state <> 'finished'")
    op.create_index(
        "jobs_one_a_schedule", "jobs", ["schedule"], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "leases",
        sa.Column("schedule", sa.String, primary_key=True),
        sa.Column("session", sa.String, primary_key=True),
        *columns(sa.String, "holder"),
        *columns(sa.Double, "expires"),
        *columns(sa.String, "run", default=""),
    )
