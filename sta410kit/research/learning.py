"""How much a model learns from more data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, ModelTrainingError
from sta410kit.research.features import feature_names
from sta410kit.research.frames import require_horizon
from sta410kit.research.models import make_model
from sta410kit.research.walk_forward import fit, predict, training_table

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
    make_model(model, seed)  # a wrong name or seed is refused before any work
    if not 0 < test_share < 1:
        message = f"test_share is {test_share!r}; give a share above 0 and below 1."
        raise ConfigurationError(message)
    table, names = training_table(features, prices, horizon), feature_names(features)
    days = np.sort(table["date"].unique())
    begin = int(len(days) * (1 - test_share))
    longest = begin - horizon
    if longest < SHORTEST:
        message = f"{longest} sessions before the test are too few; load {SHORTEST - longest} more or more."
        raise ModelTrainingError(message)
    test = table[table["date"] >= days[begin]]
    rows = []
    for length in _lengths(sessions, longest):
        train = table[table["date"].isin(days[longest - length : longest])]
        estimator = fit(make_model(model, seed), train, names)
        errors = [
            float(
                ((part["target"] - predict(estimator, part, names)) ** 2).mean()
                / (part["target"] ** 2).mean()
            )
            for part in (train, test)
        ]
        rows.append((model, length, len(train), errors[0] ** 0.5, errors[1] ** 0.5))
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
