"""Secrets given as notebook parameters, refused before anything is run or written down."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.redaction import MINIMUM_LENGTH, holds_secret, redact
from sta410kit.exceptions import SecretFoundError
from sta410kit.guards.secret_detectors import key_shapes, looks_random, telling_name
from sta410kit.secrets import mask_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KNOWN, _NAMED = "registered secret", "its name tells"
_SHORTEST_SHAPE = 16  # no well-known key is shorter
# Names that tell of a parameter; in any other text, as the scan reads it, they tell too little.
_TELLING_HERE = re.compile(r"(?i)(?:^|[-_.])(?:token|pwd|passcode)$")
_NOTHING = {"none", "null", "true", "false"}


def secret_parameters(given: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each parameter whose value is, holds or looks like a secret; values masked.

    A value counts as secret when it holds a registered one in any notation; when it has the shape of a
    well-known kind of key; when its name tells so (``api_key``, ``password``) and it is no path and no
    number; or when it is one long token that looks drawn at random. Digests, UUIDs, paths, symbols and dates
    pass.

    Parameters
    ----------
    given : mapping
        Names and values, as typed or as any type of parameter; lists and dictionaries are looked into.
    """
    told = []
    for name, value in given.items():
        for text in _texts(value):
            detector = _detector(name, text)
            if detector:
                # The end of a key tells which one it is; that of a password gives too much of it away.
                shown = "" if detector in {_KNOWN, _NAMED} else f", {mask_secret(text)}"
                told.append(f"the parameter '{redact(name)}' was given a secret ({detector}{shown})")
                break
    return told


def refuse_secret_parameters(given: Mapping[str, Any]) -> None:
    """Raise `SecretFoundError` when a parameter is a secret; see `secret_parameters`.

    Parameters end in notebooks, manifests, reports and the shell's history, so there is no safe way to take
    one.
    """
    told = secret_parameters(given)
    if told:
        message = (
            f"{'; '.join(told)}. Parameters are written down in notebooks and manifests: put the value in "
            ".env or a secret file and read it in the notebook with sta410kit.secrets. See docs/secrets.md."
        )
        raise SecretFoundError(message[0].upper() + message[1:])


def _detector(name: str, text: str) -> str:
    """Return what is secret about a value; empty when nothing is."""
    if holds_secret(text):
        return _KNOWN
    stripped = text.strip()
    if _tells(name.rstrip("0123456789")) and _could_be_one(stripped):
        return _NAMED
    if len(stripped) < _SHORTEST_SHAPE:
        return ""
    for suspect in key_shapes(text):
        return suspect.detector
    return "looks random" if looks_random(stripped) and not _is_a_place(stripped) else ""


def _tells(name: str) -> bool:
    return telling_name(name) or _TELLING_HERE.search(name) is not None


def _is_a_place(text: str) -> bool:
    """Tell whether a text is a path here, up to its last part; names of folders look like anything."""
    try:
        return "/" in text and Path(text).parent != Path() and Path(text).parent.exists()
    except OSError:
        return False


def _could_be_one(text: str) -> bool:
    path = "/" in text and text.startswith(("/", "./", "../", "~"))
    path = path or _is_a_place(text)
    number = text.replace(".", "", 1).lstrip("+-").isdigit()
    return len(text) >= MINIMUM_LENGTH and not path and not number and text.lower() not in _NOTHING


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - whatever a notebook declares
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)
    elif not isinstance(value, bool | int | float | None):
        yield str(value)
