"""Counted things in words: ``1 warning``, ``0 warnings``, ``12,154 rows``."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural but for one.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        The singular of a noun that takes an ``s``.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
