"""What a Sharpe ratio is worth after many trials: the deflated ratio, and the probability of overfitting.

The number of trials comes from the ledger. There is no argument for it: a count that one types is a count
that one chooses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from itertools import combinations
from math import e
from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.text import percent
from sta410kit.exceptions import DataValidationError
from sta410kit.research.costs import SESSIONS_A_YEAR
from sta410kit.research.ledger import Ledger
from sta410kit.research.performance import session_returns
from sta410kit.research.trial_identity import FEWEST_RETURNS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from sta410kit.research.backtest import Backtest
    from sta410kit.research.ledger import Trials

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
_EULER = 0.5772156649015329  # Euler-Mascheroni constant
_GROUPS = 16  # of Bailey and others; 12,870 ways to choose half of them
_FEWEST_GROUPS = 4
_SHORTEST_GROUP = 5  # sessions
_LEAST_SHARED = 0.8  # of the sessions: one short trial would reduce all others to its own
_ROUNDING = 1e-12
_LARGEST = 1e50  # a return whose fourth power is still finite


@dataclass(frozen=True)
class DeflatedSharpe:
    """The Sharpe ratio of the excess over buy and hold, against the best of as many useless ones.

    ``sharpe`` and ``benchmark`` are per session, not annualised; ``probability`` is the chance that the true
    ratio exceeds ``benchmark``: above 0.95 it passes. ``spread`` is the standard deviation of the recorded
    ratios or, where fewer than two of several trials have one, that of useless strategies. ``overfitting`` is
    the probability of backtest overfitting over ``compared`` recorded trials on ``shared`` sessions, `None`
    if they cannot be compared. ``problem`` says why trials could not be counted, if so.
    """

    sharpe: float
    benchmark: float
    probability: float
    trials: int
    spread: float
    sessions: int
    skewness: float
    kurtosis: float
    overfitting: float | None = None
    compared: int = 0
    shared: int = 0
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the ratio is more than luck explains, at 5 %."""
        return self.probability > CONFIDENCE

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        sharpe, luck = self.sharpe * SESSIONS_A_YEAR**0.5, self.benchmark * SESSIONS_A_YEAR**0.5
        tried = (
            f"the best of {self.trials:,} recorded trials" if self.trials > 1 else "the one recorded trial"
        )
        verb = "exceeds" if self.passed else "does not exceed"
        text = (
            f"The Sharpe ratio over buy and hold, {sharpe:+z.2f} a year, {verb} what luck gives {tried}, "
            f"{luck:.2f}: the probability of skill is {percent(self.probability, '.1%')}, "
            f"and {percent(CONFIDENCE)} is needed."
        )
        trials = f"{self.compared:,} trials on {self.shared:,} common sessions"
        if self.overfitting is not None:
            text += f" Probability of backtest overfitting: {percent(self.overfitting)}, of {trials}."
        elif self.compared > 1:
            text += f" The probability of backtest overfitting is not computed: there are only {trials}."
        return text + (f" Note that {self.problem}." if self.problem else "")

    def _repr_html_(self) -> str:
        colour, text = "#007a59" if self.passed else "#9a5b00", escape(self.sentence)
        return f'<div style="border-left:4px solid {colour};padding:0.3em 1em"><p>{text}</p></div>'


def deflate(backtest: Backtest, predictions: pd.DataFrame, *, ledger: Ledger | None = None) -> DeflatedSharpe:
    """Return the deflated Sharpe ratio of a backtest in excess of its benchmark, and count it as a trial.

    The excess is the return of each session less that of buy and hold, so that a drift is no skill. A
    strategy whose mean position exceeds its equity is compared with as large a position in the benchmark.

    Parameters
    ----------
    backtest : Backtest
        From `backtest.backtest`.
    predictions : DataFrame
        The predictions it followed; they identify the dataset and target.
    ledger : Ledger, optional
        Where the trial is counted; the project's by default.
    """
    frame = backtest.frame.set_index("date")
    levered = max(float(frame["position"].mean()), 1.0)
    excess = frame["net"] - levered * session_returns(frame["benchmark"])
    excess = excess.where(excess.abs() > _ROUNDING, 0.0)  # what follows the benchmark has none
    trials = (ledger or Ledger.of_project()).record_backtest(predictions, excess, backtest.strategy)
    return deflated_sharpe(excess.to_numpy(), trials)


def deflated_sharpe(returns: ArrayLike, trials: Trials) -> DeflatedSharpe:
    """Return the deflated Sharpe ratio of Bailey and López de Prado (2014, J. Portfolio Management 40).

    Parameters
    ----------
    returns : array of shape (sessions,)
        Simple returns of each session in excess of the benchmark.
    trials : Trials
        From the ledger.

    Raises
    ------
    DataValidationError
        If there are fewer than three returns, or one is not finite.
    """
    values = _finite(returns)
    sharpe, skewness, kurtosis = moments(values)
    matrix = _comparable(trials.returns())
    enough = matrix.shape[1] > 1 and len(matrix) >= _LEAST_SHARED * len(values)
    alone = DeflatedSharpe(
        sharpe=sharpe,
        benchmark=0.0,
        probability=0.0,
        trials=1,
        spread=0.0,
        sessions=len(values),
        skewness=skewness,
        kurtosis=kurtosis,
        overfitting=probability_of_overfitting(matrix.to_numpy()) if enough else None,
        compared=matrix.shape[1],
        shared=len(matrix),
        problem=trials.problem,
    )
    return against_luck(alone, trials)


