"""What goes wrong with symbols, dates and the order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import BAR, PRICES, Corruption, rows_of, stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _without(frame: pd.DataFrame, rows: NDArray[np.int64] | None) -> pd.DataFrame | None:
    return None if rows is None else frame.drop(index=frame.index[rows]).reset_index(drop=True)


def _dated(frame: pd.DataFrame, rows: NDArray[np.int64] | None, by: pd.Timedelta) -> pd.DataFrame | None:
    if rows is None:
        return None
    dates = frame["date"].astype("datetime64[us]").copy()
    dates.iloc[rows] = dates.iloc[rows] + by
    return frame.assign(date=dates)


def _session_lost(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _without(frame, stretch(frame, rng, 1, 1))


def _weeks_lost(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _without(frame, stretch(frame, rng, 5, 120))


def _end_lost(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = rows_of(frame, rng, 3)
    if rows is None or frame["symbol"].nunique() < 2:  # noqa: PLR2004 - alone, nothing tells that it was longer
        return None
    return _without(frame, rows[-int(rng.integers(1, max(2, len(rows) // 2))) :])


def _cut_short(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Cut the file within a symbol that is not the first, so that others show how far it should go."""
    inside = np.flatnonzero(
        (frame["symbol"] == frame["symbol"].shift(-1)) & (frame["symbol"] != frame["symbol"].iloc[0])
    )
    return frame.iloc[: int(rng.choice(inside)) + 1] if len(inside) else None


