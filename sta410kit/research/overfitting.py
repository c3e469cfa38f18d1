"""What a Sharpe ratio is worth after so many tries: the deflated ratio, and the probability of overfitting.

The number of tries comes from the trials ledger. There is no argument for it: a count that one types is a
count that one chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import require_whole
from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research.costs import SESSIONS_A_YEAR
from sta410kit.research.trial_identity import FEWEST

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from sta410kit.research.ledger import Trials

    Floats = NDArray[np.float64]

CONFIDENCE = 0.95
_EULER = 0.5772156649015329  # Euler-Mascheroni constant
_GROUPS = 16  # of Bailey and others; 12,870 ways to choose half of them
_FEWEST_GROUPS = 4  # two are no combinations
_SHORTEST_GROUP = 5  # sessions
_ROUNDING = 1e-12
_LARGEST = 1e50  # a return whose fourth power is still a number
_ALIKE = 0.9  # correlation with a recorded trial; the same strategy under other costs has more


@dataclass(frozen=True)
class DeflatedSharpe:
    """A Sharpe ratio against what the best of as many useless strategies would have shown.

    ``sharpe`` and ``benchmark`` are of one session, not annualised; ``probability`` is the chance that the
    true ratio exceeds ``benchmark``: above 0.95 it passes. ``spread`` is the standard deviation of the
    recorded ratios; of several trials fewer than two may have one, and it is that of useless strategies over
    as many sessions then. ``overfitting`` is the probability of backtest
    overfitting over the recorded trials, `None` with fewer than two that can be compared. ``problem`` says
    why trials could not be counted, if they could not; ``trials`` is 1 then.
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
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the ratio is more than luck explains, at 5 %."""
        return self.probability > CONFIDENCE

    @property
    def sentence(self) -> str:
        """Say what came out in one sentence."""
        tried = (
            f"the best of {self.trials:,} recorded trials" if self.trials > 1 else "the one recorded trial"
        )
        counted = f" Mind that {self.problem}." if self.problem else ""
        over = (
            ""
            if self.overfitting is None
            else f" Probability of backtest overfitting: {self.overfitting:.0%}."
        )
        verb = "exceeds" if self.passed else "does not exceed"
        return (
            f"The Sharpe ratio of {self.sharpe * SESSIONS_A_YEAR**0.5:+z.2f} a year {verb} "
            f"what luck gives {tried} ({self.benchmark * SESSIONS_A_YEAR**0.5:.2f}): "
            f"probability {self.probability:.1%}, {CONFIDENCE:.0%} needed.{over}{counted}"
        )

    def _repr_html_(self) -> str:
        """Return the sentence as a notebook shows it."""
        colour, text = "#007a59" if self.passed else "#9a5b00", escape(self.sentence)
        return f'<div style="border-left:4px solid {colour};padding:0.3em 1em"><p>{text}</p></div>'


def deflate(returns: pd.Series[float], predictions: pd.DataFrame) -> DeflatedSharpe:
    """Return the deflated Sharpe ratio of a strategy, with the ledger's count of trials on the same outcomes.

    Parameters
    ----------
    returns : Series
        The strategy's simple return of each session after costs, indexed by date.
    predictions : DataFrame
        The predictions it followed; they say which dataset and target the trials are counted for.

    Raises
    ------
    DataValidationError
        If the predictions cannot be judged, or the returns are no series of finite numbers by date, three or
        more, or all of another time than the predictions.
    """
    from dataclasses import replace

    from sta410kit.research import ledger
    from sta410kit.research.panel import read_panel

    dates = read_panel(predictions).dates  # refuses what cannot be judged
    _require_same_time(returns, dates)
    trials = ledger.read(predictions)
    if not trials.problem and not _is_recorded(returns, trials):
        trials = replace(trials, problem="these returns follow no recorded trial, so theirs is not counted")
    return deflated_sharpe(returns.to_numpy(), trials)


def deflated_sharpe(returns: ArrayLike, trials: Trials) -> DeflatedSharpe:
    """Return the deflated Sharpe ratio of Bailey and López de Prado.

    "The deflated Sharpe ratio: correcting for selection bias, backtest overfitting and non-normality",
    Journal of Portfolio Management 40 (2014): the probabilistic ratio against the best expected of the
    trials.

    Parameters
    ----------
    returns : array of shape (sessions,)
        Simple returns of each session.
    trials : Trials
        From the ledger.

    Raises
    ------
    DataValidationError
        If there are fewer than three returns, or one is not a finite number.
    """
    import numpy as np

    values = _finite(returns)
    count = max(trials.count, 1)
    if len(trials.sharpes) > 1:
        spread = float(np.var(trials.sharpes, ddof=1)) ** 0.5
    else:  # of one trial there is none; of several without a ratio, that of ratios whose truth is 0
        spread = 0.0 if count == 1 else (len(values) - 1) ** -0.5
    benchmark = spread * expected_best(count)
    sharpe, skewness, kurtosis = moments(values)
    matrix = trials.returns()
    return DeflatedSharpe(
        sharpe=sharpe,
        benchmark=benchmark,
        probability=probabilistic_sharpe(values, benchmark),
        trials=count,
        spread=spread,
        sessions=len(values),
        skewness=skewness,
        kurtosis=kurtosis,
        overfitting=probability_of_overfitting(matrix.dropna().to_numpy()) if matrix.shape[1] > 1 else None,
        problem=trials.problem,
    )


def probabilistic_sharpe(returns: ArrayLike, benchmark: float = 0.0) -> float:
    """Return the chance that the true Sharpe ratio of a session exceeds the benchmark.

    Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15: short
    samples, negative skewness and fat tails lower it. 0 for returns that never differ.
    """
    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    values = _finite(returns)
    sharpe, skewness, kurtosis = moments(values)
    if not kurtosis:
        return 0.0
    # Never negative, but for rounding: of returns with two values it can be 0.
    variance = max(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2, _ROUNDING)
    return float(norm.cdf((sharpe - benchmark) * (len(values) - 1) ** 0.5 / variance**0.5))


def expected_best(trials: int) -> float:
    """Return the expected best of so many independent draws, in standard deviations; 0 for one.

    From the extreme value distribution, equation 6 of Bailey and López de Prado (2014).
    """
    from math import e

    from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

    if trials <= 1:
        return 0.0
    return float((1 - _EULER) * norm.isf(1 / trials) + _EULER * norm.isf(1 / (trials * e)))


def moments(returns: Floats) -> tuple[float, float, float]:
    """Return Sharpe ratio of a session, skewness, kurtosis (3 for a normal); 0 if returns never differ."""
    import numpy as np

    centred = returns - returns.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    if not deviation > 1e-12 * float(np.abs(returns).max()):  # rounding apart, all the same
        return 0.0, 0.0, 0.0
    sharpe = float(returns.mean() / returns.std(ddof=1))
    return sharpe, float(np.mean((centred / deviation) ** 3)), float(np.mean((centred / deviation) ** 4))


def probability_of_overfitting(returns: ArrayLike, groups: int = _GROUPS) -> float | None:
    """Return how often the strategy that is best in half of the sessions is below the median in the rest.

    Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu (2017), "The
    probability of backtest overfitting", Journal of Computational Finance 20. The sessions are cut into
    groups, and each choice of half of them selects a strategy by its Sharpe ratio. About 0.5 and more:
    selecting is worthless.

    Parameters
    ----------
    returns : array of shape (sessions, strategies)
        Simple returns, no gaps.
    groups : int
        Even, 4 or more; fewer are used where sessions are few, so that each has at least five sessions.

    Returns
    -------
    float or None
        `None` with fewer than two strategies, or fewer than 20 sessions.

    Raises
    ------
    DataValidationError
        If the returns are no table of finite numbers.
    ConfigurationError
        If the number of groups is not even, or below 4.
    """
    import numpy as np

    if require_whole("groups", groups, _FEWEST_GROUPS) % 2:
        message = f"groups is {groups}; give an even number, for half of them select and half judge."
        raise ConfigurationError(message)
    table = _floats(returns)
    if table.ndim != 2 or not np.isfinite(table).all():  # noqa: PLR2004 - sessions and strategies
        message = (
            "Overfitting is judged on finite returns of shape (sessions, strategies); "
            f"got an array of shape {table.shape}."
        )
        raise DataValidationError(message)
    groups = min(groups, table.shape[0] // _SHORTEST_GROUP) // 2 * 2
    if table.shape[1] < 2 or groups < _FEWEST_GROUPS:  # noqa: PLR2004 - one has no rival
        return None
    length = table.shape[0] // groups
    # The oldest sessions that fill no group go.
    blocks = table[-groups * length :].reshape(groups, length, -1)
    chosen = _halves(groups)
    sums, squares = blocks.sum(axis=1), (blocks**2).sum(axis=1)
    below = 0.0
    at_once = max(1, 4_000_000 // table.shape[1])
    for start in range(0, len(chosen), at_once):
        half = chosen[start : start + at_once]
        inside, outside = (
            _sharpes(part @ sums, part @ squares, groups * length // 2) for part in (half, 1 - half)
        )
        winner = np.take_along_axis(outside, inside.argmax(axis=1)[:, None], axis=1)
        rank = (outside < winner).sum(axis=1) + ((outside == winner).sum(axis=1) + 1) / 2
        below += float((rank / (table.shape[1] + 1) <= 0.5).sum())  # noqa: PLR2004 - the median
    return below / len(chosen)


def _halves(groups: int) -> Floats:
    """Return every choice of half of the groups, one row a choice, 1 where chosen."""
    from itertools import combinations

    import numpy as np

    picks = np.array(list(combinations(range(groups), groups // 2)))
    chosen = np.zeros((len(picks), groups))
    np.put_along_axis(chosen, picks, 1.0, axis=1)
    return chosen


def _sharpes(sums: Floats, squares: Floats, size: int) -> Floats:
    import numpy as np

    mean = sums / size
    variance = squares / size - mean**2
    alive = variance > 1e-12 * squares / size  # what is left of rounding is no variance
    return np.where(alive, mean / np.sqrt(np.where(alive, variance, 1.0)), 0.0)


def _finite(returns: ArrayLike) -> Floats:
    import numpy as np

    values = _floats(returns)
    if values.ndim != 1 or len(values) < FEWEST or not (np.abs(values) < _LARGEST).all():
        message = f"A Sharpe ratio takes three finite returns or more; got an array of shape {values.shape}."
        raise DataValidationError(message)
    return values


def _floats(returns: ArrayLike) -> Floats:
    import numpy as np

    try:
        return np.asarray(returns, dtype=float)
    except (TypeError, ValueError) as error:
        message = f"The returns are no numbers: {error}."
        raise DataValidationError(message) from error


def _require_same_time(returns: pd.Series[float], dates: pd.DatetimeIndex) -> None:
    """Raise unless the returns are a series by date, some of it from the first decision on."""
    import pandas as pd

    if not isinstance(returns, pd.Series) or not isinstance(returns.index, pd.DatetimeIndex):
        message = (
            "The returns are no series indexed by date; give one, such as "
            'backtest(predictions, prices).frame.set_index("date")["net"].'
        )
        raise DataValidationError(message)
    days = pd.DatetimeIndex(returns.index).tz_localize(None)
    if len(days) and not ((days >= dates[0]) & (days <= dates[-1])).any():
        message = (
            f"The returns are of {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}, the predictions of "
            f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}; give the returns of following these predictions."
        )
        raise DataValidationError(message)


def _is_recorded(returns: pd.Series[float], trials: Trials) -> bool:
    """Tell whether the returns move with those of a trial, where there are any to compare."""
    import numpy as np
    import pandas as pd

    known = trials.returns()
    own = returns.set_axis(pd.DatetimeIndex(returns.index).tz_localize(None)).rename("own")
    if known.empty or not moments(_finite(own))[2]:
        return True
    both = known.join(own, how="inner")
    with np.errstate(divide="ignore", invalid="ignore"):  # a trial that never moved has no correlation
        return bool((both.drop(columns="own").corrwith(both["own"]) > _ALIKE).any())
