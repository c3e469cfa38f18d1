"""Mutation testing of suites: corrupt clean data in every known way and check that the suite notices.

A mutant is caught when the frame is refused, or when exactly what was corrupted is left out: every corrupted
bar, by itself or with its symbol, and nothing else. What a fault cannot but touch is allowed for: the
sessions right before and after a corrupted bar, whose moves start or end there; sessions that only corrupted
rows are dated on, which other symbols seem to lack; the stretch that a pasted one was copied from, and the
symbol with the same series, since which is the copy cannot be known.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import percent
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.acceptance import keep_snapshot
from sta410kit.guards.gate import validate
from sta410kit.guards.suites import read_suite

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.guards.corruptions import Corruption
    from sta410kit.guards.result import GuardResult

_COPIES = ("expect_no_pasted_bars", "expect_symbols_to_differ")


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
    outcome : str
        ``refused``, or what was left out: ``symbol`` or ``bars``; empty where that is not what was corrupted.
    applies : bool
        Whether the data have a place for it; a single symbol cannot be mistaken for another.
    """

    corruption: str
    about: str
    number: int
    caught_by: tuple[str, ...] = ()
    outcome: str = ""
    applies: bool = True

    @property
    def survived(self) -> bool:
        """Whether any of it would be used, or more than it is left out."""
        return self.applies and not self.outcome


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
        caught, rate = self.applied - len(self.survivors), percent(self.rate, ".1%")
        return f"{self.suite}: {caught} of {self.applied} mutants caught ({rate}), seed {self.seed}"

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
            "mutants": [asdict(mutant) for mutant in self.mutants],
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
    clean = validate(frame, suite, symbols=symbols, strict=True).require()
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
                outcome = _outcome(frame, broken, result) if caught else ""
                mutants.append(Mutant(corruption.name, corruption.about, number, caught, outcome))
    return MutationReport(suite, seed, tuple(mutants))


def _outcome(frame: pd.DataFrame, broken: pd.DataFrame, result: GuardResult) -> str:
    """Return what became of the mutant, and nothing where that is not what was corrupted."""
    if not result.passed:
        return "refused"
    before, after = _rows(frame), _rows(broken)
    counts = before.sub(after, fill_value=0)
    dates = {date: number for number, date in enumerate(counts.index.unique("date").sort_values())}
    corrupted = {(symbol, dates[date]) for symbol, date, _ in counts[counts != 0].index}
    near = {(symbol, number + step) for symbol, number in corrupted for step in (-1, 0, 1)}
    table = result.quarantined
    whole = set(table["symbol"][table["date"].isna()])
    bars = {(symbol, dates[date]) for symbol, date in table.dropna()[["symbol", "date"]].to_numpy()}
    days = {dates[date] for date in before.index.unique("date")}
    complete = all(symbol in whole or (symbol, number) in bars for symbol, number in corrupted)
    exact = whole <= {symbol for symbol, _ in corrupted}
    exact &= all(bar in near or bar[1] not in days for bar in bars)
    copied = any(check.expectation in _COPIES for check in result.critical)
    return ("symbol" if whole else "bars") if complete and (exact or copied) else ""


def _rows(frame: pd.DataFrame) -> pd.Series[int]:
    """Count the rows by symbol, date and a digest of their values."""
    import pandas as pd

    values = frame.drop(columns=["symbol", "date"]).astype(float)
    return pd.DataFrame(
        {
            "symbol": frame["symbol"].astype(object),
            "date": frame["date"].astype("datetime64[us]"),
            "values": pd.util.hash_pandas_object(values, index=False),
        }
    ).value_counts()


def _chosen(suite: str, kinds: list[str] | None) -> list[Corruption]:
    from sta410kit._internal.text import did_you_mean
    from sta410kit.guards.corruptions import CATALOGUE

    if suite not in CATALOGUE:
        message = f"no corruptions for the suite '{suite}'; there are some for {', '.join(CATALOGUE)}"
        raise ConfigurationError(message)
    names = [one.name for one in CATALOGUE[suite]]
    unknown = [kind for kind in kinds or [] if kind not in names]
    if unknown:
        message = (
            f"no corruption called '{unknown[0]}'.{did_you_mean(unknown[0], names)} "
            f"Corruptions: {', '.join(names)}."
        )
        raise ConfigurationError(message)
    return [one for one in CATALOGUE[suite] if kinds is None or one.name in kinds]
