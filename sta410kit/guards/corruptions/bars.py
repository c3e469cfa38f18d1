"""What goes wrong with the prices of a bar."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.corruptions.corruption import (
    BAR,
    PRICES,
    Draw,
    Frame,
    catalogue,
    changed,
    coin,
    copied,
    require,
    rows_of,
    stretch,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BEGIN = 8  # rows of a symbol that stay as they are, so that a step has something before it
_VALUES = [*PRICES, "volume"]
_CHEAP = 5  # below it cents repeat by chance


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


def _split_invented(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng, 3 * _BEGIN)
    before = rows[: int(rng.integers(_BEGIN, len(rows) - 2))]
    return changed(frame, before, ["adj_close"], 1 / float(rng.choice([2, 3, 10])))


def _digit_too_many(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 40)
    return changed(frame, rows, BAR if coin(rng) else PRICES, float(rng.choice([10, 0.1])))


def _spike(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 1)
    size = 1 + rng.uniform(0.25, 1.0)
    return changed(frame, rows, PRICES, size if coin(rng) else 1 / size)


def _misread(frame: Frame, rng: Draw, columns: list[str]) -> Frame:
    return _moved(frame, int(stretch(frame, rng, 1, 1)[0]), columns, 1 + rng.uniform(0.4, 1.0), rng)


def _close_misread(frame: Frame, rng: Draw) -> Frame:
    """By many usual daily moves, and by more than it moved that day and overnight."""
    row = int(stretch(frame, rng, 1, 1, margin=14)[0])
    near = np.log(frame["close"].to_numpy(float)[row - 13 : row + 14])
    moves = np.abs(np.diff(near))
    overnight = abs(float(np.log(frame["open"].to_numpy(float)[row + 1])) - near[13])
    least = max(0.06, 5 * moves[12], 5 * overnight)
    size = float(np.exp(max(rng.uniform(12, 20) * np.median(moves), least)))
    return _moved(frame, row, ["close", "adj_close"], size, rng)


def _moved(frame: Frame, row: int, columns: list[str], size: float, rng: Draw) -> Frame:
    """Multiply an open or a close, or divide it, and move high or low as far as the bar's order needs."""
    new = changed(frame, np.array([row]), columns, size if coin(rng) else 1 / size)
    label = frame.index[row]
    new.loc[label, "high"] = max(new.loc[label, ["high", columns[0]]])
    new.loc[label, "low"] = min(new.loc[label, ["low", columns[0]]])
    return new


def _extreme_wick(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 3, margin=0)
    up = coin(rng)
    return changed(frame, rows, ["high" if up else "low"], float(rng.choice([2, 10])) ** (1 if up else -1))


def _swapped(frame: Frame, rng: Draw, pair: list[str], least: int) -> Frame:
    rows = rows_of(frame, rng, least)
    if least == 1 and coin(rng):
        rows = rows[[int(rng.integers(len(rows)))]]
    new = copied(frame, rows, pair, frame.loc[frame.index[rows], pair[::-1]].to_numpy())
    require(not new.equals(frame))
    return new


def _out_of_order(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 20, margin=0)
    name, factor = [("open", 1.2), ("close", 0.8), ("high", 0.8), ("low", 1.3)][rng.integers(4)]
    return changed(frame, rows, [name], factor)


def _not_positive(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 5, margin=0)
    return changed(frame, rows, [str(rng.choice(PRICES))], float(rng.choice([0.0, -1.0])))


def _repeated(frame: Frame, rows: NDArray[np.int64], columns: list[str]) -> Frame:
    return copied(frame, rows, columns, frame[columns].to_numpy()[rows[0] - 1])


def _dear(frame: Frame, rng: Draw, shortest: int, longest: int) -> NDArray[np.int64]:
    """Return a stretch of prices that do not repeat by chance."""
    rows = stretch(frame, rng, shortest, longest)
    require((frame["close"].to_numpy()[rows] >= _CHEAP).all())
    return rows


def _with_last_close(frame: Frame, rows: NDArray[np.int64]) -> Frame:
    new = copied(frame, rows, BAR, frame["close"].to_numpy()[rows[0] - 1])
    return copied(new, rows, ["adj_close"], frame["adj_close"].to_numpy()[rows[0] - 1])


def _carried_forward(frame: Frame, rng: Draw) -> Frame:
    rows = _dear(frame, rng, 2, 20)
    return copied(_with_last_close(frame, rows), rows, ["volume"], 0)


