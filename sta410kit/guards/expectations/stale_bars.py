"""Bars, volumes and closes that repeat the session before, which chance seldom does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from sta410kit.guards.expectations.base import BlockExpectation
from sta410kit.guards.robust import median_of_lines, other_runs, per_symbol, run_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block

_BAR = ("open", "high", "low", "close")
_ROUNDING = 1e-9  # differences of prices that are none


class ExpectNoStaleBars(BlockExpectation):
    """Expect no bar, volume or close that repeats the session before it more often than chance does.

    False alarms per symbol and decade: 0.001 with Student-t shocks; findings on real US dailies, most of them
    sessions that the vendor filled: 0.02 above 100 M dollars a day, 0.1 above 10 M, 0.8 above 1 M.
    """

    same_prices: NonNegativeInt = 2  # repeats of all four prices with another volume
    rare: float = Field(0.001, ge=0, le=1)  # share of such repeats up to which two in a row are too many
    narrow: PositiveFloat = 5.0  # price steps in a bar below which chance repeats it again and again
    wide: PositiveFloat = 60.0  # price steps in a bar that chance does not repeat even once
    idle: NonNegativeFloat = (
        0.002  # share of sessions without a trade up to which they are not the symbol's own
    )
    traded: PositiveFloat = 0.2  # share of the usual volume that proves a trade
    always_traded: PositiveFloat = 100_000.0  # usual volume from which on a session without any is an error
    same_volume: NonNegativeInt = 1  # repeats of a volume, where volumes differ otherwise
    same_close: NonNegativeInt = 5  # repeats of a close, where closes differ otherwise
    usual: float = Field(0.05, ge=0, le=1)  # share of runs of repeats that makes them ordinary
    always: float = Field(0.5, ge=0, le=1)  # share of repeated rows that does, too
    quiet_runs: PositiveInt = 5  # other runs of repeats within half a year that do so there
    min_price: NonNegativeFloat = 5.0  # below it a cent is too coarse to tell
    min_volume: NonNegativeFloat = 2000.0  # below it volumes repeat by chance

    needs: ClassVar[tuple[str, ...]] = (*_BAR, "volume")
    sentence: ClassVar[str] = (
        "No bar repeats the one before it, volume included; the four prices repeat at most {same_prices} "
        "times with another volume (once where that is rare, never in a bar of {wide} price steps), a volume "
        "at most {same_volume} times and a close at most {same_close} times; and no session of a symbol that "
        "trades every day is filled with the last close."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the repeats; the bar that is repeated is not among them."""
        same = {name: block.repeats(name) for name in (*_BAR, "volume")}
        bar = same["open"] & same["high"] & same["low"] & same["close"]
        volume = same["volume"] & (block.column("volume") >= self.min_volume)
        close = same["close"] & (block.column("close") >= self.min_price)
        moved = block.column("high") > block.column("low")
        dear = block.column("close") >= self.min_price
        often_same_volume = self._ordinary(block, same["volume"])
        whole = bar & same["volume"] & (block.column("volume") > 0) & (moved | dear)
        whole &= ~often_same_volume | (moved & dear)
        repeated = bar & dear & moved
        flat = same["close"] & dear & ~moved  # a bar without a range, at yesterday's close: no trade
        quiet = other_runs(block, flat) >= self.quiet_runs
        runs = np.flatnonzero(run_lengths(repeated, block.first) > self._allowed(block, repeated))
        bad = whole
        bad[self._wide(block, runs, self.narrow)] = True
        bad |= (run_lengths(volume, block.first) > self.same_volume) & ~often_same_volume
        bad |= (run_lengths(close, block.first) > self.same_close) & ~self._ordinary(block, same["close"])
        bad |= (run_lengths(flat, block.first) > 1) & ~self._ordinary(block, flat)
        bad[self._wide(block, np.flatnonzero(repeated), self.wide)] = True
        bad[self._filled(block, np.flatnonzero(flat & ~quiet))] = True
        return np.flatnonzero(bad)

    def _wide(self, block: Block, rows: NDArray[np.int64], steps: float) -> NDArray[np.int64]:
        """Return the bars of at least so many price steps."""

        def step(span: slice) -> float:
            moves = np.abs(np.diff(block.column("close")[span]))
            moves = moves[moves > _ROUNDING]
            # The third smallest, so that one wrong bar does not make the steps smaller.
            return float(np.partition(moves, 2)[2]) if len(moves) > 2 else np.inf  # noqa: PLR2004

        spans = block.column("high")[rows] - block.column("low")[rows]
        return rows[spans >= steps * per_symbol(block, rows, step) - _ROUNDING]

    def _filled(self, block: Block, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the bars without a range, at the last close, of a symbol that has few such sessions.

        A single one in a short series counts only if its volume proves a trade, or if it has
        none where much is traded otherwise.
        """
        if not len(rows):
            return rows
        volume = block.column("volume")
        usual = median_of_lines(block.around(volume, rows, (-12, 12), (0, 0)))
        busy = (volume[rows] >= self.traded * usual) & (usual >= self.min_volume)
        busy |= (volume[rows] == 0) & (usual >= self.always_traded)
        count = np.bincount(block.symbol_of(rows))[block.symbol_of(rows)]
        filled: NDArray[np.int64] = rows[(count <= self.idle * block.length_at(rows)) | ((count == 1) & busy)]
        return filled

    def _allowed(self, block: Block, repeats: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return for each row how often its bar may be repeated, by how rare that is for its symbol.

        In quiet and cheap shares a bar repeats by chance, even twice; where hardly another bar is repeated
        it does not. One run does not make itself ordinary.
        """
        others = np.add.reduceat(_begins(repeats).astype(np.int64), block.first) - 1
        sizes = np.diff(block.bounds)
        fewest = min(1, self.same_prices)
        return np.repeat(np.where(others <= self.rare * sizes, fewest, self.same_prices), sizes)

    def _ordinary(self, block: Block, repeats: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the rows where repeats are in the nature of the data, in the whole symbol or nearby.

        Runs are counted once, so that a long stale stretch does not make itself ordinary.
        """
        sizes = np.diff(block.bounds)
        often, rows = (
            np.add.reduceat(flags.astype(np.int64), block.first) / sizes
            for flags in (_begins(repeats), repeats)
        )
        always = np.repeat((often > self.usual) | (rows > self.always), sizes)
        return always | (other_runs(block, repeats) >= self.quiet_runs)


def _begins(repeats: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the first row of each run."""
    begins = repeats.copy()
    begins[1:] &= ~repeats[:-1]
    return begins
