"""The registry of features, and the features frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np
import pandas as pd

from sta410kit._internal.project_modules import import_declared_modules
from sta410kit._internal.text import did_you_mean
from sta410kit._internal.universe import MEMBER
from sta410kit.exceptions import FeatureEngineeringError, STA410Exception
from sta410kit.research.features.history import History
from sta410kit.research.frames import is_gap, is_member, require_prices, require_series, row_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Feature = Callable[[History], "pd.Series[float]"]

FEATURES: dict[str, Feature] = {}
"""Every feature registered so far by its column name; `registered` has those of the project too."""

KEYS = ("symbol", "date")
TAKEN = (*KEYS, "target", "known")
"""Columns of a training table that no feature may be called."""

_ON_DEMAND: set[str] = set()


@overload
def feature(function: Feature) -> Feature: ...
@overload
def feature(*, default: bool) -> Callable[[Feature], Feature]: ...
def feature(
    function: Feature | None = None, *, default: bool = True
) -> Feature | Callable[[Feature], Feature]:
    """Register a function of `History` as a feature column of the same name.

    Parameters
    ----------
    function : callable
        From `History` to a Series of floats on the index of ``history.prices``, or an array of that length.
    default : bool
        Whether `build_features` computes it by default; ``@feature(default=False)`` only when named.

    Raises
    ------
    FeatureEngineeringError
        If another function has that name. The same function may be registered again, as a cell does that is
        run twice.
    """

    def register(function: Feature) -> Feature:
        name = function.__name__
        if name in TAKEN:
            message = f"A feature cannot be called {name!r}, which is a reserved column; rename it."
            raise FeatureEngineeringError(message)
        there = FEATURES.get(name)
        if there is not None and _origin(there) != _origin(function):
            message = f"There is a feature {name!r} already, in {there.__module__}; choose another name."
            raise FeatureEngineeringError(message)
        FEATURES[name] = function
        (_ON_DEMAND.discard if default else _ON_DEMAND.add)(name)
        return function

    return register if function is None else register(function)


def registered() -> dict[str, Feature]:
    """Return every feature by its name, those of the modules that the project declares included."""
    import_declared_modules()
    return FEATURES


def default_features() -> list[str]:
    """Return the names of the default features, in their order."""
    return [name for name in registered() if name not in _ON_DEMAND]


def build_features(prices: pd.DataFrame, names: Iterable[str] | str | None = None) -> pd.DataFrame:
    """Return the features frame: ``symbol, date`` and one float column per feature, one row per price row.

    Prices marked with a universe (column ``member``) have rows for members only; their windows reach back
    into the time before.

    A value at *t* uses only what was known at the close of *t*. It is NaN at a gap, and in the first rows of
    a symbol and after a gap until the feature's window is full (49 sessions by default, 252 for all).

    Parameters
    ----------
    prices : DataFrame
        A prices frame; it is not modified.
    names : iterable of str, or "all", optional
        Which features, in this order; the default ones if omitted. Those need little history and no other
        symbols.

    Raises
    ------
    FeatureEngineeringError
        If a name is unknown, the prices are incomplete, not sorted or not positive, or a feature returns
        anything but one finite number or NaN per row.
    """
    chosen = _chosen(names)
    require_prices(prices, FeatureEngineeringError)
    ordered = prices.reset_index(drop=True)
    history = History(ordered)
    # One block, filled row by row and transposed: half the memory of concatenating columns.
    values = np.empty((len(chosen), len(ordered)))
    for row, name in enumerate(chosen):
        values[row] = _column(name, FEATURES[name](history), ordered)
    values[:, is_gap(ordered).to_numpy()] = np.nan
    keys = ordered[list(KEYS)]
    features = pd.concat([keys, pd.DataFrame(values.T, columns=chosen, copy=False)], axis=1)
    return features[is_member(ordered)].reset_index(drop=True) if MEMBER in ordered else features


def feature_names(frame: pd.DataFrame) -> list[str]:
    """Return the feature columns of a features frame or training table, in their order."""
    return [str(name) for name in frame.columns if name not in {*KEYS, "target"}]


def require_features_frame(features: pd.DataFrame, error: type[STA410Exception]) -> None:
    """Raise `error` unless this is a sorted features frame with numeric, finite columns; NaN may occur."""
    require_series(features, "features", error)
    names = [name for name in features.columns if name not in KEYS]
    if not names:
        message = "The features hold no column but symbol and date; build them with build_features."
        raise error(message)
    for name in names:
        if not isinstance(name, str) or name in TAKEN or names.count(name) > 1:
            why = "is there twice" if names.count(name) > 1 else "has a reserved name"
            why = why if isinstance(name, str) else "is not named by a string"
            message = f"The column {name!r} of the features {why}; drop or rename it."
            raise error(message)
        if not pd.api.types.is_numeric_dtype(features[name]):
            message = f"The feature {name} holds {features[name].dtype}, not numbers; convert or drop it."
            raise error(message)
        infinite = np.isinf(features[name].to_numpy(dtype=float, na_value=np.nan))
        if infinite.any():
            message = f"The feature {name} is infinite for {row_label(features, infinite)}; fix or drop it."
            raise error(message)


def _origin(function: Feature) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def _chosen(names: Iterable[str] | str | None) -> list[str]:
    if names is None:
        return default_features()
    known = registered()
    if isinstance(names, str):
        names = known if names == "all" else [names]
    chosen = list(dict.fromkeys(names))
    if not chosen:
        message = "No feature is named; omit names for the default ones, or give 'all'."
        raise FeatureEngineeringError(message)
    for name in chosen:
        if name not in known:
            message = (
                f"Unknown feature {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}. "
                "Declare the module of a custom feature in notebooks/pipeline.toml, or import it first."
            )
            raise FeatureEngineeringError(message)
    return chosen


def _column(name: str, found: object, prices: pd.DataFrame) -> NDArray[np.float64]:
    try:
        values = np.asarray(found, dtype=float)
    except (TypeError, ValueError) as error:
        message = f"The feature {name} does not return numbers: {error}."
        raise FeatureEngineeringError(message) from error
    if values.shape != (len(prices),):
        message = f"The feature {name} has shape {values.shape}; it needs one value per price row."
        raise FeatureEngineeringError(message)
    infinite = np.isinf(values)
    if infinite.any():
        message = f"The feature {name} is infinite for {row_label(prices, infinite)}; check its prices."
        raise FeatureEngineeringError(message)
    return values