def _two_stretches(frame: Frame, rng: Draw, shortest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two stretches of one length that have no row in common."""
    rows, source = stretch(frame, rng, shortest, 60), stretch(frame, rng, shortest, 60)
    length = min(len(rows), len(source))
    rows, source = rows[:length], source[:length]
    require(not len(np.intersect1d(rows, source)))
    return rows, source


def _pasted(frame: Frame, rng: Draw) -> Frame:
    rows, source = _two_stretches(frame, rng, 12)
    return copied(frame, rows, _VALUES, frame[_VALUES].to_numpy()[source])


def _pasted_to_fit(frame: Frame, rng: Draw) -> Frame:
    rows, source = _two_stretches(frame, rng, 20)
    factor = frame["close"].to_numpy()[rows[0] - 1] / frame["open"].to_numpy()[source[0]]
    adjust = (frame["adj_close"] / frame["close"]).to_numpy()[rows]
    new = copied(frame, rows, BAR, frame[BAR].to_numpy()[source] * factor)
    return copied(new, rows, ["adj_close"], (frame["close"].to_numpy()[source] * factor * adjust)[:, None])


def _away_and_back(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 200)
    return changed(frame, rows, ["adj_close"], 1 + rng.choice([-1, 1]) * rng.uniform(0.01, 0.5))


def _steps_down(frame: Frame, rng: Draw) -> Frame:
    rows = rows_of(frame, rng, 20)
    later = rows[int(rng.integers(2, len(rows) - 1)) :]
    return changed(frame, later, ["adj_close"], 1 - rng.uniform(0.01, 0.3))


def _in_other_unit(frame: Frame, rng: Draw, columns: list[str]) -> Frame:
    return changed(frame, stretch(frame, rng, 2, 120), columns, float(rng.choice([100, 0.01])))


def _one_in_other_unit(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 1, 1, margin=0)
    return changed(frame, rows, PRICES, float(rng.choice([10, 100, 0.1, 0.01])))


CORRUPTIONS = catalogue(
    split_forgotten=(
        "A split is neither in the prices before nor in adj_close.",
        partial(_split, ratios=[2, 3, 1.5, 4, 5, 7, 10]),
    ),
    reverse_split_forgotten=(
        "A reverse split is forgotten.",
        partial(_split, ratios=[1 / 2, 1 / 4, 1 / 5, 1 / 10, 1 / 20]),
    ),
    split_invented=("adj_close shows a split that never happened.", _split_invented),
    cents_for_dollars=("Prices of a stretch are in another unit.", partial(_in_other_unit, columns=PRICES)),
    cents_but_adj_close=(
        "Prices of a stretch are in another unit, adj_close is not.",
        partial(_in_other_unit, columns=BAR),
    ),
    digit_too_many=("Prices of some bars have a digit too many or too few.", _digit_too_many),
    one_bar_in_other_unit=("A single bar is 10 or 100 times too large or small.", _one_in_other_unit),
    spike=("A bar jumps away and the next one is back.", _spike),
    close_spike=(
        "A close jumps away and the next one is back.",
        partial(_misread, columns=["close", "adj_close"]),
    ),
    close_misread=("A close jumps by a few per cent and the next open is back.", _close_misread),
    open_misread=("An open jumps away and its own session is back.", partial(_misread, columns=["open"])),
    extreme_wick=("A high or a low is far from its bar.", _extreme_wick),
    open_and_high_swapped=(
        "Open and high are in each other's place.",
        partial(_swapped, pair=["open", "high"], least=1),
    ),
    high_and_low_swapped=(
        "High and low are in each other's place.",
        partial(_swapped, pair=["high", "low"], least=1),
    ),
    open_and_close_swapped=(
        "Open and close are in each other's place.",
        partial(_swapped, pair=["open", "close"], least=120),
    ),
    close_and_adj_close_swapped=(
        "Close and adj_close are in each other's place.",
        partial(_swapped, pair=["close", "adj_close"], least=2),
    ),
    bar_out_of_order=("A price lies beyond the high or the low of its bar.", _out_of_order),
    price_not_positive=("A price is zero or negative.", _not_positive),
    bars_repeated=(
        "Bars repeat the one before them.",
        lambda frame, rng: _repeated(frame, stretch(frame, rng, 1, 20), _VALUES),
    ),
    prices_repeated=(
        "Prices repeat, with new volume.",
        lambda frame, rng: _repeated(frame, _dear(frame, rng, 2, 20), PRICES),
    ),
    close_carried_forward=("Sessions are filled with the last close and no volume.", _carried_forward),
    session_filled=(
        "One session is filled with the last close.",
        lambda frame, rng: _with_last_close(frame, _dear(frame, rng, 1, 1)),
    ),
    stretch_pasted=("A stretch of bars comes from elsewhere.", _pasted),
    stretch_pasted_to_fit=("A stretch comes from elsewhere, multiplied to fit.", _pasted_to_fit),
    adj_close_away_and_back=("adj_close leaves close for a stretch.", _away_and_back),
    adj_close_steps_down=("adj_close falls and close does not.", _steps_down),
)
