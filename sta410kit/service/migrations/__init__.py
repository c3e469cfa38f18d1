"""Alembic's migrations of the registry, applied by `sta410kit.service.database`."""
