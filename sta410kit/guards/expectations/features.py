"""Features that say the same twice, that stand still, or no longer look as they did in training."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import (
    Findings,
    FrameExpectation,
    PanelWalker,
    Walker,
    of_rows,
)
from sta410kit.guards.robust import run_lengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block, Panel

_EMPTY_BIN = 1e-4  # share an empty bin counts as, so that its logarithm exists


class CollinearityWalker(PanelWalker):
    """Correlates every two features."""

    expectation: ExpectFeaturesNotCollinear

    def findings(self) -> Findings:
        """Return the pairs as notes."""
        asked = self.expectation
        names = feature_columns(self.panel, asked.ignore)
        every = max(1, len(self.panel.frame) // asked.rows)
        table = np.array([self.panel.floats(name)[::every] for name in names])
        if len(names) < 2 or table.shape[1] < 3:  # noqa: PLR2004 - nothing to correlate
            return Findings()
        table = table[:, np.isfinite(table).all(axis=0)]
        varies: list[int] = np.flatnonzero(table.std(axis=1) > 0).tolist() if table.shape[1] > 2 else []  # noqa: PLR2004
        if len(varies) < 2:  # noqa: PLR2004
            return Findings()
        matrix = np.corrcoef(table[varies])
        return Findings(
            notes=tuple(
                f"{names[varies[i]]} and {names[varies[j]]} correlate at {matrix[i, j]:.4f}"
                for i, j in combinations(range(len(varies)), 2)
                if abs(matrix[i, j])
                > (
                    asked.max_with_target
                    if asked.target in {names[varies[i]], names[varies[j]]}
                    else asked.max_correlation
                )
            )
        )


class ExpectFeaturesNotCollinear(FrameExpectation):
    """Expect no two features that are all but the same."""

    max_correlation: float = pydantic.Field(0.999, gt=0, le=1, description="Largest absolute correlation.")
    max_with_target: float = pydantic.Field(
        0.95,
        gt=0,
        le=1,
        description="The same with the target, where it is not ignored: a feature that knows it.",
    )
    target: str = pydantic.Field("target", description="The column that is predicted.")
    ignore: list[str] = pydantic.Field(["target"], description="Numeric columns that are no features.")
    rows: int = pydantic.Field(50_000, ge=10, description="Rows that are looked at, evenly spread.")

    sentence: ClassVar[str] = (
        "No two features correlate by more than {max_correlation} in absolute value, and none with {target} "
        "by more than {max_with_target}."
    )
    walker: ClassVar[type[Walker]] = CollinearityWalker


class VarietyWalker(PanelWalker):
    """Looks for features that stand still, everywhere or in one symbol."""

    expectation: ExpectFeaturesToVary

    def findings(self) -> Findings:
        """Return what stands still, as notes."""
        asked, notes = self.expectation, []
        bounds = self.panel.bounds
        for name in asked.columns or feature_columns(self.panel, asked.ignore):
            if self.panel.raw(name) is None:
                continue
            values = self.panel.floats(name)[self.panel.position(np.arange(self.panel.rows))]
            parts = [values[begin:end] for begin, end in pairwise(bounds)]
            parts = [part[np.isfinite(part)] for part in parts]
            judged = [number for number, part in enumerate(parts) if len(part) >= asked.min_rows]
            still = [self.panel.symbols[n] for n in judged if parts[n].min() == parts[n].max()]
            # What belongs to a symbol, as its sector does, stands still in each and differs between them.
            if len(judged) > len(still) > 0:
                notes.append(f"{name} has one value in all rows of {', '.join(still[:5])}")
            elif still and len({float(parts[n][0]) for n in judged}) == 1:
                notes.append(f"{name} has one value in all rows")
        return Findings(notes=tuple(notes))


class ExpectFeaturesToVary(FrameExpectation):
    """Expect no feature to have one value only, in all rows or in those of one symbol among others."""

    columns: list[str] = pydantic.Field(default_factory=list, description="Features; all when empty.")
    ignore: list[str] = pydantic.Field(["target"], description="Numeric columns that are no features.")
    min_rows: int = pydantic.Field(60, ge=2, description="Values a symbol needs to be judged.")

    sentence: ClassVar[str] = (
        "No feature has a single value in {min_rows} rows and more, everywhere or in a symbol while it "
        "varies in others."
    )
    walker: ClassVar[type[Walker]] = VarietyWalker


class FrozenWalker(Walker):
    """Looks for stretches in which a feature that always moves stands still."""

    expectation: ExpectFeaturesNotFrozen

    def __init__(self, expectation: ExpectFeaturesNotFrozen, panel: Panel) -> None:
        super().__init__(expectation, panel)
        self.names = feature_columns(panel, expectation.ignore)
        self.notes: list[str] = []

    def visit(self, block: Block) -> None:
        """Compare the longest run of each symbol with how often its feature repeats otherwise."""
        asked, sizes = self.expectation, np.diff(block.bounds)
        for name in self.names:
            values = self.panel.floats(name)[
                self.panel.position(np.arange(block.offset, block.offset + block.rows))
            ]
            same = np.zeros(block.rows, bool)
            np.equal(values[1:], values[:-1], out=same[1:])
            same[block.first] = False
            runs = run_lengths(same, block.first)
            longest = np.maximum.reduceat(runs, block.first)
            others = np.add.reduceat(same.astype(np.int64), block.first) - longest
            frozen = (longest + 1 >= asked.sessions) & (others <= asked.rare * sizes)
            for number in np.flatnonzero(frozen):
                here = slice(block.bounds[number], block.bounds[number + 1])
                self.rows.append(
                    np.flatnonzero(runs[here] == longest[number]) + block.bounds[number] + block.offset
                )
                symbol = self.panel.symbols[block.first_symbol + number]
                self.notes.append(f"{name} of {symbol} has one value {longest[number] + 1} sessions in a row")

    def findings(self) -> Findings:
        """Return the rows that repeat the one before."""
        return of_rows(self.panel, np.concatenate([*self.rows, np.empty(0, np.int64)]), self.notes)


class ExpectFeaturesNotFrozen(FrameExpectation):
    """Expect a feature that hardly ever repeats itself not to do so for many sessions in a row.

    A source that stopped, or a warm-up filled with zeros, leaves such a stretch. Calendars, flags and what is
    reported once a quarter repeat themselves all the time, and are not judged.
    """

    sessions: int = pydantic.Field(8, ge=2, description="Sessions in a row with one value that are too many.")
    rare: float = pydantic.Field(
        0.01,
        ge=0,
        le=1,
        description="Share of a symbol's rows that repeat otherwise up to which it is judged.",
    )
    ignore: list[str] = pydantic.Field(
        default_factory=list, description="Numeric columns that are not asked."
    )

    sentence: ClassVar[str] = (
        "No feature has one value for {sessions} sessions of a symbol in a row where it hardly ever repeats "
        "itself (at most in a share of {rare} of the others)."
    )
    walker: ClassVar[type[Walker]] = FrozenWalker


class DriftWalker(PanelWalker):
    """Compares the newest part of every feature with the part before it."""

    expectation: ExpectFeaturesNotDrifted

    def findings(self) -> Findings:
        """Return the features whose distribution moved, as notes."""
        asked = self.expectation
        days = self.panel.days
        cut = np.quantile(days, asked.train_share)
        old, new = (self.panel.position(np.flatnonzero(part)) for part in (days <= cut, days > cut))
        return Findings(
            notes=tuple(
                f"{name} has a population stability index of {index:.2f}"
                for name, index in self._indices(old, new)
                if index > asked.max_psi
            )
        )

    def _indices(self, old: NDArray[np.int64], new: NDArray[np.int64]) -> Iterator[tuple[str, float]]:
        asked = self.expectation
        for name in asked.columns or feature_columns(self.panel, asked.ignore):
            if self.panel.raw(name) is None:
                continue
            values = self.panel.floats(name)
            parts = [part[np.isfinite(part)] for part in (values[old], values[new])]
            if min(map(len, parts)) >= asked.min_rows:
                yield name, population_stability(parts[0], parts[1], asked.bins)


class ExpectFeaturesNotDrifted(FrameExpectation):
    """Expect the newest features to be distributed as those the model is trained on.

    The population stability index is the sum over bins of ``(new - old) * log(new / old)`` of the shares,
    with bins that hold equal shares of the training window (Siddiqi, *Credit Risk Scorecards*, 2006). By
    custom, 0.1 is a small change and 0.25 a large one; volatility alone moves more than that between market
    regimes.
    """

    columns: list[str] = pydantic.Field(default_factory=list, description="Features; all when empty.")
    ignore: list[str] = pydantic.Field(["target"], description="Numeric columns that are no features.")
    train_share: float = pydantic.Field(
        0.8, gt=0, lt=1, description="Share of the time span the model learns from."
    )
    bins: int = pydantic.Field(10, ge=2, description="Bins of equal shares of the training window.")
    max_psi: float = pydantic.Field(0.25, gt=0, description="Largest population stability index.")
    min_rows: int = pydantic.Field(100, ge=10, description="Rows each part needs to be compared.")

    sentence: ClassVar[str] = (
        "The population stability index of each feature's newest rows against the first {train_share} of the "
        "time is at most {max_psi}."
    )
    walker: ClassVar[type[Walker]] = DriftWalker


def population_stability(old: NDArray[np.float64], new: NDArray[np.float64], bins: int) -> float:
    """Return the population stability index of `new` against `old`."""
    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, part, side="right"), minlength=len(edges) + 1) / len(part)
        for part in (old, new)
    ]
    before, now = (np.maximum(share, _EMPTY_BIN) for share in shares)
    return float(np.sum((now - before) * np.log(now / before)))


def feature_columns(panel: Panel, ignore: list[str]) -> list[str]:
    """Return the numeric columns that are features."""
    return [
        str(name) for name in panel.frame.columns if name not in ignore and panel.raw(str(name)) is not None
    ]
