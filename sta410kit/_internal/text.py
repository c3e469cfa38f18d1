"""Small pieces of text that messages share."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(given: object, known: Iterable[object]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name nearest to `given`, or nothing where none is near.

    Upper and lower case make no difference.
    """
    names = {str(name).casefold(): str(name) for name in known}
    near = get_close_matches(str(given).casefold(), names, n=1, cutoff=0.5)
    return f" Did you mean '{names[near[0]]}'?" if near else ""


def pluralize(number: int, noun: str) -> str:
    """Return a number and its noun: ``1 warning``, ``0 warnings``, ``12,154 rows``.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        The singular of a noun whose plural ends in ``s``.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
