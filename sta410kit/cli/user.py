"""``sta410 user``: who may use the service."""

from __future__ import annotations

import click


@click.group()
def user() -> None:
    """Add, list and revoke users of the service."""
