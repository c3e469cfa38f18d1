"""What goes wrong with the prices of a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sta410kit.guards.corruptions.corruption import BAR, PRICES, Corruption, changed, rows_of, stretch

if TYPE_CHECKING:
    import pandas as pd

_BEGIN = 8  # rows of a symbol that stay as they are, so that a step has something before it


def _coin(rng: np.random.Generator) -> bool:
    return bool(rng.integers(2))


def _split(frame: pd.DataFrame, rng: np.random.Generator, ratios: list[float]) -> pd.DataFrame | None:
    rows = rows_of(frame, rng, 3 * _BEGIN)
    if rows is None:
        return None
    start = int(rng.integers(_BEGIN, len(rows) - 2))
    ratio = float(rng.choice(ratios))
    new = (
        changed(frame, rows[:start], PRICES, ratio)
        if _coin(rng)
        else changed(frame, rows[start:], PRICES, 1 / ratio)
    )
    if _coin(rng):
        volume = new["volume"].to_numpy(float).copy()
        volume[rows[start:]] = np.round(volume[rows[start:]] * ratio)
        new["volume"] = volume
    return new


def _forgotten_split(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _split(frame, rng, [2, 3, 1.5, 4, 5, 7, 10])


def _forgotten_reverse_split(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _split(frame, rng, [1 / 2, 1 / 4, 1 / 5, 1 / 10, 1 / 20])


def _cents(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 2, 120)
    return None if rows is None else changed(frame, rows, PRICES, float(rng.choice([100, 0.01])))


def _cents_unadjusted(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 2, 120)
    return None if rows is None else changed(frame, rows, BAR, float(rng.choice([100, 0.01])))


def _digit(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 40)
    return (
        None
        if rows is None
        else changed(frame, rows, BAR if _coin(rng) else PRICES, float(rng.choice([10, 0.1])))
    )


def _one_bar(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 1, margin=0)
    return None if rows is None else changed(frame, rows, PRICES, float(rng.choice([10, 100, 0.1, 0.01])))


def _spike(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 1)
    size = 1 + rng.uniform(0.25, 1.0)
    return None if rows is None else changed(frame, rows, PRICES, size if _coin(rng) else 1 / size)


def _close_spike(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 1)
    return None if rows is None else _moved_close(frame, int(rows[0]), 1 + rng.uniform(0.4, 1.0), rng)


def _close_misread(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Move the close by many usual daily moves, and by more than it moved that day and overnight."""
    rows = stretch(frame, rng, 1, 1, margin=14)
    if rows is None:
        return None
    row = int(rows[0])
    near = np.log(frame["close"].to_numpy(float)[row - 13 : row + 14])
    moves = np.abs(np.diff(near))
    overnight = abs(float(np.log(frame["open"].to_numpy(float)[row + 1])) - near[13])
    least = max(0.06, 5 * moves[12], 5 * overnight)
    return _moved_close(frame, row, float(np.exp(max(rng.uniform(12, 20) * np.median(moves), least))), rng)


