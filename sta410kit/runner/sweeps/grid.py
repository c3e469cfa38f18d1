"""The grid of a sweep: what was typed as ``-g NAME=A,B,C``, and all combinations of it."""

from __future__ import annotations

import json
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.parameters import Asked, typed_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sta410kit.runner.parameters import Parameter

MOST_UNITS = 100_000
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_QUOTES = "\"'"


def split_values(text: str) -> list[str]:
    """Return the values in a text such as ``1,5,20``.

    A comma inside brackets or quotation marks separates nothing: ``[AAPL,MSFT],[IBM]`` are two lists, and
    ``"a,b",c`` two texts. Quotation marks around a whole value are taken off, and so are brackets around
    words that are not JSON.
    """
    parts, start, waiting = [], 0, [""]
    for place, letter in enumerate(text):
        if waiting[-1] in _QUOTES and waiting[-1]:
            if letter == waiting[-1]:
                waiting.pop()
        elif letter in _QUOTES and (len(waiting) > 1 or not text[start:place].strip()):
            waiting.append(letter)
        elif letter in _CLOSING:
            waiting.append(_CLOSING[letter])
        elif letter == waiting[-1]:
            waiting.pop()
        elif letter == "," and len(waiting) == 1:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    if len(waiting) > 1:
        message = (
            f"{text!r} misses a {waiting[-1]}; values are separated by commas, lists are put in brackets"
        )
        raise ConfigurationError(message)
    if any(not part.strip() for part in parts):
        message = f'{text!r} has nothing between two commas; an empty text is written ""'
        raise ConfigurationError(message)
    return [_bare(part.strip()) for part in parts]


def _bare(value: str) -> str:
    """Return a value without quotation marks around it, and a list of plain words without its brackets."""
    if value[0] in _QUOTES and value[-1] == value[0] and len(value) > 1:
        return value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        try:
            json.loads(value)
        except ValueError:
            return value[1:-1]
    return value


def grid_values(
    grid: Mapping[str, Sequence[str]], fixed: Mapping[str, Any], declared: Sequence[Parameter], notebook: Path
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Return the values of a grid and those that are fixed, each as its parameter declares it.

    Every value of every parameter is looked at; a parameter's type does not depend on the others, so this
    checks every combination.
    """
    problems = [f"'{name}' is given with -p and with -g" for name in grid if name in fixed]
    count = prod(len(texts) for texts in grid.values())
    if count > MOST_UNITS:
        problems.append(f"that makes {count:,} combinations; a sweep takes up to {MOST_UNITS:,}")
    asked = Asked(notebook, declared, {**{name: [value] for name, value in fixed.items()}, **grid})
    (found,) = typed_values([asked], problems)
    for name, texts in grid.items():
        for place, text in enumerate(texts):
            if found[name][place] in found[name][:place]:
                message = f"-g {name} has the value {text!r} twice"
                raise ConfigurationError(message)
    return {name: found[name] for name in grid}, {name: found[name][0] for name in fixed}


def combinations(grid: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of each unit by its name, ``0001`` and on; the last swept changes fastest."""
    found = list(product(*grid.values()))
    width = max(4, len(str(len(found))))
    return {
        f"{number:0{width}}": {**fixed, **dict(zip(grid, chosen, strict=True))}
        for number, chosen in enumerate(found, 1)
    }
