"""What goes wrong with the prices of a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.corruptions.corruption import (
    BAR,
    PRICES,
    Catalogue,
    Draw,
    Frame,
    changed,
    coin,
    copied,
    require,
    rows_of,
    stretch,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

catalogue = Catalogue()
_BEGIN = 8  # rows of a symbol that stay as they are, so that a step has something before it
_VALUES = [*PRICES, "volume"]
_CHEAP = 5  # below it cents repeat by chance


@catalogue
def split_forgotten(frame: Frame, rng: Draw) -> Frame:
    """A split is neither in the prices before nor in adj_close."""
    return _split(frame, rng, [2, 3, 1.5, 4, 5, 7, 10])


@catalogue
def reverse_split_forgotten(frame: Frame, rng: Draw) -> Frame:
    """A reverse split is forgotten."""
    return _split(frame, rng, [1 / 2, 1 / 4, 1 / 5, 1 / 10, 1 / 20])


@catalogue
def split_invented(frame: Frame, rng: Draw) -> Frame:
    """adj_close shows a split that never happened."""
    rows = rows_of(frame, rng, 3 * _BEGIN)
    before = rows[: int(rng.integers(_BEGIN, len(rows) - 2))]
    return changed(frame, before, ["adj_close"], 1 / float(rng.choice([2, 3, 10])))


@catalogue
def cents_for_dollars(frame: Frame, rng: Draw) -> Frame:
    """Prices of a stretch are in another unit."""
    return changed(frame, stretch(frame, rng, 2, 120), PRICES, float(rng.choice([100, 0.01])))


@catalogue
def cents_but_adj_close(frame: Frame, rng: Draw) -> Frame:
    """Prices of a stretch are in another unit, adj_close is not."""
    return changed(frame, stretch(frame, rng, 2, 120), BAR, float(rng.choice([100, 0.01])))


@catalogue
def digit_too_many(frame: Frame, rng: Draw) -> Frame:
    """Prices of some bars have a digit too many or too few."""
    rows = stretch(frame, rng, 1, 40)
    return changed(frame, rows, BAR if coin(rng) else PRICES, float(rng.choice([10, 0.1])))


@catalogue
def one_bar_in_other_unit(frame: Frame, rng: Draw) -> Frame:
    """A single bar is 10 or 100 times too large or small."""
    return changed(
        frame, stretch(frame, rng, 1, 1, margin=0), PRICES, float(rng.choice([10, 100, 0.1, 0.01]))
    )


@catalogue
def spike(frame: Frame, rng: Draw) -> Frame:
    """A bar jumps away and the next one is back."""
    rows = stretch(frame, rng, 1, 1)
    size = 1 + rng.uniform(0.25, 1.0)
    return changed(frame, rows, PRICES, size if coin(rng) else 1 / size)


@catalogue
def close_spike(frame: Frame, rng: Draw) -> Frame:
    """A close jumps away and the next one is back."""
    rows = stretch(frame, rng, 1, 1)
    return _moved(frame, int(rows[0]), ["close", "adj_close"], 1 + rng.uniform(0.4, 1.0), rng)


@catalogue
def close_misread(frame: Frame, rng: Draw) -> Frame:
    """A close jumps by a few per cent and the next open is back.

    By many usual daily moves, and by more than it moved that day and overnight.
    """
    row = int(stretch(frame, rng, 1, 1, margin=14)[0])
    near = np.log(frame["close"].to_numpy(float)[row - 13 : row + 14])
    moves = np.abs(np.diff(near))
    overnight = abs(float(np.log(frame["open"].to_numpy(float)[row + 1])) - near[13])
    least = max(0.06, 5 * moves[12], 5 * overnight)
    size = float(np.exp(max(rng.uniform(12, 20) * np.median(moves), least)))
    return _moved(frame, row, ["close", "adj_close"], size, rng)


@catalogue
def open_misread(frame: Frame, rng: Draw) -> Frame:
    """An open jumps away and its own session is back."""
    rows = stretch(frame, rng, 1, 1)
    return _moved(frame, int(rows[0]), ["open"], 1 + rng.uniform(0.4, 1.0), rng)


@catalogue
def extreme_wick(frame: Frame, rng: Draw) -> Frame:
    """A high or a low is far from its bar."""
    rows = stretch(frame, rng, 1, 3, margin=0)
    up = coin(rng)
    return changed(frame, rows, ["high" if up else "low"], float(rng.choice([2, 10])) ** (1 if up else -1))


@catalogue
def open_and_high_swapped(frame: Frame, rng: Draw) -> Frame:
    """Open and high are in each other's place."""
    return _swapped(frame, rng, ["open", "high"], 1)


@catalogue
def high_and_low_swapped(frame: Frame, rng: Draw) -> Frame:
    """High and low are in each other's place."""
    return _swapped(frame, rng, ["high", "low"], 1)


@catalogue
def open_and_close_swapped(frame: Frame, rng: Draw) -> Frame:
    """Open and close are in each other's place."""
    return _swapped(frame, rng, ["open", "close"], 120)


@catalogue
def close_and_adj_close_swapped(frame: Frame, rng: Draw) -> Frame:
    """Close and adj_close are in each other's place."""
    return _swapped(frame, rng, ["close", "adj_close"], 2)


@catalogue
def bar_out_of_order(frame: Frame, rng: Draw) -> Frame:
    """A price lies beyond the high or the low of its bar."""
    rows = stretch(frame, rng, 1, 20, margin=0)
    name, factor = [("open", 1.2), ("close", 0.8), ("high", 0.8), ("low", 1.3)][rng.integers(4)]
    return changed(frame, rows, [name], factor)