def _weekend_row(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    fridays = np.flatnonzero(frame["date"].dt.day_of_week == 4)  # noqa: PLR2004 - Friday
    if not len(fridays):
        return None
    row = int(rng.choice(fridays))
    extra = frame.iloc[[row]].assign(
        date=frame["date"].iloc[row] + pd.Timedelta(days=int(rng.integers(1, 3)))
    )
    noise = 1 + 0.001 * rng.random()
    extra[PRICES] *= noise
    return pd.concat([frame.iloc[: row + 1], extra, frame.iloc[row + 1 :]], ignore_index=True)


def _day_off(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _dated(frame, stretch(frame, rng, 6, 250, margin=0), pd.Timedelta(days=int(rng.choice([-1, 1]))))


def _symbol_day_off(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return _dated(frame, rows_of(frame, rng, 10), pd.Timedelta(days=int(rng.choice([-1, 1]))))


def _session_off(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Move all values of a symbol by a session; it shows beside others that move with it."""
    rows = rows_of(frame, rng, 400)
    if rows is None or frame["symbol"].nunique() < 3:  # noqa: PLR2004
        return None
    values = [name for name in frame.columns if name not in {"symbol", "date"}]
    new = frame.copy()
    by = int(rng.choice([-1, 1]))
    new.loc[frame.index[rows], values] = np.roll(frame[values].to_numpy()[rows], by, axis=0)
    end = rows[0] if by > 0 else rows[-1]
    return _without(new, np.array([end]))


def _in_future(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = rows_of(frame, rng)
    return None if rows is None else _dated(frame, rows[-int(rng.integers(1, 4)) :], pd.Timedelta(days=36525))


def _time_of_day(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, len(frame), margin=0)
    return _dated(frame, rows, pd.Timedelta(hours=float(rng.choice([16, 5, 0.5]))))


def _shuffled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True) if len(frame) > 3 else None  # noqa: PLR2004


def _reversed(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:  # noqa: ARG001
    return frame.iloc[::-1].reset_index(drop=True) if len(frame) > 1 else None


def _two_swapped(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 2, 30, margin=0)
    if rows is None:
        return None
    order = np.arange(len(frame))
    order[[rows[0], rows[-1]]] = order[[rows[-1], rows[0]]]
    return frame.iloc[order].reset_index(drop=True)


def _other_case(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = rows_of(frame, rng)
    if rows is None or frame["symbol"].nunique() < 2:  # noqa: PLR2004 - alone, nothing tells how it is spelled
        return None
    symbols = frame["symbol"].astype(object).to_numpy().copy()
    some = rows if rng.random() < 0.5 else rows[: max(1, len(rows) // 3)]  # noqa: PLR2004
    symbols[some] = [name.lower() for name in symbols[some]]
    return frame.assign(symbol=symbols) if symbols[some[0]] != frame["symbol"].iloc[some[0]] else None


def _invisible(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = rows_of(frame, rng)
    if rows is None:
        return None
    symbols = frame["symbol"].astype(object).to_numpy().copy()
    symbols[rows] = [f"{name}\u200b" for name in symbols[rows]]
    return frame.assign(symbol=symbols)


def _same_series(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Give a symbol the prices of another one, where they have a session in common."""
    names = frame["symbol"].unique()
    if len(names) < 2:  # noqa: PLR2004
        return None
    one, other = (str(name) for name in rng.choice(names, 2, replace=False))
    source = frame[frame["symbol"] == one].set_index("date")
    target = frame["symbol"] == other
    there = target & frame["date"].isin(source.index)
    if there.sum() < 15:  # noqa: PLR2004
        return None
    new = frame.copy()
    columns = [*PRICES, "volume"] if rng.random() < 0.5 else PRICES  # noqa: PLR2004
    new.loc[there, columns] = source.loc[frame.loc[there, "date"], columns].to_numpy()
    return new


def _revised(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    rows = stretch(frame, rng, 1, 60, margin=0)
    if rows is None:
        return None
    new = frame.copy()
    for name in BAR if rng.random() < 0.5 else ["volume"]:  # noqa: PLR2004
        values = new[name].to_numpy(float).copy()
        values[rows] = np.round(values[rows] * (1 + rng.choice([-1, 1]) * rng.uniform(0.001, 0.02)), 2)
        new[name] = np.round(values) if name == "volume" else values
    return new if not new.equals(frame) else None


def _history_lost(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Lose the same sessions in every symbol, so that only the snapshot remembers them."""
    days = np.sort(frame["date"].unique())
    if len(days) < 10:  # noqa: PLR2004
        return None
    day = days[rng.integers(2, len(days) - 2)]
    return _without(frame, np.flatnonzero(frame["date"].to_numpy() == day))


def _schema(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if rng.random() < 0.5:  # noqa: PLR2004
        return frame.assign(vwap=frame["close"])
    return frame.assign(volume=frame["volume"].astype(float))


SESSIONS = [
    Corruption("session_lost", "A symbol lacks a session.", _session_lost),
    Corruption("weeks_lost", "A symbol lacks some weeks.", _weeks_lost),
    Corruption("end_lost", "A symbol ends before the others.", _end_lost),
    Corruption("file_cut_short", "The download broke off within a symbol.", _cut_short),
    Corruption("weekend_row", "There is a row on a day without a session.", _weekend_row),
    Corruption("dates_a_day_off", "Dates of a stretch are a day off.", _day_off),
    Corruption("symbol_a_day_off", "All dates of a symbol are a day off.", _symbol_day_off),
    Corruption("symbol_a_session_off", "A symbol's values stand a session off.", _session_off),
    Corruption("dates_in_future", "The last dates lie in the future.", _in_future),
    Corruption("time_of_day", "Dates have a time of day.", _time_of_day),
    Corruption("rows_shuffled", "Rows come in no order.", _shuffled),
    Corruption("rows_reversed", "The newest row comes first.", _reversed),
    Corruption("two_rows_swapped", "Two rows stand in each other's place.", _two_swapped),
    Corruption("symbol_in_other_case", "A symbol is spelled in small letters.", _other_case),
    Corruption("invisible_sign", "A symbol ends in a sign nobody sees.", _invisible),
    Corruption("same_series", "Two symbols have one series.", _same_series),
    Corruption("history_revised", "Past values were changed.", _revised, since_snapshot=True),
    Corruption("history_lost", "A past session is gone.", _history_lost, since_snapshot=True),
    Corruption(
        "schema_drift", "A column is new, or holds another kind of values.", _schema, since_snapshot=True
    ),
]
