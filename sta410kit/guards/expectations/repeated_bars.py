"""Bars, volumes and closes that appear twice: those of the session before, and stretches from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from sta410kit.guards.evidence import Evidence, at_panel_rows, in_words, with_times
from sta410kit.guards.expectations.base import BlockExpectation
from sta410kit.guards.robust import (
    median_of_lines,
    other_runs,
    per_symbol,
    quantile_of_lines,
    run_lengths,
    trailing_zeros,
)
from sta410kit.guards.suites import BAR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

    Rows = NDArray[np.int64]
    Compare = Callable[[Panel, Rows, Rows], tuple[NDArray[np.bool_], NDArray[np.float64]]]

_ROUNDING = 1e-9  # differences of prices that are none
_FULL = 1 << 21  # rows up to which every bar is remembered; above it a sample drawn by their content
_VOLUMES = 1 << 18  # rows up to which volumes are remembered too; above it they cost a fifth of the gate
_REACH = 15
_SAME = 1e-9
_TICKS = (0.0001, 0.001, 0.01)  # what prices are rounded to, the coarsest last
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


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
    narrow_repeats: NonNegativeInt = 0  # repeats of a close in bars below `narrow` that are no finding
    min_price: NonNegativeFloat = 5.0  # below it a cent is too coarse to tell
    min_volume: NonNegativeFloat = 2000.0  # below it volumes repeat by chance

    needs: ClassVar[tuple[str, ...]] = (*BAR, "volume")
    sentence: ClassVar[str] = (
        "No bar repeats the one before it, volume included; the four prices repeat at most {same_prices} "
        "times with another volume (once where that is rare, never in a bar of {wide} price steps), a volume "
        "at most {same_volume} times and a close at most {same_close} times; and no session of a symbol that "
        "trades every day is filled with the last close."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the repeats; the bar that is repeated is not among them."""
        same = {name: block.repeats(name) for name in (*BAR, "volume")}
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
        if self.narrow_repeats:  # minutes with hardly a trade
            few = np.flatnonzero(
                bad & same["close"] & (run_lengths(same["close"], block.first) <= self.narrow_repeats)
            )
            bad[np.setdiff1d(few, self._wide(block, few, self.narrow))] = False
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


class _Prints(NamedTuple):
    """Fingerprints of some rows, and which rows they are."""

    prints: NDArray[np.uint64]
    rows: NDArray[np.int64]


