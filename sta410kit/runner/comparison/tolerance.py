"""How far apart two numbers or two figures may be, for a whole notebook or by the tags of a cell."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

RTOL, ATOL, FIGURE_RMS = 1e-6, 1e-12, 2.0
_TAG = re.compile(r"(rtol|atol|figure-rms)\s*=\s*(.*)")


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be from the expected one: ``|got - expected| <= atol + rtol * |expected|``.

    Attributes
    ----------
    rtol, atol : float
        Relative and absolute tolerance. At the default, whole numbers must be equal: they are counts.
    figure_rms : float
        Root mean square difference of pixels, in steps of 0 to 255, that two figures may have.
    """

    rtol: float = RTOL
    atol: float = ATOL
    figure_rms: float = FIGURE_RMS

    def allows(self, expected: float, got: float, *, whole: bool = False) -> bool:
        """Tell whether `got` is near enough to `expected`; missing is near to missing, infinite to its like.

        Parameters
        ----------
        expected, got : float
            The numbers.
        whole : bool
            Whether both are whole numbers, which the default tolerance is not meant for.
        """
        if expected == got or (math.isnan(expected) and math.isnan(got)):
            return True
        if not (math.isfinite(expected) and math.isfinite(got)) or (whole and self.is_default):
            return False
        return abs(got - expected) <= self.atol + self.rtol * abs(expected)

    @property
    def is_default(self) -> bool:
        """Whether nobody asked for another tolerance of numbers."""
        return (self.rtol, self.atol) == (RTOL, ATOL)

    def of_cell(self, tags: Iterable[str], where: str) -> Tolerance:
        """Return the tolerance with what the tags of a cell say, such as ``rtol=1e-3``.

        Raises
        ------
        ConfigurationError
            A tag's value is no number, or negative.
        """
        mine = self
        for tag in tags:
            found = _TAG.fullmatch(tag.strip())
            if found:
                mine = mine.changed(found[1].replace("-", "_"), found[2], f"{where}: tag '{tag}'")
        return mine

    def changed(self, name: str, text: str, where: str) -> Tolerance:
        """Return the tolerance with one of its numbers read from text."""
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < math.inf:
            message = f"{where}: expected a number from 0 on, such as 1e-3"
            raise ConfigurationError(message)
        return replace(self, **{name: value})

    def __str__(self) -> str:
        return f"rtol {self.rtol:g}, atol {self.atol:g}"
