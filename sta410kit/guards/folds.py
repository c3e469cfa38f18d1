"""Folds of any splitter as row positions, and the target window of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.panel import days, find_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Dates

    Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Windows:
    """Each row's decision and the end of its target, as session numbers.

    Attributes
    ----------
    dates, symbols : array
        Of each row.
    starts, ends : array of int
        The session of the decision, and the one at whose close the target is known; the symbol's last where
        that lies beyond the data.
    sessions : int
        How many there are.
    """

    dates: Dates
    symbols: NDArray[Any]
    starts: Positions
    ends: Positions
    sessions: int

    @classmethod
    def of(cls, dates: Any, horizon: int, sessions: pd.DataFrame | None = None) -> Windows:  # noqa: ANN401 - see `check_splits`
        """Read the dates, and the symbols where there are some; `sessions` has more of them to count in."""
        frame = pd.DataFrame(index=dates) if isinstance(dates, pd.MultiIndex) else dates
        keys = find_keys(frame) if isinstance(frame, pd.DataFrame) else None
        own = keys.dates if keys is not None else days(frame)
        if own is None or not len(own) or np.isnat(own).any():
            message = "the dates are not complete: give one decision date per row"
            raise ConfigurationError(message)
        symbols = np.full(len(own), "", dtype=object)
        if keys is not None and keys.symbols is not None:
            symbols = keys.symbols.to_numpy(dtype=object)
        if pd.isna(symbols).any():
            row = int(np.flatnonzero(pd.isna(symbols))[0])
            message = f"the row of {str(own[row])[:10]} has no symbol: give one per row, or the dates alone"
            raise ConfigurationError(message)
        names, known = symbols, own
        if sessions is not None:
            names = np.concatenate([symbols, sessions["symbol"].to_numpy(dtype=object)])
            known = np.concatenate([own, days(sessions["date"])])
        calendar, numbers = np.unique(known, return_inverse=True)
        starts, ends = numbers[: len(own)], np.empty(len(own), dtype=np.int64)
        for place in pd.Series(range(len(names))).groupby(names).indices.values():
            rows = np.asarray(place)
            live, rows = np.unique(numbers[rows]), rows[rows < len(own)]
            reach = np.searchsorted(live, starts[rows]) + min(horizon, len(live))
            ends[rows] = live[np.minimum(reach, len(live) - 1)]
        return cls(own, symbols, starts.astype(np.int64), ends, len(calendar))

    def first(self, rows: Positions) -> tuple[str, str]:
        """Return symbol and date of the earliest of these rows."""
        row = rows[np.argmin(self.starts[rows])]
        return str(self.symbols[row]), str(self.dates[row])[:10]


def read_folds(splits: Any, dates: Dates) -> list[tuple[Positions, Positions]]:  # noqa: ANN401 - see `check_splits`
    """Return the row positions of train and test of each fold, sorted, each once.

    Raises
    ------
    ConfigurationError
        There are none, or one cannot be read; the message names the fold.
    """
    rows = len(dates)
    try:
        found = list(splits.split(np.zeros((rows, 1))) if hasattr(splits, "split") else splits)
    except (TypeError, ValueError) as error:
        message = (
            f"{type(splits).__name__} cannot split {rows} rows ({error}); give a splitter, or pairs of train "
            "and test such as list(splitter.split(X, y, groups))"
        )
        raise ConfigurationError(message) from error
    if not found:
        message = "there are no folds to check"
        raise ConfigurationError(message)
    return [_fold(fold, number, dates) for number, fold in enumerate(found)]


def _fold(fold: Any, number: int, dates: Dates) -> tuple[Positions, Positions]:  # noqa: ANN401 - see `check_splits`
    if all(hasattr(fold, name) for name in ("train_end", "test_start", "test_end")):
        end, start, last = days([fold.train_end, fold.test_start, fold.test_end])
        return np.flatnonzero(dates <= end), np.flatnonzero((dates >= start) & (dates <= last))
    try:
        train, test = fold
    except (TypeError, ValueError) as error:
        message = f"fold {number} is {type(fold).__name__} and no pair of train and test"
        raise ConfigurationError(message) from error
    return (
        _rows(train, f"the training rows of fold {number}", dates),
        _rows(test, f"the test rows of fold {number}", dates),
    )


def _rows(part: Any, what: str, dates: Dates) -> Positions:  # noqa: ANN401 - see `check_splits`
    """Read positions, truth values or dates as positions."""
    try:
        values = pd.Series(part).infer_objects().to_numpy()
        kind = values.dtype.kind
        known = values if not len(values) or kind in "biu" else days(values)
    except (TypeError, ValueError) as error:  # ConfigurationError is a ValueError as well
        message = f"{what} cannot be read ({error}); give one position, truth value or date each"
        raise ConfigurationError(message) from error
    if not len(values):
        return np.empty(0, dtype=np.int64)
    if kind == "b":
        if len(values) == len(dates):
            return np.flatnonzero(values)
        message = f"{what} are {len(values)} truth values for {len(dates)} rows"
    elif kind in "iu":
        wrong = values[(values < 0) | (values >= len(dates))]
        if not len(wrong):
            return np.unique(values).astype(np.int64)
        message = f"{what} name the position {wrong[0]}; there are {len(dates)} rows, counted from 0"
    else:
        unknown = known[~np.isin(known, dates)]
        if not len(unknown):
            return np.flatnonzero(np.isin(dates, known))
        message = f"{what} name {str(unknown[0])[:10]}, which no row has"
    raise ConfigurationError(message)