class ExpectNoPastedBars(BlockExpectation):
    """Expect no stretch of bars to appear twice, in one symbol or in two.

    A fingerprint of a bar and the move before it is made of ratios, so that a stretch multiplied to fit is
    recognised; volumes remain when prices are multiplied and rounded.
    """

    bits: PositiveFloat = 22.0  # how much less likely than chance: 2 to this power
    min_volume: PositiveFloat = 1000.0  # below it two volumes are alike by chance
    looked_at: PositiveInt = 20_000  # pairs of equal fingerprints that are compared

    needs: ClassVar[tuple[str, ...]] = BAR
    sentence: ClassVar[str] = (
        "No stretch of bars, or of their volumes, repeats another one, of the same symbol or of another, "
        "where chance would do so less often than once in 2 to the power of {bits}."
    )

    def scan(self, block: Block) -> tuple[_Prints, _Prints]:
        """Return the fingerprints of the bars of a block, and of every two volumes in a row."""
        low, opened, close = (block.column(name) for name in ("low", "open", "close"))
        moved = np.ones(block.rows)
        moved[1:] = close[1:] / close[:-1]
        moved[block.first] = 1.0
        ratios = (block.column("high") / low, close / opened, opened / low, moved)
        bar = _fingerprint([np.nan_to_num(ratio) * 1e9 for ratio in ratios])
        usable = (np.abs(moved - 1) > _SAME) & (bar != 0)  # an unchanged close tells nothing
        every = np.uint64(1 + block.panel.rows // _FULL)
        if every > 1:
            usable &= (bar >> np.uint64(17)) % every == 0
        rows = np.flatnonzero(usable)
        bars = _Prints(bar[rows], rows + block.offset)
        if block.panel.rows > _VOLUMES or block.panel.raw("volume") is None:
            return bars, _Prints(bar[:0], rows[:0])
        volume = np.nan_to_num(block.column("volume"))
        before = np.zeros(block.rows)
        before[1:] = volume[:-1]
        before[block.first] = 0
        rows = np.flatnonzero((np.minimum(volume, before) >= self.min_volume) & (volume != before))
        return bars, _Prints(_fingerprint((volume[rows], before[rows])), rows + block.offset)

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return both copies of every stretch that chance does not explain."""
        one, other = self._pairs([bars for bars, _ in parts])
        rows, notes = self._judge(panel, one, other, _compare_bars)
        one, other = self._pairs([volumes for _, volumes in parts])
        # Two indices of one exchange may have its volume, session by session.
        apart = panel.days[one] != panel.days[other]
        more, words = self._judge(panel, one[apart], other[apart], _compare_volumes)
        return at_panel_rows(panel, np.concatenate([rows, more]), [*notes, *words])

    def _pairs(self, parts: list[_Prints]) -> tuple[Rows, Rows]:
        """Return the rows of both of every two fingerprints that are the same."""
        every = np.concatenate([part.prints for part in parts])
        ordered = np.sort(every)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(twice):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        where = np.concatenate([part.rows for part in parts])
        hits = np.flatnonzero(np.isin(every, twice))
        hits = hits[np.argsort(every[hits], kind="stable")]
        pairs = every[hits][1:] == every[hits][:-1]
        one, other = where[hits[:-1]][pairs], where[hits[1:]][pairs]
        apart = other - one > 1  # the bar just before is a stale bar, which has its own expectation
        return one[apart][: self.looked_at], other[apart][: self.looked_at]

    def _judge(self, panel: Panel, one: Rows, other: Rows, compare: Compare) -> tuple[Rows, list[str]]:
        """Keep the stretches that hold more bits than a coincidence among all pairs of rows could."""
        if not len(one):
            return one, []
        offsets = np.arange(-_REACH, _REACH + 1)
        here, there = one[:, None] + offsets, other[:, None] + offsets
        same, bits = compare(panel, *(np.clip(rows, 0, panel.rows - 1) for rows in (here, there)))
        for places, start in ((here, one), (there, other)):
            number = panel.symbol_of(start)
            same &= (places >= panel.bounds[number][:, None]) & (places < panel.bounds[number + 1][:, None])
        # Only what is connected with the middle counts.
        left = np.logical_and.accumulate(same[:, _REACH::-1], axis=1)[:, ::-1]
        right = np.logical_and.accumulate(same[:, _REACH:], axis=1)
        together = np.concatenate([left, right[:, 1:]], axis=1)
        weight = np.where(together, bits, 0).sum(axis=1)
        enough = weight >= 2 * np.log2(max(panel.rows, 2)) + self.bits
        notes = [
            f"the bars of {_name(panel, p)} are those of {_name(panel, q)}"
            for p, q in zip(one[enough][:3], other[enough][:3], strict=True)
        ]
        return np.concatenate([here[enough][together[enough]], there[enough][together[enough]]]), notes


def _fingerprint(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.uint64]:
    """Return a number for each row that depends on all its values, rounded to whole numbers."""
    mixed = np.zeros(len(columns[0]), np.uint64)
    for values, factor in zip(columns, _MIX, strict=False):
        mixed += np.rint(values).astype(np.int64).view(np.uint64) * factor
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _compare_volumes(panel: Panel, here: Rows, there: Rows) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return where two volumes are the same, and how many bits that tells: none where they always are."""
    one, other = (panel.values("volume", rows) for rows in (here, there))
    before = one[:, [0, *range(one.shape[1] - 1)]]
    bits = np.log2(np.maximum(one / 10.0 ** np.nan_to_num(trailing_zeros(one)), 1))
    return one == other, np.where((one != before) & (one > 0), bits, 0.0)


def _compare_bars(panel: Panel, here: Rows, there: Rows) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return where two bars have the same shape, and how many bits that tells."""
    shape = {name: [panel.values(name, rows) for rows in (here, there)] for name in ExpectNoPastedBars.needs}
    same = np.ones(here.shape, bool)
    for top, bottom in (("high", "low"), ("close", "open"), ("open", "low")):
        ratios = [shape[top][side] / shape[bottom][side] for side in (0, 1)]
        same &= np.abs(ratios[0] - ratios[1]) <= _SAME * ratios[0]
    close, span = shape["close"][1], shape["high"][1] - shape["low"][1]
    before = close[:, [0, *range(close.shape[1] - 1)]]
    ticks = 1e6 * span / close
    for tick in _TICKS:
        ticks = np.where(np.abs(close / tick - np.rint(close / tick)) < 1e-5, span / tick, ticks)  # noqa: PLR2004
    ticks = np.minimum(ticks, span / _grid(np.concatenate([each[1] for each in shape.values()], axis=1)))
    bits = np.log2(1 + np.maximum(np.nan_to_num(ticks), 0))
    spans = shape["high"][1] / shape["low"][1]
    # A bar whose range is always the same share of its price, as made-up data have it, tells one number.
    varied = np.abs(spans - spans[:, [1, *range(close.shape[1] - 1)]]) > _SAME
    return same, np.where(np.abs(close / before - 1) > _SAME, bits * np.where(varied, 2.5, 1.0), 0.0)


def _grid(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the usual small step between the different prices of each line, as a column.

    Old prices were quoted in eighths of a dollar; divided by many splits they look finer than they are.
    """
    steps = np.diff(np.sort(prices, axis=1), axis=1)
    steps = np.where(steps > _SAME * prices[:, :1], steps, np.nan)
    return quantile_of_lines(steps, 0.1)[:, None]


def _name(panel: Panel, row: int) -> str:
    bar = with_times(at_panel_rows(panel, np.array([row])), panel)
    return f"{bar.symbols[0]} up to {in_words(bar.days[0], bar.unit)}"
