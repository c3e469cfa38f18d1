"""Values that a notebook records for whoever collects them: `sta410 sweep` makes a table of them.

They travel in the executed notebook, as display data that shows nothing, in the form of scrapbook (nteract):
``scrapbook.read_notebook(path).scraps`` reads them too.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.redaction import MASK, redact

MIMETYPE = "application/scrapbook.scrap.json+json"
_VERSION = 1  # of scrapbook's payload
_LONGEST = 1024 * 1024  # characters; a table has short cells


def record(name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Record a value under a name in the executed notebook; of several under one name the last counts.

    Outside IPython nothing is recorded, so that code which records can be tested and imported.

    Parameters
    ----------
    name : str
        The column's name in the table of a sweep.
    value : str, int, float, bool, None, list or dict
        Dates and paths are recorded as text, numpy's numbers as numbers.

    Raises
    ------
    ConfigurationError
        The name is empty, or JSON cannot hold the value: a table, a figure, an object, NaN.
    """
    if not isinstance(name, str) or not name.strip():
        message = f"record(name, value) takes a name, got {name!r}"
        raise ConfigurationError(message)
    payload = {"name": name, "data": _scrubbed(_plain(value, name), name), "encoder": "json"}
    # Where IPython is not even loaded, no cell can be running.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    shell.display_pub.publish(
        data={MIMETYPE: {**payload, "version": _VERSION}},
        metadata={"scrapbook": {"name": name, "data": True, "display": False}},
    )


def recorded_values(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the outputs of a cell have recorded, by name, in the order of recording.

    What is no scrap of JSON, as scrapbook's pictures and tables, is passed over.
    """
    found: dict[str, Any] = {}
    for output in outputs:
        scrap = output.get("data", {}).get(MIMETYPE) if isinstance(output.get("data"), dict) else None
        if isinstance(scrap, dict) and isinstance(scrap.get("name"), str) and "data" in scrap:
            found[scrap["name"]] = scrap["data"]
    return found


def _plain(value: Any, name: str) -> Any:  # noqa: ANN401 - passes any value on
    """Return the value as JSON holds it, or say why it cannot."""
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, int | float):
        return _number(value, name)
    if isinstance(value, dict):
        return {_key(key, name): _plain(item, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    if hasattr(value, "isoformat") or hasattr(value, "__fspath__"):  # dates, also those of pandas; paths
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy's
        return _plain(value.item(), name)
    message = (
        f"record({name!r}, ...) takes what JSON can hold: text, numbers, lists, dictionaries; "
        f"got {type(value).__module__}.{type(value).__qualname__}. Record a number taken from it."
    )
    raise ConfigurationError(message)


def _number(value: float, name: str) -> float:
    """Return a number as one of Python's own: an IntEnum and numpy's are more than that."""
    if not math.isfinite(value):
        message = f"record({name!r}, {value}): JSON has no such number; record None where there is none"
        raise ConfigurationError(message)
    return int(value) if isinstance(value, int) else float(value)


def _key(key: Any, name: str) -> str:  # noqa: ANN401 - whatever somebody used
    if not isinstance(key, str):
        message = f"record({name!r}, ...): the keys of a dictionary are text in JSON, got {key!r}"
        raise ConfigurationError(message)
    return key


def _scrubbed(value: Any, name: str) -> Any:  # noqa: ANN401 - passes any value on
    """Return the value without registered secrets, short enough for a table."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST:
        message = f"record({name!r}, ...) takes up to a million characters, got {len(text):,}; write a file"
        raise ConfigurationError(message)
    clean = redact(text)
    if clean == text:
        return value
    try:
        return json.loads(clean)
    except ValueError:  # the secret stood across several values, as in a list of its bytes
        return MASK