def against_luck(found: DeflatedSharpe, trials: Trials) -> DeflatedSharpe:
    """Return a deflated Sharpe ratio against the best that luck gives all `trials`."""
    count = max(trials.count, found.trials)
    if len(trials.sharpes) > 1:
        spread = float(np.var(trials.sharpes, ddof=1)) ** 0.5
    else:  # one trial has no spread; several without ratios get that of ratios whose truth is 0
        spread = 0.0 if count == 1 else (found.sessions - 1) ** -0.5
    benchmark = spread * expected_best(count)
    return replace(
        found,
        benchmark=benchmark,
        probability=_probabilistic(found.sharpe, found.skewness, found.kurtosis, found.sessions, benchmark),
        trials=count,
        spread=spread,
    )


def _comparable(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the sessions that all trials share, without trials that are much shorter than the longest."""
    lengths = returns.notna().sum()
    kept = returns.columns[(lengths >= _LEAST_SHARED * lengths.max()).to_numpy()]
    shared: pd.DataFrame = returns[kept].dropna()
    return shared


def probabilistic_sharpe(returns: ArrayLike, benchmark: float = 0.0) -> float:
    """Return the chance that the true Sharpe ratio per session exceeds the benchmark.

    Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15: short
    samples, negative skewness and fat tails lower it. 0 for constant returns.
    """
    values = _finite(returns)
    return _probabilistic(*moments(values), len(values), benchmark)


def _probabilistic(sharpe: float, skewness: float, kurtosis: float, size: int, benchmark: float) -> float:
    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    if not kurtosis:
        return 0.0
    # Not negative but for rounding, and 0 for returns with two values.
    variance = max(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2, _ROUNDING)
    return float(norm.cdf((sharpe - benchmark) * (size - 1) ** 0.5 / variance**0.5))


def expected_best(trials: int) -> float:
    """Return the expected maximum of independent normal draws, in standard deviations; 0 for one.

    Equation 6 of Bailey and López de Prado (2014).
    """
    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    if trials <= 1:
        return 0.0
    return float((1 - _EULER) * norm.isf(1 / trials) + _EULER * norm.isf(1 / (trials * e)))


def moments(returns: Floats) -> tuple[float, float, float]:
    """Return Sharpe ratio per session, skewness and kurtosis (3 for a normal); zeros for constant returns."""
    centred = returns - returns.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    if not deviation > _ROUNDING * float(np.abs(returns).max()):
        return 0.0, 0.0, 0.0
    sharpe = float(returns.mean() / returns.std(ddof=1))
    return sharpe, float(np.mean((centred / deviation) ** 3)), float(np.mean((centred / deviation) ** 4))


def probability_of_overfitting(returns: ArrayLike) -> float | None:
    """Return how often the strategy that is best in half of the sessions is below the median in the rest.

    The sessions are split into 16 groups, or fewer so that each has at least five.

    Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu (2017), "The
    probability of backtest overfitting", Journal of Computational Finance 20. At 0.5 and more, selecting is
    worthless.

    Parameters
    ----------
    returns : array of shape (sessions, strategies)
        Simple returns without gaps.

    Returns
    -------
    float or None
        `None` with fewer than two strategies, or fewer than 20 sessions.

    Raises
    ------
    DataValidationError
        If the returns are no table of finite numbers.
    """
    table = np.asarray(returns, dtype=float)
    if table.ndim != 2 or not np.isfinite(table).all():  # noqa: PLR2004 - sessions and strategies
        message = f"Overfitting needs finite returns of shape (sessions, strategies); got {table.shape}."
        raise DataValidationError(message)
    groups = min(_GROUPS, table.shape[0] // _SHORTEST_GROUP) // 2 * 2
    if table.shape[1] < 2 or groups < _FEWEST_GROUPS:  # noqa: PLR2004 - one strategy has no rival
        return None
    length = table.shape[0] // groups
    blocks = table[-groups * length :].reshape(
        groups, length, -1
    )  # the oldest sessions that fill no group go
    picks = np.array(list(combinations(range(groups), groups // 2)))
    chosen = np.zeros((len(picks), groups))
    np.put_along_axis(chosen, picks, 1.0, axis=1)
    sums, squares = blocks.sum(axis=1), (blocks**2).sum(axis=1)
    below = 0.0
    at_once = max(1, 4_000_000 // table.shape[1])  # bounds the memory
    for start in range(0, len(chosen), at_once):
        half = chosen[start : start + at_once]
        inside, outside = (
            _sharpes(part @ sums, part @ squares, groups * length // 2) for part in (half, 1 - half)
        )
        winner = np.take_along_axis(outside, inside.argmax(axis=1)[:, None], axis=1)
        rank = (outside < winner).sum(axis=1) + ((outside == winner).sum(axis=1) + 1) / 2
        below += float((rank / (table.shape[1] + 1) <= 0.5).sum())  # noqa: PLR2004 - the median
    return below / len(chosen)


def _sharpes(sums: Floats, squares: Floats, size: int) -> Floats:
    mean = sums / size
    variance = squares / size - mean**2
    alive = variance > _ROUNDING * squares / size
    return np.where(alive, mean / np.sqrt(np.where(alive, variance, 1.0)), 0.0)


def _finite(returns: ArrayLike) -> Floats:
    values = np.asarray(returns, dtype=float)
    if values.ndim != 1 or len(values) < FEWEST_RETURNS or not (np.abs(values) < _LARGEST).all():
        message = f"A Sharpe ratio needs three finite returns or more; got shape {values.shape}."
        raise DataValidationError(message)
    return values
