"""Other paths that the returns of a strategy could have taken, from the stationary bootstrap.

Runs of losses and volatility clusters stay together as far as a block is long. A path holds no crash worse
than the history's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.bootstrap import resampled_positions
from sta410kit.research.performance import annualised_return, drawdowns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

PATHS = 1000
BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
_POINTS = 250  # sessions at which the bands are taken; a figure shows no more
_MOST = 50_000_000  # paths times sessions


@dataclass(frozen=True)
class MonteCarlo:
    """Equity paths resampled from the returns of a strategy.

    ``bands`` has up to 250 rows: ``session`` (number, from 1) and a column per quantile of the equity, start
    1.0. ``paths`` has one row per path: ``total_return``, ``annualised_return``, ``max_drawdown`` and
    ``lowest`` (smallest equity). ``block`` is the mean block length in sessions.
    """

    bands: pd.DataFrame
    paths: pd.DataFrame
    sessions: int
    block: float

    def probability_of_loss(self) -> float:
        """Return the share of paths that end below their start."""
        return float((self.paths["total_return"] < 0).mean())

    def probability_of_ruin(self, loss: float = 0.5) -> float:
        """Return the share of paths that ever lost `loss` of the start (0.5 is half)."""
        return float((self.paths["lowest"] <= 1 - _share("loss", loss)).mean())

    def probability_of_drawdown(self, depth: float = 0.2) -> float:
        """Return the share of paths with a drawdown of `depth` or more (0.2 is a fifth)."""
        return float((self.paths["max_drawdown"] <= -_share("depth", depth)).mean())


def monte_carlo(
    returns: ArrayLike, *, paths: int = PATHS, block: float | None = None, seed: int = 42
) -> MonteCarlo:
    """Return equity paths made of resampled returns.

    Parameters
    ----------
    returns : array of shape (sessions,)
        Simple returns after costs in time order, such as ``Backtest.frame["net"]``; at least 2.
    paths : int
        Number of paths.
    block : float, optional
        Mean block length in sessions; the cube root of the sessions by default, the rate of Politis and
        Romano (1994).
    seed : int
        The same seed gives the same paths.

    Raises
    ------
    DataValidationError
        If there are fewer than two returns, or one is not finite or below -1.
    ConfigurationError
        If the number of paths, the block or the seed is out of range.
    """
    values = np.asarray(returns, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not (np.isfinite(values) & (values >= -1)).all():  # noqa: PLR2004
        message = f"Paths need two or more finite simple returns of -1 or more; got shape {values.shape}."
        raise DataValidationError(message)
    sessions = len(values)
    block = max(sessions ** (1 / 3), 1.0) if block is None else block
    if require_whole("paths", paths, 0) < 1 or not 1 <= block < np.inf or paths * sessions > _MOST:
        message = (
            f"{paths!r} paths of {sessions} sessions in blocks of {block!r}; "
            f"give at least 1 path, at most {_MOST // sessions:,}, and a block of 1 or more."
        )
        raise ConfigurationError(message)
    points = np.unique(np.linspace(1, sessions, min(_POINTS, sessions)).round().astype(int))
    seen, outcomes = [], []
    for drawn in resampled_positions(sessions, block=block, resamples=paths, seed=seed):
        equity = np.cumprod(1 + values[drawn])
        seen.append(equity[points - 1])
        outcomes.append(
            (
                equity[-1] - 1,
                float(annualised_return(equity)),
                drawdowns(equity).min(),
                min(equity.min(), 1.0),
            )
        )
    names = ["total_return", "annualised_return", "max_drawdown", "lowest"]
    quantiles = zip(BANDS, np.quantile(np.array(seen), BANDS, axis=0), strict=True)
    bands = pd.DataFrame({"session": points} | {f"{share:.0%}": row for share, row in quantiles})
    return MonteCarlo(bands, pd.DataFrame(outcomes, columns=names), sessions, float(block))


def _share(name: str, value: float) -> float:
    if not 0 < value <= 1:
        message = f"{name} is {value!r}; give a share above 0, up to 1."
        raise ConfigurationError(message)
    return value
