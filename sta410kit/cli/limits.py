"""The options ``--deadline``, ``--timeout`` and ``--memory``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.decorators import FC


class Limits(TypedDict):
    """Seconds for the whole and for each part, and bytes for each part; None is no limit."""

    deadline: float | None
    timeout: float | None
    memory: int | None


def limit_options(whole: str, part: str) -> Callable[[FC], FC]:
    """Return a decorator that adds the options ``--deadline``, ``--timeout`` and ``--memory``."""
    deadline = click.option(
        "--deadline", metavar="TIME", help=f"How long the whole {whole} may take: 90, 15m, 2h."
    )
    timeout = click.option("--timeout", metavar="TIME", help=f"How long each {part} may take.")
    memory = click.option("--memory", metavar="SIZE", help=f"How much memory each {part} may have: 512M, 2G.")
    return lambda command: deadline(timeout(memory(command)))


def parsed_limits(deadline: str | None, timeout: str | None, memory: str | None) -> Limits:
    """Return the limits as numbers."""
    from sta410kit.runner.limits import parse_memory, parse_seconds

    return {
        "deadline": parse_seconds(deadline, "--deadline") if deadline is not None else None,
        "timeout": parse_seconds(timeout, "--timeout") if timeout is not None else None,
        "memory": parse_memory(memory, "--memory") if memory is not None else None,
    }
