"""Bars that a source repeated instead of fetching new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import FrameExpectation
from sta410kit.guards.robust import median_of_lines, run_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.panel import Block

_BAR = ("open", "high", "low", "close")
_ROUNDING = 1e-9  # differences of prices that are none


class ExpectNoStaleBars(FrameExpectation):
    """Expect no bar, volume or close that repeats the session before it more often than chance does."""

    same_prices: int = pydantic.Field(2, ge=0, description="Repeats of all four prices with another volume.")
    rare: float = pydantic.Field(
        0.001, ge=0, le=1, description="Share of such repeats up to which two in a row are too many already."
    )
    wide: float = pydantic.Field(
        60.0, gt=0, description="Steps of the price in a bar that no chance repeats even once."
    )
    idle: float = pydantic.Field(
        0.002, ge=0, description="Share of sessions without a trade that makes them none of the symbol's."
    )
    traded: float = pydantic.Field(
        0.2, gt=0, description="Share of the usual volume that is trade, whatever the prices say."
    )
    always_traded: float = pydantic.Field(
        100_000.0,
        gt=0,
        description="Usual volume from which on a session without any is none of the symbol's.",
    )
    same_volume: int = pydantic.Field(
        1, ge=0, description="Repeats of a volume, where volumes differ otherwise."
    )
    same_close: int = pydantic.Field(
        5, ge=0, description="Repeats of a close, where closes differ otherwise."
    )
    usual: float = pydantic.Field(0.05, ge=0, le=1, description="Share of repeats that makes them ordinary.")
    always: float = pydantic.Field(0.5, ge=0, le=1, description="Share of repeated rows that does, too.")
    min_price: float = pydantic.Field(5.0, ge=0, description="Below it a cent is too coarse to tell.")
    min_volume: float = pydantic.Field(2000.0, ge=0, description="Below it volumes repeat by chance.")

    needs: ClassVar[tuple[str, ...]] = (*_BAR, "volume")
    sentence: ClassVar[str] = (
        "No bar repeats the one before it, volume included; the four prices repeat at most {same_prices} "
        "times with another volume (once where that is rare, never in a bar of {wide} price steps), a volume "
        "at most {same_volume} times and a close at most {same_close} times; and no session of a symbol that "
        "trades every day is filled with the last close."
    )

    def scan(self, block: Block) -> NDArray[np.int64]:
        """Return the repeats; the bar that is repeated is not among them."""
        same = {name: self._same(block, name) for name in (*_BAR, "volume")}
        bar = same["open"] & same["high"] & same["low"] & same["close"]
        volume = same["volume"] & (block.column("volume") >= self.min_volume)
        close = same["close"] & (block.column("close") >= self.min_price)
        moved = block.column("high") > block.column("low")
        dear = block.column("close") >= self.min_price
        whole = bar & same["volume"] & (block.column("volume") > 0) & (moved | dear)
        whole &= ~self._usual(block, same["volume"]) | (moved & dear)
        repeated = bar & dear & moved
        bad = whole | (run_lengths(repeated, block.first) > self._allowed(block, repeated))
        bad |= self._wide(block, repeated)
        bad |= (run_lengths(volume, block.first) > self.same_volume) & ~self._usual(block, same["volume"])
        bad |= (run_lengths(close, block.first) > self.same_close) & ~self._usual(block, same["close"])
        flat = same["close"] & dear & ~moved  # a bar without a range, at yesterday's close: nobody traded
        bad |= (run_lengths(flat, block.first) > 1) & ~self._usual(block, flat)
        bad |= self._filled(block, flat)
        return np.flatnonzero(bad)

    def _wide(self, block: Block, repeated: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which repeated bars span so many steps of their price that chance does not repeat them."""
        bad = np.zeros(block.rows, bool)
        rows = np.flatnonzero(repeated)
        spans = block.column("high")[rows] - block.column("low")[rows]
        symbols = block.symbol_of(rows)
        for number in np.unique(symbols):
            closes = block.column("close")[block.bounds[number] : block.bounds[number + 1]]
            moves = np.abs(np.diff(closes))
            step = np.min(moves, initial=np.inf, where=moves > _ROUNDING)
            mine = symbols == number
            bad[rows[mine]] = spans[mine] >= self.wide * step
        return bad

    def _filled(self, block: Block, flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which bars without a range, at the last close, belong to a symbol that has no such sessions.

        One of its kind in a short series counts only if its volume says that there was trade, or if it has
        none where much is traded otherwise.
        """
        bad = np.zeros(block.rows, bool)
        rows = np.flatnonzero(flat)
        if not len(rows):
            return bad
        volume = block.column("volume")
        usual = median_of_lines(block.around(volume, rows, (-12, 12), (0, 0)))
        busy = (volume[rows] >= self.traded * usual) & (usual >= self.min_volume)
        busy |= (volume[rows] == 0) & (usual >= self.always_traded)
        count = np.bincount(block.symbol_of(rows))[block.symbol_of(rows)]
        bad[rows] = (count <= self.idle * block.length_at(rows)) | ((count == 1) & busy)
        return bad

    @staticmethod
    def _same(block: Block, name: str) -> NDArray[np.bool_]:
        values = block.column(name)
        same = np.zeros(block.rows, bool)
        np.equal(values[1:], values[:-1], out=same[1:])
        same[block.first] = False
        return same

    def _allowed(self, block: Block, repeats: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return for each row how often its bar may be repeated, by how rare that is for its symbol.

        In quiet and cheap shares a bar repeats by chance, and then does so twice; where hardly another bar
        is repeated it does not. One run does not make itself ordinary.
        """
        others = np.add.reduceat(self._begins(repeats).astype(np.int64), block.first) - 1
        sizes = np.diff(block.bounds)
        return np.repeat(
            np.where(others <= self.rare * sizes, min(1, self.same_prices), self.same_prices), sizes
        )

    @staticmethod
    def _begins(repeats: NDArray[np.bool_]) -> NDArray[np.bool_]:
        begins = repeats.copy()
        begins[1:] &= ~repeats[:-1]
        return begins

    def _usual(self, block: Block, repeats: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which rows belong to a symbol that repeats itself all the time, by nature of its data.

        Runs are counted once, so that a long stale stretch does not make itself ordinary.
        """
        sizes = np.diff(block.bounds)
        often, rows = (
            np.add.reduceat(flags.astype(np.int64), block.first) / sizes
            for flags in (self._begins(repeats), repeats)
        )
        return np.repeat((often > self.usual) | (rows > self.always), sizes)
