"""Features that repeat each other, stand still, have holes, or no longer look as they did in training."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field, PositiveFloat

from sta410kit.guards.evidence import Evidence, at_panel_rows
from sta410kit.guards.expectations.base import BlockExpectation, Expectation, Share
from sta410kit.guards.robust import run_lengths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

_EMPTY_BIN = 1e-4  # share an empty bin counts as, so that its logarithm exists
_FEWEST = 3  # rows that can be correlated


class ExpectFeaturesNotCollinear(Expectation):
    """Expect no two features that are almost the same."""

    max_correlation: Share = 0.999  # largest absolute correlation
    max_with_target: Share = (
        0.95  # the same with the target, where it is not ignored: a feature that knows it
    )
    target: str = "target"  # the column that is predicted
    ignore: list[str] = ["target"]  # numeric columns that are no features
    rows: int = Field(50_000, ge=10)  # rows that are used, evenly spread

    sentence: ClassVar[str] = (
        "No two features correlate by more than {max_correlation} in absolute value, and none with {target} "
        "by more than {max_with_target}."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the pairs as notes."""
        every = max(1, len(panel.frame) // self.rows)
        columns = {name: panel.floats(name)[::every] for name in _feature_columns(panel, self.ignore)}
        table = np.array(list(columns.values())).reshape(len(columns), -1)
        table = table[:, np.isfinite(table).all(axis=0)]
        if table.shape[1] < _FEWEST:
            return Evidence()
        varies = table.std(axis=1) > 0
        names = [name for name, there in zip(columns, varies, strict=True) if there]
        matrix = np.atleast_2d(np.corrcoef(table[varies])) if len(names) > 1 else np.zeros((1, 1))
        return Evidence(
            notes=tuple(
                f"{names[i]} and {names[j]} correlate at {matrix[i, j]:.4f}"
                for i, j in combinations(range(len(names)), 2)
                if abs(matrix[i, j])
                > (self.max_with_target if self.target in {names[i], names[j]} else self.max_correlation)
            )
        )


class ExpectFeaturesToVary(Expectation):
    """Expect no feature to have one value only, in all rows or in those of one symbol among others."""

    columns: list[str] = []  # features; all when empty
    ignore: list[str] = ["target"]  # numeric columns that are no features
    min_rows: int = Field(60, ge=2)  # values a symbol needs to be judged

    sentence: ClassVar[str] = (
        "No feature has a single value in {min_rows} rows and more, everywhere or in a symbol while it "
        "varies in others."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return which features are constant, as notes."""
        notes = []
        for name, values in _chosen(panel, self.columns, self.ignore):
            ordered = values[panel.position(np.arange(panel.rows))]
            parts = [part[np.isfinite(part)] for part in np.split(ordered, panel.bounds[1:-1])]
            judged = {number: part for number, part in enumerate(parts) if len(part) >= self.min_rows}
            still = [panel.symbols[number] for number, part in judged.items() if part.min() == part.max()]
            # What belongs to a symbol, as its sector does, is constant in each and differs between them.
            if len(judged) > len(still) > 0:
                notes.append(f"{name} has one value in all rows of {', '.join(still[:5])}")
            elif still and len({float(part[0]) for part in judged.values()}) == 1:
                notes.append(f"{name} has one value in all rows")
        return Evidence(notes=tuple(notes))


class ExpectFeaturesNotFrozen(BlockExpectation):
    """Expect a feature that hardly ever repeats itself not to do so for many sessions in a row.

    A source that stopped, or a warm-up filled with zeros, leaves such a stretch. Calendars, flags and what is
    reported once a quarter repeat themselves all the time, and are not judged.
    """

    sessions: int = Field(8, ge=2)  # sessions in a row with one value that are too many
    rare: float = Field(0.01, ge=0, le=1)  # share of a symbol's rows that repeat otherwise, at most
    ignore: list[str] = []  # numeric columns that are not judged

    sentence: ClassVar[str] = (
        "No feature has one value for {sessions} sessions of a symbol in a row where it hardly ever repeats "
        "itself (at most in a share of {rare} of the others)."
    )

    def scan(self, block: Block) -> list[tuple[NDArray[np.int64], str]]:
        """Compare the longest run of each symbol with how often its feature repeats otherwise."""
        sizes, found = np.diff(block.bounds), []
        for name in _feature_columns(block.panel, self.ignore):
            same = block.repeats(name)
            runs = run_lengths(same, block.first)
            longest = np.maximum.reduceat(runs, block.first)
            others = np.add.reduceat(same.astype(np.int64), block.first) - longest
            for number in np.flatnonzero((longest + 1 >= self.sessions) & (others <= self.rare * sizes)):
                begin, end = block.bounds[number : number + 2]
                rows = np.flatnonzero(runs[begin:end] == longest[number]) + begin + block.offset
                words = f"one value {longest[number] + 1} sessions in a row"
                found.append((rows, f"{name} of {block.symbols[number]} has {words}"))
        return found

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return the rows that repeat the one before."""
        found = [one for part in parts for one in part]
        rows = np.concatenate([*(rows for rows, _ in found), np.empty(0, np.int64)])
        return at_panel_rows(panel, rows, [note for _, note in found])


class ExpectMissingOnlyInWarmUp(BlockExpectation):
    """Expect a feature that has begun to have a value in every later session, but where prices have a gap.

    A feature begins anew after a gap of its prices, and lacks as many values there as in its first sessions.
    """

    ignore: list[str] = ["target"]  # columns that may end before the others
    gaps: dict[str, list[str]] = {}  # sessions without prices, by symbol; the gate fills them in

    sentence: ClassVar[str] = (
        "A feature is missing only in the first sessions of a symbol, and as many after a gap of its prices "
        "(not checked in {ignore})."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the rows with a value missing where neither the beginning nor a gap explains it."""
        row, bad = np.arange(block.rows), np.zeros(block.rows, bool)
        begins = np.zeros(block.rows, np.int64)
        begins[block.first] = block.first
        for number, span in block.spans_of_symbols():
            days = np.array(self.gaps.get(block.symbols[number], []), "M8[D]").astype(np.int32)
            gaps = row[span][np.isin(block.days[span], days)]
            begins[gaps] = gaps + 1
        since = row - np.maximum.accumulate(begins)
        for name in _feature_columns(block.panel, self.ignore):
            missing = np.isnan(block.column(name))
            if missing.any():
                warm_up = np.minimum.reduceat(np.where(missing, block.rows, since), block.first)
                bad |= missing & (since >= np.repeat(warm_up, np.diff(block.bounds)))
        return np.flatnonzero(bad)


class ExpectFeaturesNotDrifted(Expectation):
    """Expect the newest features to be distributed as those the model is trained on.

    The population stability index is the sum over bins of ``(new - old) * log(new / old)`` of the shares,
    with bins that hold equal shares of the training window (Siddiqi, *Credit Risk Scorecards*, 2006). By
    custom, 0.1 is a small change and 0.25 a large one; volatility alone moves more than that between market
    regimes.
    """

    columns: list[str] = []  # features; all when empty
    ignore: list[str] = ["target"]  # numeric columns that are no features
    train_share: float = Field(0.8, gt=0, lt=1)  # share of the time span the model learns from
    bins: int = Field(10, ge=2)  # bins of equal shares of the training window
    max_psi: PositiveFloat = 0.25  # largest population stability index
    min_rows: int = Field(100, ge=10)  # rows each part needs to be compared

    sentence: ClassVar[str] = (
        "The population stability index of each feature's newest rows against the first {train_share} of the "
        "time is at most {max_psi}."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the features whose distribution moved, as notes."""
        return Evidence(
            notes=tuple(
                f"{name} has a population stability index of {index:.2f}"
                for name, _, _, index in self.drifted(panel)
            )
        )

    def drifted(self, panel: Panel) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64], float]]:
        """Yield each feature that drifted: its values in the training window, the newest ones, the index."""
        cut = np.quantile(panel.days, self.train_share)
        old, new = (panel.position(np.flatnonzero(part)) for part in (panel.days <= cut, panel.days > cut))
        for name, values in _chosen(panel, self.columns, self.ignore):
            parts = [part[np.isfinite(part)] for part in (values[old], values[new])]
            if min(map(len, parts)) >= self.min_rows:
                index = population_stability(parts[0], parts[1], self.bins)
                if index > self.max_psi:
                    yield name, parts[0], parts[1], index


def population_stability(old: NDArray[np.float64], new: NDArray[np.float64], bins: int) -> float:
    """Return the population stability index of `new` against `old`."""
    edges = np.unique(np.quantile(old, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, part, side="right"), minlength=len(edges) + 1) / len(part)
        for part in (old, new)
    ]
    before, now = (np.maximum(share, _EMPTY_BIN) for share in shares)
    return float(np.sum((now - before) * np.log(now / before)))


def _feature_columns(panel: Panel, ignore: list[str]) -> list[str]:
    """Return the columns of numbers, without some."""
    return [name for name in panel.frame.columns if name not in ignore and panel.raw(name) is not None]


def _chosen(panel: Panel, columns: list[str], ignore: list[str]) -> list[tuple[str, NDArray[np.float64]]]:
    """Return the features that are judged with their values, in the frame's order."""
    names = [name for name in columns if panel.raw(name) is not None] or (
        [] if columns else _feature_columns(panel, ignore)
    )
    return [(name, panel.floats(name)) for name in names]
