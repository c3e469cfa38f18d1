"""The option ``--json``, and JSON on standard output."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from sta410kit._internal.redaction import redact

FLAG = "--json"
json_option = click.option(FLAG, "as_json", is_flag=True, help="Print JSON, for machines; errors too.")


def print_json(content: Any) -> None:  # noqa: ANN401 - JSON values
    """Print a JSON document to standard output, secrets redacted; nothing else may be printed beside it.

    JSON has no word for a number that is missing or infinite; it becomes ``null``.
    """
    click.echo(redact(json.dumps(_finite(content), indent=1, default=str)))


def _finite(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(name): _finite(item) for name, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
