"""Stretches of bars that stand twice in the frame: pasted from another symbol or another time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import Findings, FrameExpectation, Walker, of_rows
from sta410kit.guards.robust import quantile_of_lines, trailing_zeros

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block, Panel

    Compare = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.bool_], NDArray[np.float64]]]

_FULL = 1 << 21  # rows up to which every bar is remembered; above it a sample drawn by their content
_VOLUMES = (
    1 << 18
)  # rows up to which volumes are remembered too; above it they would cost a fifth of the gate
_REACH = 15
_TICKS = (0.0001, 0.001, 0.01)  # what prices are rounded to, the coarsest last
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


class PasteWalker(Walker):
    """Remembers a fingerprint of every bar and the move before it, and looks which come twice.

    A fingerprint is made of ratios, so that a stretch multiplied to fit is recognised.
    """

    expectation: ExpectNoPastedBars

    def __init__(self, expectation: ExpectNoPastedBars, panel: Panel) -> None:
        super().__init__(expectation, panel)
        self.prints: list[NDArray[np.uint64]] = []
        self.places: list[NDArray[np.int64]] = []
        self.traded: list[NDArray[np.uint64]] = []
        self.traded_places: list[NDArray[np.int64]] = []
        self.every = np.uint64(1 + panel.rows // _FULL)

    def visit(self, block: Block) -> None:
        """Remember the fingerprints of a block."""
        low, opened, close = (block.column(name) for name in ("low", "open", "close"))
        moved = np.ones(block.rows)
        moved[1:] = close[1:] / close[:-1]
        moved[block.first] = 1.0
        bar = np.zeros(block.rows, np.uint64)
        for number, ratio in enumerate((block.column("high") / low, close / opened, opened / low, moved)):
            bar += np.rint(np.nan_to_num(ratio) * 1e9).astype(np.int64).view(np.uint64) * _MIX[number]
            bar ^= bar >> np.uint64(29)
        usable = (np.abs(moved - 1) > 1e-9) & (bar != 0)  # noqa: PLR2004 - an unchanged close tells nothing
        if self.every > 1:
            usable &= (bar >> np.uint64(17)) % self.every == 0
        rows = np.flatnonzero(usable)
        self.prints.append(bar[rows])
        self.places.append(rows + block.offset)
        if self.panel.rows <= _VOLUMES and block.has("volume"):
            self._remember_volume(block)

    def _remember_volume(self, block: Block) -> None:
        """Remember every two volumes in a row, which stay when prices are multiplied and rounded."""
        volume = np.nan_to_num(block.column("volume"))
        before = np.zeros(block.rows)
        before[1:] = volume[:-1]
        before[block.first] = 0
        least = self.expectation.min_volume
        rows = np.flatnonzero((volume >= least) & (before >= least) & (volume != before))
        pair = np.zeros(len(rows), np.uint64)
        for number, values in enumerate((volume, before)):
            pair += np.rint(values[rows]).astype(np.int64).view(np.uint64) * _MIX[number]
            pair ^= pair >> np.uint64(29)
        self.traded.append(pair)
        self.traded_places.append(rows + block.offset)

    def findings(self) -> Findings:
        """Return both copies of every stretch that chance does not explain."""
        rows, notes = self._judge(*self._pairs(self.prints, self.places), self._compare)
        one, other = self._pairs(self.traded, self.traded_places)
        # Two indices of one exchange may bear its volume, session by session.
        apart = self.panel.days[one] != self.panel.days[other]
        more, words = self._judge(one[apart], other[apart], self._compare_volumes)
        return of_rows(self.panel, np.concatenate([rows, more]), [*notes, *words])

    def _pairs(
        self, prints: list[NDArray[np.uint64]], places: list[NDArray[np.int64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of both of every two fingerprints that are the same."""
        every = np.concatenate([*prints, np.empty(0, np.uint64)])
        ordered = np.sort(every)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(twice):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        where = np.concatenate(places)
        hits = np.flatnonzero(np.isin(every, twice))
        hits = hits[np.argsort(every[hits], kind="stable")]
        pairs = every[hits][1:] == every[hits][:-1]
        one, other = where[hits[:-1]][pairs], where[hits[1:]][pairs]
        apart = other - one > 1  # the bar just before it is a stale bar, which has its own expectation
        most = self.expectation.looked_at
        return one[apart][:most], other[apart][:most]

    def _judge(
        self, one: NDArray[np.int64], other: NDArray[np.int64], compare: Compare
    ) -> tuple[NDArray[np.int64], list[str]]:
        """Keep the stretches that hold more bits than a coincidence among all pairs of rows could."""
        if not len(one):
            return one, []
        offsets = np.arange(-_REACH, _REACH + 1)
        here, there = one[:, None] + offsets, other[:, None] + offsets
        same, bits = compare(np.clip(here, 0, self.panel.rows - 1), np.clip(there, 0, self.panel.rows - 1))
        for places, start in ((here, one), (there, other)):
            number = self.panel.symbol_of(start)
            same &= (places >= self.panel.bounds[number][:, None]) & (
                places < self.panel.bounds[number + 1][:, None]
            )
        # Only what hangs together with the middle counts.
        left = np.logical_and.accumulate(same[:, _REACH::-1], axis=1)[:, ::-1]
        right = np.logical_and.accumulate(same[:, _REACH:], axis=1)
        together = np.concatenate([left, right[:, 1:]], axis=1)
        weight = np.where(together, bits, 0).sum(axis=1)
        enough = weight >= 2 * np.log2(max(self.panel.rows, 2)) + self.expectation.bits
        notes = [self._note(p, q) for p, q in zip(one[enough][:3], other[enough][:3], strict=True)]
        return np.concatenate([here[enough][together[enough]], there[enough][together[enough]]]), notes

    def _compare_volumes(
        self, here: NDArray[np.int64], there: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return where two volumes are the same, and how many bits that tells: none where they always are."""
        raw = self.panel.raw("volume")
        one, other = (raw[self.panel.position(rows)].astype(float) for rows in (here, there))  # type: ignore[index]
        before = one[:, [0, *range(one.shape[1] - 1)]]
        told = np.log2(np.maximum(one / 10.0 ** np.nan_to_num(trailing_zeros(one)), 1))
        return one == other, np.where((one != before) & (one > 0), told, 0.0)

    def _compare(
        self, here: NDArray[np.int64], there: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return where two bars have the same shape, and how many bits that tells."""
        shape = {}
        for name in ("open", "high", "low", "close"):
            raw = self.panel.raw(name)
            shape[name] = [raw[self.panel.position(rows)].astype(float) for rows in (here, there)]  # type: ignore[index]
        same = np.ones(here.shape, bool)
        for top, bottom in (("high", "low"), ("close", "open"), ("open", "low")):
            ratios = [shape[top][side] / shape[bottom][side] for side in (0, 1)]
            same &= np.abs(ratios[0] - ratios[1]) <= 1e-9 * ratios[0]
        close, span = shape["close"][1], shape["high"][1] - shape["low"][1]
        before = shape["close"][1][:, [0, *range(close.shape[1] - 1)]]
        ticks = 1e6 * span / close
        for tick in _TICKS:
            ticks = np.where(np.abs(close / tick - np.rint(close / tick)) < 1e-5, span / tick, ticks)  # noqa: PLR2004
        ticks = np.minimum(ticks, span / _grid(np.concatenate([each[1] for each in shape.values()], axis=1)))
        told = np.log2(1 + np.maximum(np.nan_to_num(ticks), 0))
        spans = shape["high"][1] / shape["low"][1]
        # A bar whose range is always the same share of its price, as made-up data have it, tells one number.
        varied = np.abs(spans - spans[:, [1, *range(close.shape[1] - 1)]]) > 1e-9  # noqa: PLR2004
        return same, np.where(np.abs(close / before - 1) > 1e-9, told * np.where(varied, 2.5, 1.0), 0.0)  # noqa: PLR2004

    def _note(self, one: int, other: int) -> str:
        names = [self.panel.symbols[int(self.panel.symbol_of(np.array([row]))[0])] for row in (one, other)]
        days = [np.datetime64(int(self.panel.days[row]), "D") for row in (one, other)]
        return f"the bars of {names[0]} up to {days[0]} are those of {names[1]} up to {days[1]}"


def _grid(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the usual small step between the different prices of each line, as a column.

    Old prices were quoted in eighths of a dollar; divided by many splits they look finer than they are.
    """
    steps = np.diff(np.sort(prices, axis=1), axis=1)
    steps = np.where(steps > 1e-9 * prices[:, :1], steps, np.nan)
    return quantile_of_lines(steps, 0.1)[:, None]


class ExpectNoPastedBars(FrameExpectation):
    """Expect no stretch of bars to stand twice, in one symbol or in two."""

    bits: float = pydantic.Field(22.0, gt=0, description="How much less likely than chance: 2 to this power.")
    min_volume: float = pydantic.Field(1000.0, gt=0, description="Below it two volumes are alike by chance.")
    looked_at: int = pydantic.Field(
        20_000, ge=1, description="Pairs of equal fingerprints that are compared."
    )

    needs: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close")
    sentence: ClassVar[str] = (
        "No stretch of bars, or of their volumes, repeats another one, of the same symbol or of another, "
        "where chance would have it less often than once in 2 to the power of {bits}."
    )
    walker: ClassVar[type[Walker]] = PasteWalker
