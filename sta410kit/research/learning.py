"""How much a model learns from more data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.estimation import labelled, make_estimator, predict_folds
from sta410kit.research.frames import require_horizon

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

SHORTEST = 126  # sessions of training, half a year


def learning_curve(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    features: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    model: str = "ridge",
    horizon: int = 1,
    seed: int = 42,
    test_share: float = 0.25,
    sessions: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Return the error of a model in and out of sample by the length of its training.

    The last sessions are the test, the same for all; each training ends `horizon` sessions before them and
    reaches back as far as it is long. Where the two errors meet above naive's, more data will not help.

    Parameters
    ----------
    features, prices : DataFrame
        A features frame and the prices frame it was built from.
    model, horizon, seed
        As given to `walk_forward`.
    test_share : float
        Share of the sessions that is the test, above 0 and below 1.
    sessions : iterable of int, optional
        Lengths of the trainings; from half a year on, each twice the one before, and all when omitted.

    Returns
    -------
    DataFrame
        Columns ``model, sessions, rows, train, test``; the last two are root mean squared errors as a
        fraction of naive's on the same rows.

    Raises
    ------
    ConfigurationError
        If a number makes no sense or the model is unknown.
    ModelTrainingError
        If there are too few sessions.
    """
    import numpy as np
    import pandas as pd

    horizon = require_horizon(horizon)
    make_estimator(model, seed, horizon)  # a wrong name or seed is refused before any work
    if not 0 < test_share < 1:
        message = f"test_share is {test_share!r}; give a share above 0 and below 1."
        raise ConfigurationError(message)
    table = labelled(features, prices, horizon).sort_values("date", kind="stable", ignore_index=True)
    days = np.sort(table["date"].unique())
    begin = int(len(days) * (1 - test_share))
    longest = begin - horizon
    if longest < SHORTEST:
        there = max(longest, 0)
        message = (
            f"{there} sessions before the test are too few; it takes {SHORTEST} or more. "
            "Load a longer period."
        )
        raise ModelTrainingError(message)
    lengths = _lengths(sessions, longest)
    tested = (table["date"] >= days[begin]).to_numpy()
    known = (table["known"] < days[begin]).to_numpy()  # a symbol that misses sessions learns it later
    trained = [known & table["date"].isin(days[longest - each : longest]).to_numpy() for each in lengths]
    # One fit predicts both parts, so that a model of series is given an unbroken past.
    folds = [(np.flatnonzero(train), np.flatnonzero(train | tested)) for train in trained]
    found = predict_folds(table, folds, model=model, seed=seed, horizon=horizon)
    target = table["target"].to_numpy()
    rows = []
    for length, train, (_, both), predicted in zip(lengths, trained, folds, found, strict=True):
        error = target[both] - predicted
        parts = (train[both], tested[both])
        shares = [float((error[part] ** 2).mean() / (target[both][part] ** 2).mean()) for part in parts]
        rows.append((model, length, int(train.sum()), shares[0] ** 0.5, shares[1] ** 0.5))
    return pd.DataFrame(rows, columns=["model", "sessions", "rows", "train", "test"])


def _lengths(sessions: Iterable[int] | None, longest: int) -> list[int]:
    if sessions is None:
        doubled = [SHORTEST * 2**power for power in range(16)]
        return [*(length for length in doubled if length < longest), longest]
    lengths = sorted(set(sessions))
    if not lengths or lengths[0] < 1 or lengths[-1] > longest:
        message = f"sessions is {lengths!r}; give whole numbers from 1 to {longest}."
        raise ConfigurationError(message)
    return lengths