@catalogue
def price_not_positive(frame: Frame, rng: Draw) -> Frame:
    """A price is zero or negative."""
    rows = stretch(frame, rng, 1, 5, margin=0)
    return changed(frame, rows, [str(rng.choice(PRICES))], float(rng.choice([0.0, -1.0])))


@catalogue
def bars_repeated(frame: Frame, rng: Draw) -> Frame:
    """Bars repeat the one before them."""
    rows = stretch(frame, rng, 1, 20)
    return copied(frame, rows, _VALUES, frame[_VALUES].to_numpy()[rows[0] - 1])


@catalogue
def prices_repeated(frame: Frame, rng: Draw) -> Frame:
    """Prices repeat, with new volume."""
    rows = _dear(frame, rng, 2, 20)
    return copied(frame, rows, PRICES, frame[PRICES].to_numpy()[rows[0] - 1])


@catalogue
def close_carried_forward(frame: Frame, rng: Draw) -> Frame:
    """Sessions are filled with the last close and no volume."""
    rows = _dear(frame, rng, 2, 20)
    return copied(_with_last_close(frame, rows), rows, ["volume"], 0)


@catalogue
def session_filled(frame: Frame, rng: Draw) -> Frame:
    """One session is filled with the last close."""
    return _with_last_close(frame, _dear(frame, rng, 1, 1))


@catalogue
def stretch_pasted(frame: Frame, rng: Draw) -> Frame:
    """A stretch of bars comes from elsewhere."""
    rows, source = _two_stretches(frame, rng, 12)
    return copied(frame, rows, _VALUES, frame[_VALUES].to_numpy()[source])


@catalogue
def stretch_pasted_to_fit(frame: Frame, rng: Draw) -> Frame:
    """A stretch comes from elsewhere, multiplied to fit."""
    rows, source = _two_stretches(frame, rng, 20)
    factor = frame["close"].to_numpy()[rows[0] - 1] / frame["open"].to_numpy()[source[0]]
    adjust = (frame["adj_close"] / frame["close"]).to_numpy()[rows]
    new = copied(frame, rows, BAR, frame[BAR].to_numpy()[source] * factor)
    return copied(new, rows, ["adj_close"], (frame["close"].to_numpy()[source] * factor * adjust)[:, None])


@catalogue
def adj_close_away_and_back(frame: Frame, rng: Draw) -> Frame:
    """adj_close leaves close for a stretch."""
    rows = stretch(frame, rng, 1, 200)
    return changed(frame, rows, ["adj_close"], 1 + rng.choice([-1, 1]) * rng.uniform(0.01, 0.5))


@catalogue
def adj_close_steps_down(frame: Frame, rng: Draw) -> Frame:
    """adj_close falls and close does not."""
    rows = rows_of(frame, rng, 20)
    later = rows[int(rng.integers(2, len(rows) - 1)) :]
    return changed(frame, later, ["adj_close"], 1 - rng.uniform(0.01, 0.3))


def _split(frame: Frame, rng: Draw, ratios: list[float]) -> Frame:
    rows = rows_of(frame, rng, 3 * _BEGIN)
    start = int(rng.integers(_BEGIN, len(rows) - 2))
    ratio = float(rng.choice(ratios))
    part, factor = (rows[:start], ratio) if coin(rng) else (rows[start:], 1 / ratio)
    new = changed(frame, part, PRICES, factor)
    if coin(rng):
        volume = new["volume"].to_numpy(float).copy()
        volume[rows[start:]] = np.round(volume[rows[start:]] * ratio)
        new["volume"] = volume
    return new


def _moved(frame: Frame, row: int, columns: list[str], size: float, rng: Draw) -> Frame:
    """Multiply an open or a close, or divide it, and move high or low as far as the bar's order needs."""
    new = changed(frame, np.array([row]), columns, size if coin(rng) else 1 / size)
    label = frame.index[row]
    new.loc[label, "high"] = max(new.loc[label, ["high", columns[0]]])
    new.loc[label, "low"] = min(new.loc[label, ["low", columns[0]]])
    return new


def _swapped(frame: Frame, rng: Draw, pair: list[str], least: int) -> Frame:
    rows = rows_of(frame, rng, least)
    if least == 1 and coin(rng):
        rows = rows[[int(rng.integers(len(rows)))]]
    new = copied(frame, rows, pair, frame.loc[frame.index[rows], pair[::-1]].to_numpy())
    require(not new.equals(frame))
    return new


def _dear(frame: Frame, rng: Draw, shortest: int, longest: int) -> NDArray[np.int64]:
    """Return a stretch of prices that do not repeat by chance."""
    rows = stretch(frame, rng, shortest, longest)
    require((frame["close"].to_numpy()[rows] >= _CHEAP).all())
    return rows


def _with_last_close(frame: Frame, rows: NDArray[np.int64]) -> Frame:
    new = copied(frame, rows, BAR, frame["close"].to_numpy()[rows[0] - 1])
    return copied(new, rows, ["adj_close"], frame["adj_close"].to_numpy()[rows[0] - 1])


def _two_stretches(frame: Frame, rng: Draw, shortest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two stretches of one length that have no row in common."""
    rows, source = stretch(frame, rng, shortest, 60), stretch(frame, rng, shortest, 60)
    length = min(len(rows), len(source))
    rows, source = rows[:length], source[:length]
    require(not len(np.intersect1d(rows, source)))
    return rows, source
