"""Symbols with stray spaces, in another case, or with signs nobody sees."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import (
    Findings,
    FrameExpectation,
    PanelWalker,
    Walker,
    of_rows,
)


class NameWalker(PanelWalker):
    """Looks at the names only."""

    expectation: ExpectSymbolsSpelledAlike

    def findings(self) -> Findings:
        """Return the first row of every symbol whose spelling is off."""
        names = self.panel.symbols
        plain = [_plain(name) for name in names]
        capitals = np.mean([name == name.upper() for name in names]) >= self.expectation.capitals
        odd, notes = [], []
        for number, name in enumerate(names):
            if name != name.strip() or not name.isprintable() or " " in name or not name.isascii():
                odd.append(number)
                notes.append(f"{name!r} holds a space or a sign that does not belong in a symbol")
            elif plain.count(plain[number]) > 1:
                odd.append(number)
                notes.append(f"{name!r} is also spelled in another way")
            elif capitals and name != name.upper():
                odd.append(number)
                notes.append(f"{name!r} is not in capitals as the others are")
        return of_rows(self.panel, self.panel.bounds[np.array(odd, np.int64)], notes)


class ExpectSymbolsSpelledAlike(FrameExpectation):
    """Expect one spelling a symbol: no space, no invisible sign, no other case."""

    capitals: float = pydantic.Field(
        0.6, gt=0, description="Share of symbols in capitals that makes it the rule."
    )

    sentence: ClassVar[str] = (
        "Each symbol has one spelling: no space, only plain signs, and capitals where {capitals} "
        "of them have."
    )
    walker: ClassVar[type[Walker]] = NameWalker


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum() or sign in ".-^=/_")
