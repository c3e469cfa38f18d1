"""Run migrations in the transaction that `sta410kit.service.database` has begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
