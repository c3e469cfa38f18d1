"""Refuse secrets given as notebook parameters, before anything is run or written."""

from collections.abc import Mapping
from typing import Any

from sta410kit._internal.redaction import holds_secret, redact
from sta410kit.exceptions import SecretFoundError
from sta410kit.guards.secret_detectors import key_formats
from sta410kit.runner.parameters import single_values
from sta410kit.secrets import mask_secret


def refuse_secret_parameters(given: Mapping[str, Any]) -> None:
    """Raise `SecretFoundError` when a parameter holds a known secret or has the format of a well-known key.

    Parameters end in notebooks, manifests, reports and the shell's history, so there is no safe way to take
    one. How random a value looks does not matter, and neither does the parameter's name.
    """
    found = []
    for name, value in given.items():
        for text in map(str, single_values(value)):
            suspect = next(key_formats(text), None)
            if holds_secret(text) or suspect:
                kind = f"{suspect.detector}, {mask_secret(suspect.value)}" if suspect else "registered secret"
                found.append(f"the parameter '{redact(name)}' was given a secret ({redact(kind)})")
                break
    if found:
        message = (
            f"{'; '.join(found)}. Parameters are written down in notebooks and manifests: put the value in "
            ".env or a secret file and read it in the notebook with sta410kit.secrets. See docs/secrets.md."
        )
        raise SecretFoundError(message[0].upper() + message[1:])
