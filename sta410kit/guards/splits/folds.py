"""Splitters, positions, masks and dates, all read as the rows of train and test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import shown
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.panel import days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sta410kit.guards.leakage.panel import Dates

    Positions = NDArray[np.int64]

_PAIR = 2


def read_folds(splits: Any, dates: Dates) -> list[tuple[Positions, Positions]]:  # noqa: ANN401 - see `check_splits`
    """Return the row positions of train and test of each fold, sorted, each once.

    Raises
    ------
    ConfigurationError
        There are none, or one cannot be read; the message names the fold.
    """
    folds = [_pair(fold, number, dates) for number, fold in enumerate(_listed(splits, len(dates)))]
    if not folds:
        message = "there are no folds to check"
        raise ConfigurationError(message)
    return folds


def _listed(splits: Any, rows: int) -> list[Any]:  # noqa: ANN401 - see `check_splits`
    if callable(getattr(splits, "split", None)):
        try:
            return list(splits.split(np.zeros((rows, 1))))
        except (TypeError, ValueError) as error:
            message = (
                f"{type(splits).__name__} cannot split {rows} rows ({error}); "
                "hand over its folds: list(splitter.split(X, y, groups))"
            )
            raise ConfigurationError(message) from error
    if isinstance(splits, tuple) and len(splits) == _PAIR and all(_is_flat(part) for part in splits):
        return [splits]
    try:
        return list(splits)
    except TypeError as error:
        message = f"splits is {type(splits).__name__}; give a splitter, or pairs of train and test"
        raise ConfigurationError(message) from error


def _is_flat(part: object) -> bool:
    """Whether this is a row of positions, truth values or dates, and not a pair of those."""
    if isinstance(part, np.ndarray | pd.Series | pd.Index | range | slice):
        return True
    return isinstance(part, list) and all(np.isscalar(one) or isinstance(one, pd.Timestamp) for one in part)


def _pair(fold: Any, number: int, dates: Dates) -> tuple[Positions, Positions]:  # noqa: ANN401 - see `check_splits`
    if all(hasattr(fold, name) for name in ("train_end", "test_start", "test_end")):
        end, start, last = days([fold.train_end, fold.test_start, fold.test_end])
        return np.flatnonzero(dates <= end), np.flatnonzero((dates >= start) & (dates <= last))
    try:
        train, test = fold
    except (TypeError, ValueError) as error:
        message = f"fold {number} is {type(fold).__name__} and no pair of train and test"
        raise ConfigurationError(message) from error
    return _rows(train, f"the training rows of fold {number}", dates), _rows(
        test, f"the test rows of fold {number}", dates
    )


def _rows(part: Any, what: str, dates: Dates) -> Positions:  # noqa: ANN401 - see `check_splits`
    try:
        if isinstance(part, slice):
            return np.sort(np.arange(len(dates))[part])
        values = part.to_numpy() if isinstance(part, pd.Series | pd.Index) else np.asarray(part)
    except (TypeError, ValueError) as error:  # a slice of labels; parts of different length
        advice = (
            "give one position, truth value or date each; several blocks are put together with np.concatenate"
        )
        message = f"{what} cannot be read ({error}); {advice}"
        raise ConfigurationError(message) from error
    if isinstance(part, set | frozenset):
        values = np.array(list(part))
    if values.ndim != 1:
        message = f"{what} have the shape {values.shape}; give one position, truth value or date each"
        raise ConfigurationError(message)
    if not len(values):
        return np.empty(0, dtype=np.int64)
    if values.dtype == object:
        values = pd.Series(values).infer_objects().to_numpy()
    if values.dtype == object and any(isinstance(value, int) for value in values):
        other = (value for value in values if not isinstance(value, int) or abs(value) > len(dates))
        wrong = shown(next(other, values[0]))
        message = f"{what} name {wrong}; give positions, truth values or dates, one kind of them"
        raise ConfigurationError(message)
    if values.dtype.kind == "b":
        return _masked(values, what, len(dates))
    if values.dtype.kind in "iu":
        return _positions(values, what, len(dates))
    return _on_days(days(values), what, dates)


def _masked(values: NDArray[np.bool_], what: str, rows: int) -> Positions:
    if len(values) != rows:
        message = f"{what} are {len(values)} truth values for {rows} rows"
        raise ConfigurationError(message)
    return np.flatnonzero(values)


def _positions(values: NDArray[Any], what: str, rows: int) -> Positions:
    wrong = values[(values < 0) | (values >= rows)]
    if len(wrong):
        message = f"{what} name the position {wrong[0]}; there are {rows} rows, counted from 0"
        raise ConfigurationError(message)
    return np.unique(values).astype(np.int64)


def _on_days(values: Dates, what: str, dates: Dates) -> Positions:
    unknown = values[~np.isin(values, dates)]
    if len(unknown):
        message = f"{what} name {str(unknown[0])[:10]}, which no row has"
        raise ConfigurationError(message)
    return np.flatnonzero(np.isin(dates, values))
