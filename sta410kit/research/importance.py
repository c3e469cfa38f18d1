"""Permutation importance over purged walk-forward folds, with noise features as the yardstick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.features import feature_names
from sta410kit.research.folds import MIN_TRAIN, REFIT_EVERY, fold_rows, splits
from sta410kit.research.target_names import DEFAULT
from sta410kit.research.targets import TargetName, sessions_ahead
from sta410kit.research.walk_forward import labelled, make_estimator, needs_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BEFORE = 100  # dates of noise that are thrown away, until it is stationary


def permutation_importance(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    features: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    model: str = "ridge",
    horizon: int = 1,
    target: TargetName = DEFAULT,
    seed: int = 42,
    min_train: int = MIN_TRAIN,
    refit_every: int = REFIT_EVERY,
    window: int | None = None,
    repeats: int = 5,
    noises: int = 10,
) -> pd.DataFrame:
    """Return how much out-of-sample R² is lost without each feature (Breiman 2001, Machine Learning 45).

    In each fold of the walk-forward the model is fitted as in `walk_forward`, and one feature at a time is
    replaced in the test block by its own values from a random stretch of the training block, equally long.
    Shuffling rows would leave symbols that move together, and neighbouring dates, half in place, and would
    give a row feature values of later dates, which know its outcome. A stretch keeps the order of its dates
    and, on each of them, which value belongs to which symbol. Correlated features stand in for each other, so
    that each of them loses less than all of them together would.

    Parameters
    ----------
    features, prices, model, horizon, target, seed, min_train, refit_every, window
        As in `walk_forward`.
    repeats : int
        Stretches per fold.
    noises : int
        Features of pure noise to fit along, Gaussian AR(1), as autocorrelated over dates and as correlated
        between symbols as the median feature is. What is not above all of them tells nothing; of useless
        features one in `noises` + 1 is above them by luck.

    Returns
    -------
    DataFrame
        Columns ``feature, r2_lost, error, noise``, the largest first. ``error`` is the standard error over
        folds.

    Raises
    ------
    ConfigurationError
        If a number is out of range, or the model predicts from histories instead of rows.
    ModelTrainingError
        If there are too few sessions.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped,unused-ignore]

    for name, value in (("repeats", repeats), ("noises", noises)):
        require_whole(name, value)
    if needs_history(make_estimator(model, seed, horizon, target=target)):
        message = f"{model} is no single model that predicts row by row; importance needs one, such as ridge."
        raise ConfigurationError(message)
    table = labelled(features, prices, horizon, target).sort_values("date", kind="stable", ignore_index=True)
    names = feature_names(table.drop(columns="known"))
    rng = np.random.default_rng(seed)
    date, days = pd.factorize(table["date"])
    symbol, symbols = pd.factorize(table["symbol"])
    cube = np.full((len(days), len(symbols), len(names)), np.nan)
    cube[date, symbol] = table[names].to_numpy(dtype=float)
    cube = np.concatenate([cube, _noise(cube, noises, rng)], axis=2)
    matrix, outcome = cube[date, symbol], table["target"].to_numpy(dtype=float)
    means = np.nansum(cube, axis=1) / np.isfinite(cube).sum(axis=1)
    cube = np.where(np.isfinite(cube), cube, means[:, None, :])  # a symbol that was not there yet
    folds = splits(
        table["date"], sessions_ahead(horizon, target),
        min_train=min_train, refit_every=refit_every, window=window,
    )  # fmt: skip
    lost, naive = [], 0.0
    for train, test in (fold_rows(fold, table) for fold in folds):
        estimator = make_estimator(model, seed, horizon, target=target)
        past, block = np.unique(date[train]), np.unique(date[test])
        starts = rng.integers(max(len(past) - len(block), 0) + 1, size=repeats)
        others = [past[(start + date[test] - block[0]) % len(past)] for start in starts]
        with threadpool_limits(limits=1):
            estimator.fit(matrix[train], outcome[train])
            whole = np.sum((outcome[test] - estimator.predict(matrix[test])) ** 2)
            without = [
                np.mean([np.sum((outcome[test] - estimator.predict(each)) ** 2) for each in replaced])
                for replaced in _replaced(matrix[test], [cube[other, symbol[test]] for other in others])
            ]
        lost.append(np.array(without) - whole)
        naive += float(np.sum(outcome[test] ** 2))
    found = pd.DataFrame(
        {
            "feature": [*names, *(f"noise {number + 1}" for number in range(noises))],
            "r2_lost": np.sum(lost, axis=0) / naive,
            "error": np.std(lost, axis=0, ddof=min(1, len(lost) - 1)) * len(lost) ** 0.5 / naive,
            "noise": [False] * len(names) + [True] * noises,
        }
    )
    return found.sort_values("r2_lost", ascending=False, ignore_index=True)


def _replaced(block: Floats, others: list[Floats]) -> Iterator[list[Floats]]:
    """Yield for each feature the block with that feature from each of the others."""
    for number in range(block.shape[1]):
        yield [
            np.column_stack([block[:, :number], other[:, number], block[:, number + 1 :]]) for other in others
        ]


def _noise(cube: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return Gaussian noise, shape (dates, symbols, count), persistent and common as the median feature."""
    from scipy.signal import lfilter  # type: ignore[import-untyped,unused-ignore]

    days, symbols, width = cube.shape
    frames = [pd.DataFrame(cube[:, :, number]) for number in range(width)]
    persistence = float(np.nanmedian([frame.corrwith(frame.shift()).mean() for frame in frames]))
    upper = np.triu_indices(symbols, 1)
    common = (
        float(np.nanmedian([frame.corr().to_numpy()[upper].mean() for frame in frames]))
        if symbols > 1
        else 0.0
    )
    share, decay = np.clip(common, 0, 1), np.clip(persistence, 0, 0.999)
    shocks = rng.standard_normal((_BEFORE + days, symbols + 1, count))
    both = lfilter([np.sqrt(1 - decay**2)], [1, -decay], shocks, axis=0)[_BEFORE:]
    noise: Floats = np.sqrt(share) * both[:, :1] + np.sqrt(1 - share) * both[:, 1:]
    return noise
