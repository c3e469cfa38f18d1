"""Users, sessions, jobs and leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("token_id", sa.String, nullable=False, unique=True),
        sa.Column("token_hash", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("last_used", sa.Double),
    )
    op.create_table(
        "sessions",
        sa.Column("cookie_hash", sa.String, primary_key=True),
        sa.Column("name", sa.String, sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
        sa.Column("csrf", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("schedule", sa.String, nullable=False, server_default=""),
        sa.Column("session", sa.String, nullable=False, server_default=""),
        sa.Column("by", sa.String, nullable=False, server_default=""),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
        sa.Column("worker", sa.String, nullable=False, server_default=""),
        sa.Column("store", sa.String, nullable=False, server_default=""),
        sa.Column("heartbeat", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("cancelled_by", sa.String, nullable=False, server_default=""),
        sa.Column("run", sa.String, nullable=False, server_default=""),
        sa.Column("outcome", sa.String, nullable=False, server_default=""),
        sa.Column("exit_code", sa.Integer),
        sa.Column("message", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("jobs_by_state", "jobs", ["state", "id"])
    unfinished = sa.text("schedule <> '' and state <> 'finished'")
    op.create_index(
        "jobs_one_a_schedule",
        "jobs",
        ["schedule"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "leases",
        sa.Column("schedule", sa.String, primary_key=True),
        sa.Column("session", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("run", sa.String, nullable=False, server_default=""),
    )
