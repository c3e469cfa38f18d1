"""How many of the planted leaks the probe finds, and how many honest twins it accuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit.guards.leakage.corpus import calendars, decisions, markets, samples, windows
from sta410kit.guards.leakage.probe import CUTOFFS, probe_leaks

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from sta410kit.guards.leakage.corpus.case import Case

CASES = (*windows.CASES, *samples.CASES, *calendars.CASES, *markets.CASES, *decisions.CASES)


@dataclass(frozen=True)
class Measured:
    """What came of the corpus.

    Attributes
    ----------
    leaks, twins : int
        Leaks and honest twins tried.
    missed, accused : tuple of str
        Names of the leaks that were not found, and of the twins that were.
    """

    leaks: int
    twins: int
    missed: tuple[str, ...]
    accused: tuple[str, ...]

    @property
    def perfect(self) -> bool:
        """Whether every leak was found and no twin accused."""
        return not self.missed and not self.accused

    @property
    def recall(self) -> float:
        """Share of the leaks that was found."""
        return 1 - len(self.missed) / self.leaks

    @property
    def false_alarms(self) -> float:
        """Share of the twins that was accused."""
        return len(self.accused) / self.twins

    def summary(self) -> str:
        """Return one line: recall and false alarms."""
        return (
            f"leak corpus: recall {self.recall:.1%} of {self.leaks} leaks, "
            f"false alarms {self.false_alarms:.1%} of {self.twins} twins"
        )

    def __add__(self, other: Measured) -> Measured:
        return Measured(
            self.leaks + other.leaks,
            self.twins + other.twins,
            self.missed + other.missed,
            self.accused + other.accused,
        )


def measure(
    prices: pd.DataFrame, cutoffs: int = CUTOFFS, seed: int = 0, cases: Iterable[Case] = CASES
) -> Measured:
    """Probe every case of the corpus on these prices.

    Parameters
    ----------
    prices : DataFrame
        A prices frame of two symbols or more and 300 sessions or more.
    cutoffs, seed : int
        As of `probe_leaks`.
    cases : iterable of Case
        The whole corpus, or a part of it with at least one of each.
    """
    counts, missed, accused = {True: 0, False: 0}, [], []
    for case in cases:
        counts[case.leaks] += 1
        report = probe_leaks(case.build, prices, cutoffs, seed, **case.arguments)
        found = bool(report.leaks)
        if case.leaks and not found:
            missed.append(case.name)
        elif not case.leaks and not report.passed:
            accused.append(case.name)
    return Measured(counts[True], counts[False], tuple(missed), tuple(accused))
