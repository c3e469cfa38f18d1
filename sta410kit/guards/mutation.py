"""Mutation testing of suites: corrupt clean data in every known way and check that the suite notices."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.acceptance import keep_snapshot
from sta410kit.guards.gate import validate
from sta410kit.guards.suites import read_suite

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.guards.corruptions import Corruption


@dataclass(frozen=True)
class Mutant:
    """One corruption and what noticed it.

    Attributes
    ----------
    corruption, about : str
        Its name, and what goes wrong.
    number : int
        Which draw of its size and place it is, from 0.
    caught_by : tuple of str
        The critical expectations that failed; empty for a survivor.
    applies : bool
        Whether the data have a place for it; a single symbol cannot be mistaken for another.
    """

    corruption: str
    about: str
    number: int
    caught_by: tuple[str, ...] = ()
    applies: bool = True

    @property
    def survived(self) -> bool:
        """Whether no expectation noticed it."""
        return self.applies and not self.caught_by


@dataclass(frozen=True)
class MutationReport:
    """Which mutants were caught.

    Attributes
    ----------
    suite : str
        The suite that was tested.
    seed : int
        Draws sizes and places; the same seed gives the same mutants.
    mutants : tuple of Mutant
        All of them, in the order of the catalogue.
    """

    suite: str
    seed: int
    mutants: tuple[Mutant, ...]

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """The mutants that no expectation noticed."""
        return tuple(mutant for mutant in self.mutants if mutant.survived)

    @property
    def applied(self) -> int:
        """How many mutants the data had a place for."""
        return sum(mutant.applies for mutant in self.mutants)

    @property
    def rate(self) -> float:
        """The share of mutants that was caught."""
        return 1 - len(self.survivors) / self.applied if self.applied else 0.0

    @property
    def passed(self) -> bool:
        """Whether there were mutants and none survived."""
        return self.applied > 0 and not self.survivors

    def summary(self) -> str:
        """Return one line with the counts."""
        caught = self.applied - len(self.survivors)
        return f"{self.suite}: {caught} of {self.applied} mutants caught ({self.rate:.1%}), seed {self.seed}"

    def idle(self) -> list[str]:
        """Return the expectation types of the suite that caught nothing, sorted."""
        used = Counter(kind for mutant in self.mutants for kind in mutant.caught_by)
        return sorted({item["type"] for item in read_suite(self.suite).expectations} - set(used))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "suite": self.suite,
            "seed": self.seed,
            "applied": self.applied,
            "caught": self.applied - len(self.survivors),
            "rate": self.rate,
            "survivors": [mutant.corruption for mutant in self.survivors],
            "mutants": [
                {
                    "corruption": mutant.corruption,
                    "about": mutant.about,
                    "number": mutant.number,
                    "applies": mutant.applies,
                    "caught_by": list(mutant.caught_by),
                }
                for mutant in self.mutants
            ],
        }


def mutate(
    frame: pd.DataFrame,
    suite: str = "prices",
    *,
    seed: int = 0,
    repeats: int = 1,
    kinds: list[str] | None = None,
) -> MutationReport:
    """Corrupt `frame` in every known way, one at a time, and report which expectation caught each.

    Parameters
    ----------
    frame : pandas.DataFrame
        Clean data: the suite must accept them as they are.
    suite : str
        A suite there are corruptions for: ``prices``, ``features``, ``training``, ``predictions`` or
        ``forecasts``.
    seed : int
        Draws sizes and places.
    repeats : int
        Mutants of each corruption.
    kinds : list of str, optional
        Only these corruptions.

    Raises
    ------
    ConfigurationError
        There are no corruptions for this suite, or none of that name.
    DataValidationError
        The data are refused before anything was done to them.
    """
    import numpy as np

    corruptions = _chosen(suite, kinds)
    symbols = sorted(frame["symbol"].astype(str).unique()) if "symbol" in frame.columns else None
    clean = validate(frame, suite, symbols=symbols).require()
    mutants = []
    with tempfile.TemporaryDirectory() as folder:
        snapshot = Path(folder) / "accepted.parquet"
        if any(one.since_snapshot for one in corruptions):
            keep_snapshot(frame, clean, snapshot)
        for place, corruption in enumerate(corruptions):
            for number in range(repeats):
                rng = np.random.default_rng([seed, place, number])
                broken = corruption.apply(frame, rng)
                if broken is None:
                    mutants.append(Mutant(corruption.name, corruption.about, number, applies=False))
                    continue
                beside = snapshot if corruption.since_snapshot else None
                result = validate(broken, suite, symbols=symbols, snapshot=beside)
                caught = tuple(dict.fromkeys(failure.expectation for failure in result.critical))
                mutants.append(Mutant(corruption.name, corruption.about, number, caught))
    return MutationReport(suite, seed, tuple(mutants))


def _chosen(suite: str, kinds: list[str] | None) -> list[Corruption]:
    from sta410kit._internal.text import did_you_mean
    from sta410kit.guards.corruptions import CATALOGUE

    if suite not in CATALOGUE:
        message = f"no corruptions for the suite '{suite}'; there are some for {', '.join(CATALOGUE)}"
        raise ConfigurationError(message)
    names = [one.name for one in CATALOGUE[suite]]
    unknown = [kind for kind in kinds or [] if kind not in names]
    if unknown:
        message = f"no corruption called '{unknown[0]}'.{did_you_mean(unknown[0], names)}"
        raise ConfigurationError(message)
    return [one for one in CATALOGUE[suite] if kinds is None or one.name in kinds]
