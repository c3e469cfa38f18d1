"""How else the returns of a strategy could have fallen: paths from the stationary bootstrap.

Blocks of the strategy's own returns, of random length, are put together anew (Politis and Romano 1994, see
`bootstrap`). Runs of losses and spells of volatility stay together as far as a block is long. A path holds
only what the history held: no crash worse than its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import bootstrap

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

PATHS = 1000
BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
_POINTS = 250  # sessions at which the bands are taken; a figure shows no more
_AT_ONCE = 500_000  # returns resampled at once; keeps memory flat however long the series
_MOST = 50_000_000  # paths times sessions


@dataclass(frozen=True)
class MonteCarlo:
    """Paths of equity that the same returns could have made.

    ``bands`` has one row each for up to 250 sessions: ``session`` (number, from 1) and a column for each
    quantile of the equity, start 1.0. ``paths`` has one row a path: ``total_return``, ``annualised_return``,
    ``max_drawdown`` and ``lowest`` (smallest equity). ``block`` is the mean length of a block in sessions.
    """

    bands: pd.DataFrame
    paths: pd.DataFrame
    sessions: int
    block: float

    def probability_of_loss(self) -> float:
        """Return the share of paths that end below their start."""
        return float((self.paths["total_return"] < 0).mean())

    def probability_of_ruin(self, loss: float = 0.5) -> float:
        """Return the share of paths whose equity was ever down by `loss` of the start (0.5 is half)."""
        return float((self.paths["lowest"] <= 1 - _share("loss", loss)).mean())

    def probability_of_drawdown(self, depth: float = 0.2) -> float:
        """Return the share of paths that fell by `depth` or more from a peak (0.2 is a fifth)."""
        return float((self.paths["max_drawdown"] <= -_share("depth", depth)).mean())

    def summary(self) -> pd.DataFrame:
        """Return the quantiles of what the paths ended with, one row a figure."""
        table = self.paths[["total_return", "annualised_return", "max_drawdown"]].quantile(list(BANDS)).T
        return table.rename(columns={share: f"{share:.0%}" for share in BANDS})


def monte_carlo(
    returns: ArrayLike, *, paths: int = PATHS, block: float | None = None, seed: int = 42
) -> MonteCarlo:
    """Return paths made of resampled returns.

    Parameters
    ----------
    returns : array of shape (sessions,)
        Simple returns after costs in time order, such as ``Backtest.frame["net"]``; at least 2.
    paths : int
        How many paths.
    block : float, optional
        Mean block length in sessions; `bootstrap.block_length` when omitted.
    seed : int
        The same seed gives the same paths.

    Raises
    ------
    DataValidationError
        If there are fewer than two returns, or one is no finite number or below -1.
    ConfigurationError
        If the number of paths or the block makes no sense, or the paths would not fit in memory.
    """
    import numpy as np
    import pandas as pd

    values = np.asarray(returns, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not (np.isfinite(values) & (values >= -1)).all():  # noqa: PLR2004
        message = (
            f"The paths take two or more finite simple returns of -1 or more; got shape {values.shape} "
            "with fewer, gaps, or a loss of more than everything."
        )
        raise DataValidationError(message)
    sessions = len(values)
    block = bootstrap.block_length(sessions) if block is None else block
    if require_whole("paths", paths, 0) < 1 or not 1 <= block < np.inf or paths * sessions > _MOST:
        message = (
            f"{paths!r} paths of {sessions} sessions in blocks of {block!r}; "
            f"give at least 1 path, at most {_MOST // sessions:,}, and a block of 1 or more."
        )
        raise ConfigurationError(message)
    rng = np.random.default_rng(require_whole("seed", seed, 0))
    points = np.unique(np.linspace(1, sessions, min(_POINTS, sessions)).round().astype(int))
    at_once = max(1, _AT_ONCE // sessions)
    parts = [
        _walk(values, min(at_once, paths - done), block, points, rng) for done in range(0, paths, at_once)
    ]
    outcomes = pd.concat([part for part, _ in parts], ignore_index=True)
    quantiles = np.quantile(np.concatenate([seen for _, seen in parts]), BANDS, axis=0)
    bands = pd.DataFrame(
        {"session": points} | {f"{share:.0%}": row for share, row in zip(BANDS, quantiles, strict=True)}
    )
    return MonteCarlo(bands, outcomes, sessions, float(block))


def _walk(
    values: Floats, paths: int, block: float, points: NDArray[np.int64], rng: np.random.Generator
) -> tuple[pd.DataFrame, Floats]:
    """Return what some paths came to, and their equity at the points."""
    import numpy as np
    import pandas as pd

    from sta410kit.research.performance import annualised_return, drawdowns

    drawn = bootstrap.stationary_indices(len(values), paths, block, rng)
    equity: Floats = np.cumprod(1 + values[drawn], axis=1, dtype=np.float64)
    outcomes = {
        "total_return": equity[:, -1] - 1,
        "annualised_return": annualised_return(equity),
        "max_drawdown": drawdowns(equity).min(axis=1),
        "lowest": np.minimum(equity.min(axis=1), 1.0),
    }
    return pd.DataFrame(outcomes), equity[:, points - 1]


def _share(name: str, value: float) -> float:
    if not 0 < value <= 1:
        message = f"{name} is {value!r}; give a share above 0, up to 1."
        raise ConfigurationError(message)
    return value
