"""A command whose ``--json`` is JSON on standard output whatever happens, errors too."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from sta410kit._internal.redaction import redact
from sta410kit.exceptions import STA410Exception
from sta410kit.exit_codes import ExitCode

_FLAG = "--json"


class JsonCommand(click.Command):
    """A command with a ``--json`` option; what stops it is told in JSON too, besides standard error."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - as click declares it
    ) -> click.Context:
        """Read the options; a wrong one is told in JSON when ``--json`` is among them."""
        wanted = _FLAG in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            if wanted:
                _tell("UsageError", error.format_message(), ExitCode.USAGE)
            raise

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the command returns
        """Run the command; what stops it is told in JSON when ``--json`` was given."""
        if not ctx.params.get("as_json"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except STA410Exception as error:
            _tell(type(error).__name__, str(error), error.exit_code)
            raise
        except click.ClickException as error:
            _tell("UsageError", error.format_message(), ExitCode.USAGE)
            raise
        except KeyboardInterrupt:
            _tell("KeyboardInterrupt", "interrupted", ExitCode.INTERRUPTED)
            raise
        except Exception as error:
            _tell(type(error).__name__, str(error), ExitCode.INTERNAL)
            raise


class JsonGroup(JsonCommand, click.Group):
    """A group of commands that does something by itself too, with ``--json``."""


def print_json(content: Any) -> None:  # noqa: ANN401 - JSON values
    """Print a JSON document to standard output, secrets redacted; nothing else may be printed beside it.

    JSON has no word for a number that is missing or infinite; it becomes ``null``.
    """
    click.echo(redact(json.dumps(_sayable(content), indent=1, default=str)))


def _sayable(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(name): _sayable(item) for name, item in value.items()}
    return [_sayable(item) for item in value] if isinstance(value, list | tuple) else value


def _tell(kind: str, message: str, code: ExitCode) -> None:
    error = {"type": kind, "message": message}
    print_json({"outcome": code.name, "exit_code": int(code), "error": error})


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines; errors too.")
