"""What was perhaps meant: the one sentence that errors about names end with."""

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