def _open_misread(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Move an open, and the high or low it then is, by a digit misread and more than the usual range."""
    rows = stretch(frame, rng, 1, 1)
    if rows is None:
        return None
    size = 1 + rng.uniform(0.4, 1.0)
    new = changed(frame, rows, ["open"], size if _coin(rng) else 1 / size)
    label = frame.index[int(rows[0])]
    new.loc[label, "high"] = max(new.loc[label, ["high", "open"]])
    new.loc[label, "low"] = min(new.loc[label, ["low", "open"]])
    return new


def _moved_close(frame: pd.DataFrame, row: int, size: float, rng: np.random.Generator) -> pd.DataFrame:
    """Multiply a close, or divide it, and move high or low as far as they must to keep the bar in order."""
    new = changed(frame, np.array([row]), ["close", "adj_close"], size if _coin(rng) else 1 / size)
    label = frame.index[row]
    new.loc[label, "high"] = max(new.loc[label, ["high", "close"]])
    new.loc[label, "low"] = min(new.loc[label, ["low", "close"]])
    return new


def _wick(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 3, margin=0)
    if rows is None:
        return None
    up = _coin(rng)
    return changed(frame, rows, ["high" if up else "low"], float(rng.choice([2, 10])) ** (1 if up else -1))


def _misplaced(
    frame: pd.DataFrame, rng: np.random.Generator, one: str, other: str, least: int
) -> pd.DataFrame | None:
    rows = rows_of(frame, rng, least)
    if rows is None:
        return None
    if least == 1 and _coin(rng):
        rows = rows[[int(rng.integers(len(rows)))]]
    new = frame.copy()
    new.loc[frame.index[rows], [one, other]] = frame.loc[frame.index[rows], [other, one]].to_numpy()
    return new if not new.equals(frame) else None


def _open_high(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _misplaced(frame, rng, "open", "high", 1)


def _high_low(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _misplaced(frame, rng, "high", "low", 1)


def _open_close(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _misplaced(frame, rng, "open", "close", 120)


def _close_adjusted(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _misplaced(frame, rng, "close", "adj_close", 2)


def _high_low_close(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Move one price beyond the others of its bar."""
    rows = stretch(frame, rng, 1, 20, margin=0)
    if rows is None:
        return None
    name, factor = [("open", 1.2), ("close", 0.8), ("high", 0.8), ("low", 1.3)][rng.integers(4)]
    return changed(frame, rows, [name], factor)


def _not_positive(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 5, margin=0)
    return (
        None
        if rows is None
        else changed(frame, rows, [str(rng.choice(PRICES))], float(rng.choice([0.0, -1.0])))
    )


def _repeated(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 20)
    if rows is None:
        return None
    new = frame.copy()
    columns = [*PRICES, "volume"]
    new.loc[frame.index[rows], columns] = frame[columns].to_numpy()[rows[0] - 1]
    return new


def _prices_repeated(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 2, 20)
    if rows is None or (frame["close"].to_numpy()[rows] < 5).any():  # noqa: PLR2004 - cents repeat by chance there
        return None
    new = frame.copy()
    new.loc[frame.index[rows], PRICES] = frame[PRICES].to_numpy()[rows[0] - 1]
    return new


def _close_carried(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Fill sessions with the last close and no volume."""
    rows = stretch(frame, rng, 2, 20)
    if rows is None or (frame["close"].to_numpy()[rows] < 5).any():  # noqa: PLR2004
        return None
    new = frame.copy()
    new.loc[frame.index[rows], BAR] = frame["close"].to_numpy()[rows[0] - 1]
    new.loc[frame.index[rows], "adj_close"] = frame["adj_close"].to_numpy()[rows[0] - 1]
    new.loc[frame.index[rows], "volume"] = 0
    return new


def _session_filled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Fill one session with the last close, and leave its volume."""
    rows = stretch(frame, rng, 1, 1)
    if rows is None or (frame["close"].to_numpy()[rows] < 5).any():  # noqa: PLR2004
        return None
    new = frame.copy()
    new.loc[frame.index[rows], BAR] = frame["close"].to_numpy()[rows[0] - 1]
    new.loc[frame.index[rows], "adj_close"] = frame["adj_close"].to_numpy()[rows[0] - 1]
    return new


def _pasted(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 12, 60)
    source = stretch(frame, rng, 12, 60)
    if rows is None or source is None:
        return None
    length = min(len(rows), len(source))
    rows, source = rows[:length], source[:length]
    if len(np.intersect1d(rows, source)):
        return None
    new = frame.copy()
    columns = [*PRICES, "volume"]
    new.loc[frame.index[rows], columns] = frame[columns].to_numpy()[source]
    return new


def _pasted_to_fit(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows, source = stretch(frame, rng, 20, 60), stretch(frame, rng, 20, 60)
    if rows is None or source is None:
        return None
    length = min(len(rows), len(source))
    rows, source = rows[:length], source[:length]
    if len(np.intersect1d(rows, source)):
        return None
    new = frame.copy()
    factor = frame["close"].to_numpy()[rows[0] - 1] / frame["open"].to_numpy()[source[0]]
    adjust = (frame["adj_close"] / frame["close"]).to_numpy()[rows]
    new.loc[frame.index[rows], BAR] = frame[BAR].to_numpy()[source] * factor
    new.loc[frame.index[rows], "adj_close"] = frame["close"].to_numpy()[source] * factor * adjust
    return new


def _adjusted_away(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 200)
    factor = 1 + rng.choice([-1, 1]) * rng.uniform(0.01, 0.5)
    return None if rows is None else changed(frame, rows, ["adj_close"], factor)


def _adjusted_step_down(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = rows_of(frame, rng, 20)
    if rows is None:
        return None
    return changed(
        frame, rows[int(rng.integers(2, len(rows) - 1)) :], ["adj_close"], 1 - rng.uniform(0.01, 0.3)
    )


def _split_twice(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Adjust for a split that never happened."""
    rows = rows_of(frame, rng, 3 * _BEGIN)
    if rows is None:
        return None
    return changed(
        frame,
        rows[: int(rng.integers(_BEGIN, len(rows) - 2))],
        ["adj_close"],
        1 / float(rng.choice([2, 3, 10])),
    )


BARS = [
    Corruption(
        "split_forgotten", "A split is neither in the prices before nor in adj_close.", _forgotten_split
    ),
    Corruption("reverse_split_forgotten", "A reverse split is forgotten.", _forgotten_reverse_split),
    Corruption("split_invented", "adj_close tells of a split that never happened.", _split_twice),
    Corruption("cents_for_dollars", "Prices of a stretch are in another unit.", _cents),
    Corruption(
        "cents_but_adj_close", "Prices of a stretch are in another unit, adj_close is not.", _cents_unadjusted
    ),
    Corruption("digit_too_many", "Prices of some bars have a digit too many or too few.", _digit),
    Corruption("one_bar_in_other_unit", "A single bar is 10 or 100 times too large or small.", _one_bar),
    Corruption("spike", "A bar jumps away and the next one is back.", _spike),
    Corruption("close_spike", "A close jumps away and the next one is back.", _close_spike),
    Corruption("close_misread", "A close jumps by a few per cent and the next open is back.", _close_misread),
    Corruption("open_misread", "An open jumps away and its own session is back.", _open_misread),
    Corruption("extreme_wick", "A high or a low is far from its bar.", _wick),
    Corruption("open_and_high_swapped", "Open and high are in each other's place.", _open_high),
    Corruption("high_and_low_swapped", "High and low are in each other's place.", _high_low),
    Corruption("open_and_close_swapped", "Open and close are in each other's place.", _open_close),
    Corruption(
        "close_and_adj_close_swapped", "Close and adj_close are in each other's place.", _close_adjusted
    ),
    Corruption("bar_out_of_order", "A price lies beyond the high or the low of its bar.", _high_low_close),
    Corruption("price_not_positive", "A price is zero or negative.", _not_positive),
    Corruption("bars_repeated", "Bars repeat the one before them.", _repeated),
    Corruption("prices_repeated", "Prices repeat, with new volume.", _prices_repeated),
    Corruption(
        "close_carried_forward", "Sessions are filled with the last close and no volume.", _close_carried
    ),
    Corruption("session_filled", "One session is filled with the last close.", _session_filled),
    Corruption("stretch_pasted", "A stretch of bars comes from elsewhere.", _pasted),
    Corruption("stretch_pasted_to_fit", "A stretch comes from elsewhere, multiplied to fit.", _pasted_to_fit),
    Corruption("adj_close_away_and_back", "adj_close leaves close for a stretch.", _adjusted_away),
    Corruption("adj_close_steps_down", "adj_close falls and close does not.", _adjusted_step_down),
]
