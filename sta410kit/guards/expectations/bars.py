"""Bars that cannot be: prices that leave and are back, extreme ends, swapped and repeated prices."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat

from sta410kit.guards.evidence import Evidence, at_panel_rows
from sta410kit.guards.expectations.base import BlockExpectation, Share
from sta410kit.guards.robust import (
    local_sigma,
    median_of_lines,
    per_symbol,
    shared_by_others,
    stretches,
    tail_chance,
)
from sta410kit.guards.suites import BAR, PRICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.block import Block
    from sta410kit.guards.panel import Panel

_ROUNDING = 1e-9  # differences of prices that are none
_CANCEL = 0.35  # share of pairs of large moves that have opposite signs and cancel
_DISORDER = 0.08  # log distance of a high or a low that is seldom seen in many symbols on one day
_HABIT = 0.2  # share of the largest moves taken back from which on a symbol always does so
_DOUBT = 10  # moves that are not taken back, as which a short series counts
_FEW = 100_000  # rows as many as which a smaller frame counts


class ExpectNoRevertingSpikes(BlockExpectation):
    """Expect no close or bar that the next session takes back, and no open that its own session does.

    Two moves that cancel are a finding when both exceed multiples of the usual move, and when `chance` says
    that moves of their sizes, by the tails of the symbol's own moves, would not meet in so many rows. A day
    with more volume may move by more; what many symbols do on one session is the market.

    False alarms per symbol and decade: 0.002 with Student-t(3) or (4) shocks; findings on real US dailies,
    faults among them: 0.03 above 100 M dollars a day, 0.05 above 10 M, 0.2 above 1 M.
    """

    min_move: PositiveFloat = 0.08  # log move from which on `sigmas` are enough
    small_move: PositiveFloat = 0.03  # smallest log move, at twice the `sigmas`
    sigmas: PositiveFloat = 6.5  # usual daily moves that both moves exceed
    gap_sigmas: PositiveFloat = 5.0  # usual overnight moves that both gaps exceed
    undone_sigmas: PositiveFloat = 3.5  # usual daily moves of a close that the next open takes back entirely
    undone_gap_sigmas: PositiveFloat = 5.0  # usual overnight moves that such a gap exceeds
    open_sigmas: PositiveFloat = 6.5  # usual moves of an open, overnight and within its session
    quiet_span: PositiveFloat = 1.5  # usual ranges a bar that only gapped stays within
    back: PositiveFloat = 0.35  # share of the move that may remain of it
    coarse: NonNegativeFloat = 0.012  # move of a price that its smallest step explains
    chance: PositiveFloat = 0.05  # such pairs that chance is expected to bring about in the whole frame
    market: Share = 0.1  # share of the other symbols, and at least three, that makes it an event
    min_history: int = Field(15, ge=3)  # rows a symbol needs to be judged

    needs: ClassVar[tuple[str, ...]] = (*PRICES, "volume")
    shows: ClassVar[tuple[str, ...]] = ("open", "close", "adj_close", "volume")
    sentence: ClassVar[str] = (
        "No close moves by more than {sigmas} times the usual daily move (and {min_move} in logs) and is "
        "back the next session, or by more than {undone_sigmas} and is back at the next open; no open by "
        "more than {open_sigmas} that its own session takes back; and no bar of ordinary range is "
        "{gap_sigmas} usual overnight moves apart from both its neighbours; but where a share of {market} of "
        "the other symbols does the same."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the bars that differ from both neighbours."""
        raw, net = block.returns, block.returns + block.factor_steps
        opened = block.gaps + block.factor_steps
        gaps = self._apart(block, opened, self.gap_sigmas)
        usual = median_of_lines(block.around(block.spans, gaps, (-12, 12), (0, 0)))
        gaps = gaps[block.spans[gaps] <= self.quiet_span * usual]
        found = [
            self._unlikely(block, gaps, opened, opened),
            *(self._unlikely(block, self._apart(block, one, self.sigmas), one, one) for one in (raw, net)),
            self._unlikely(block, self._undone(block, net, opened), net, opened),
            self._misread_open(block, opened),
        ]
        return np.unique(np.concatenate(found))

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return the bars that differ from their neighbours, those of the whole market left out."""
        rows = np.concatenate([*parts, np.empty(0, np.int64)])
        return at_panel_rows(
            panel, rows[~shared_by_others(panel, rows, _reversal, self.small_move, self.market)]
        )

    def _apart(self, block: Block, moves: NDArray[np.float64], sigmas: float) -> NDArray[np.int64]:
        """Return the rows whose move is taken back by the next one."""
        rows, size = self._taken_back(block, moves, moves)
        enough = np.where(size >= self.min_move, sigmas, 2 * sigmas)
        return rows[size >= enough * self._usual(block, moves, rows)]

    def _undone(
        self, block: Block, moves: NDArray[np.float64], opened: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return the rows whose close the next open takes back: prices seldom move so far overnight."""
        rows, size = self._taken_back(block, moves, opened)
        back = np.abs(opened[rows + 1])
        return rows[
            (size >= self.undone_sigmas * self._usual(block, moves, rows))
            & (back >= self.undone_gap_sigmas * self._usual(block, opened, rows))
        ]

    def _misread_open(self, block: Block, opened: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the rows whose open is far from the close before and from its own close alike."""
        within = block.log("close") - block.log("open")
        rows, size = self._reversed(block, opened, within, self.min_move)
        usual = np.maximum(*(self._usual(block, moves, rows) for moves in (opened, within)))
        return self._unlikely(block, rows[size >= self.open_sigmas * usual], opened, within, after=0)

    def _unlikely(
        self,
        block: Block,
        rows: NDArray[np.int64],
        here: NDArray[np.float64],
        then: NDArray[np.float64],
        after: int = 1,
    ) -> NDArray[np.int64]:
        """Return the rows where two moves cancel that chance would not bring together in such a frame."""
        if not len(rows):
            return rows
        first, second = self._tail(block, here, rows), self._tail(block, then, rows + after)

        def habit(span: slice) -> float:
            one, two = here[span][: len(here[span]) - after], then[span][after:]
            large = np.abs(one) >= np.nanquantile(np.abs(one), 0.95)
            back = np.abs(one + two) <= self.back * np.minimum(np.abs(one), np.abs(two))
            return float((large & back).sum() / (large.sum() + _DOUBT))

        # Where opens do not follow the close before, the session takes each of them back.
        both = first * np.where(per_symbol(block, rows, habit) >= _HABIT, 1.0, second)
        return rows[both * _CANCEL * max(block.panel.rows, _FEW) <= self.chance]

    def _tail(self, block: Block, moves: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how often the symbol of each row moves by so much, in usual moves at such a volume."""

        def score(rows: NDArray[np.int64]) -> NDArray[np.float64]:
            busy = block.log("volume")[rows] - median_of_lines(
                block.around(block.log("volume"), rows, (-12, 12), (0, 0))
            )
            usual = self._usual(block, moves, rows) * np.exp(np.fmax(busy, 0) / 2)
            return np.abs(moves[rows]) / usual

        return tail_chance(block, rows, score)

    def _taken_back(
        self, block: Block, moves: NDArray[np.float64], next_moves: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the rows whose move the next one reverses, and the smaller of the two moves."""
        return self._reversed(block, moves[:-1], next_moves[1:], self.small_move)

    def _reversed(
        self, block: Block, here: NDArray[np.float64], then: NDArray[np.float64], least: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return where two moves cancel, and the smaller of them."""
        smaller = np.minimum(np.abs(here), np.abs(then))
        rows = np.flatnonzero(
            (smaller >= least) & (np.abs(here + then) <= self.back * smaller) & (here * then < 0)
        )
        rows = block.with_history(rows, self.min_history)
        return rows, smaller[rows]

    def _usual(
        self, block: Block, moves: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the usual move around each row, and no less than the smallest step of its price."""
        return np.maximum(local_sigma(block, moves, rows, (0, 1)), self.coarse / block.column("close")[rows])


def _reversal(panel: Panel, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how much close or open of each row leave both their neighbours, up or down."""
    number = panel.symbol_of(rows)
    before = np.maximum(rows - 1, panel.bounds[number])
    after = np.minimum(rows + 1, panel.bounds[number + 1] - 1)
    opened, closed = (np.log(panel.values(name, rows)) for name in ("open", "close"))
    last = np.log(panel.values("close", before))
    found = np.zeros(len(rows))
    for there, back in ((closed, np.log(panel.values("close", after))), (opened, closed)):
        out, home = there - last, there - back
        size = np.where(out * home > 0, np.sign(out) * np.minimum(np.abs(out), np.abs(home)), 0.0)
        found = np.where(np.abs(size) > np.abs(found), size, found)
    return found


class ExpectNoExtremeWicks(BlockExpectation):
    """Expect highs and lows near the rest of their bar, but on days of news and of a market in disorder.

    False alarms per symbol and decade: none in 1,200 with Student-t shocks; findings on real US dailies,
    faults among them: 0.01 above 10 M dollars a day, 0.03 above 1 M.
    """

    min_wick: PositiveFloat = 0.25  # smallest log distance that is considered
    spans: PositiveFloat = 8.0  # usual ranges that the distance exceeds
    large: PositiveFloat = (
        0.65  # log distance that no news explains, and the range of the whole symbol counts
    )
    impossible: PositiveFloat = 1.5  # log distance that no bar has
    coarse: NonNegativeFloat = 0.012  # range of a bar that the smallest step of its price explains
    news_volume: PositiveFloat = 2.0  # usual volumes that explain a distance below `large`
    events: list[date] = []  # days on which trades far from the price were made in many symbols
    market: Share = 0.1  # share of the other symbols, and at least three, that makes it such a day
    min_history: int = Field(15, ge=3)  # rows a symbol needs to be judged

    needs: ClassVar[tuple[str, ...]] = (*BAR, "volume")
    sentence: ClassVar[str] = (
        "No high or low is further than {min_wick} in logs, and than {spans} usual ranges, from open and "
        "close without news, which has {news_volume} times the usual volume; none is further than {large} "
        "but on {events} and where a share of {market} of the other symbols has the same, and none than "
        "{impossible}."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the bars with a high or a low far out."""
        opened, closed = block.log("open"), block.log("close")
        wick = np.maximum(
            block.log("high") - np.maximum(opened, closed), np.minimum(opened, closed) - block.log("low")
        )
        rows = block.with_history(np.flatnonzero(wick >= self.min_wick), self.min_history)
        events = np.array(self.events, "datetime64[D]").astype(np.int64)
        rows = rows[~np.isin(block.panel.dates(rows + block.offset), events)]
        usual = median_of_lines(block.around(block.spans, rows, (-12, 12), (0, 0)))
        # In a stretch of such bars they are the usual range nearby; that of the symbol is more reliable.
        whole = per_symbol(block, rows, lambda span: median_of_lines(block.spans[None, span])[0])
        usual = np.where(wick[rows] >= self.large, np.fmin(usual, whole), usual)
        usual = np.fmax(usual, self.coarse / block.column("close")[rows])
        traded = block.log("volume")
        busy = traded[rows] - median_of_lines(block.around(traded, rows, (-12, 12), (0, 0)))
        news = (busy >= np.log(self.news_volume)) & (wick[rows] < self.large)
        impossible = (wick[rows] >= self.impossible) & (usual < self.impossible)
        found: NDArray[np.int64] = rows[(wick[rows] >= self.spans * usual) & ~news | impossible]
        return found

    def conclude(self, panel: Panel, parts: list[Any]) -> Evidence:
        """Return the bars with a high or a low far out, those of the whole market left out."""
        rows = np.concatenate([*parts, np.empty(0, np.int64)])
        return at_panel_rows(panel, rows[~shared_by_others(panel, rows, _wick, _DISORDER, self.market)])


def _wick(panel: Panel, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far high or low are from open and close, the high above zero and the low below."""
    opened, high, low, closed = (np.log(panel.values(name, rows)) for name in BAR)
    up, down = high - np.maximum(opened, closed), np.minimum(opened, closed) - low
    return np.where(up >= down, up, -down)


class ExpectPricesWithinBar(BlockExpectation):
    """Expect no open or close beyond the high or the low of its bar by more than rounding explains.

    Some vendors take the open from another venue than the rest of the bar. The exact order is an expectation
    of its own, a warning in the suite.
    """

    ticks: NonNegativeFloat = 2.0  # price steps that a price may lie outside
    tick: PositiveFloat = 0.01  # the step
    relative: NonNegativeFloat = 0.001  # share of the price that it may, where that is more

    needs: ClassVar[tuple[str, ...]] = BAR
    sentence: ClassVar[str] = (
        "Open and close lie between low and high, or outside by no more than {ticks} steps of {tick} or a "
        "share of {relative} of the price."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the bars with a price outside."""
        opened, high, low, closed = (block.column(name) for name in BAR)
        beyond = np.fmax(np.fmax(opened, closed) - high, low - np.fmin(opened, closed))
        rows = np.flatnonzero(beyond > 0)
        allowed = np.maximum(self.ticks * self.tick, self.relative * closed[rows])
        found: NDArray[np.int64] = rows[beyond[rows] > allowed + _ROUNDING]
        return found


class ExpectOpenToFollowClose(BlockExpectation):
    """Expect opens near the close before them, and not closes near the open before: neither is swapped."""

    window: int = Field(63, ge=10)  # rows that are judged together
    ratio: float = Field(1.8, gt=1)  # how much nearer the wrong neighbour has to be
    min_history: int = Field(20, ge=3)  # rows a stretch needs to be judged

    needs: ClassVar[tuple[str, ...]] = ("open", "close")
    sentence: ClassVar[str] = (
        "Over {window} rows, opens are not {ratio} times further from the close before them than closes are "
        "from the open before."
    )

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Return the stretches in which open and close are swapped."""
        follow, cross = np.abs(block.gaps), np.empty(block.rows)
        cross[1:] = np.abs(block.log("close")[1:] - block.log("open")[:-1])
        cross[block.first] = np.nan
        unclear = ~(np.maximum(follow, cross) < 0.2)  # noqa: PLR2004 - a split, or nothing to compare
        follow, cross = np.where(unclear, 0, follow), np.where(unclear, 0, cross)
        windows = -(-np.diff(block.bounds) // self.window)
        begins = stretches(np.zeros_like(windows), windows) * self.window + np.repeat(block.first, windows)
        ends = np.append(begins[1:], block.rows)
        near, far = np.add.reduceat(cross, begins), np.add.reduceat(follow, begins)
        bad = (far > self.ratio * near) & (ends - begins >= self.min_history) & (near > 0)
        return stretches(begins[bad], ends[bad])
