"""How far apart two numbers may be and still count as equal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Tolerance:
    """Floats are equal when ``|second - first| <= atol + rtol * |first|``; integers must be identical."""

    # relative and absolute tolerance; both zero by default, which is exact comparison
    rtol: float = 0.0
    atol: float = 0.0

    def allows(self, first: float, second: float) -> bool:
        """Tell whether two numbers count as equal; NaN equals NaN, infinity equals itself."""
        if first == second or (math.isnan(first) and math.isnan(second)):
            return True
        if isinstance(first, int) and isinstance(second, int):
            return False
        return abs(second - first) <= self.atol + self.rtol * abs(first) < math.inf


EXACT = Tolerance()


class Difference(NamedTuple):
    """One thing in which two runs differ, with the evidence."""

    # ``code``, ``parameters``, ``data``, ``packages``, ``settings``, ``seed``, ``git``, ``outcomes``,
    # ``recorded`` or ``artifacts``
    kind: str
    where: str  # step, file, column, row, or the name of the value
    # what each run has there; both empty where only digests are known
    first: str = ""
    second: str = ""

    def __str__(self) -> str:
        if not (self.first or self.second):
            return self.where
        return f"{self.where}: first {self.first or 'nothing'}, second {self.second or 'nothing'}"
