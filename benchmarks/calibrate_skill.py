"""How often the verdict on skill is wrong, measured where the truth is known.

Run ``python benchmarks/calibrate_skill.py`` for the full size (some minutes on two cores); ``--series 20``
for a glance. Each experiment simulates series whose truth is known, judges them as a notebook would, and
counts. No trial of it reaches a project's ledger.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from threadpoolctl import threadpool_limits

from sta410kit.research.backtest import backtest
from sta410kit.research.costs import Costs
from sta410kit.research.execution import check_execution
from sta410kit.research.features import build_features
from sta410kit.research.ledger import Ledger
from sta410kit.research.overfitting import CONFIDENCE, deflated_sharpe, probabilistic_sharpe
from sta410kit.research.skill import RESAMPLES, assess_skill
from sta410kit.research.walk_forward import walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sta410kit.research.target_names import TargetName

    Floats = NDArray[np.float64]

TEN_YEARS, FIVE_YEARS = 2500, 1250  # sessions
WARM_UP = 400  # sessions the pipeline takes before its first prediction with an interval
PLANTED = 0.02  # R²
DAILY = 0.01  # volatility of a session
HALF_SPREAD = 0.004
NIGHTS = 61
POWER, FALSE_ALARMS, PASSING = 0.8, 0.05, 0.005  # what is promised: at least, at most, at most


def normal(rng: np.random.Generator, sessions: int, symbols: int) -> Floats:
    """Return independent normal returns, shape (sessions, symbols)."""
    return DAILY * rng.standard_normal((sessions, symbols))


def heavy(rng: np.random.Generator, sessions: int, symbols: int) -> Floats:
    """Return independent returns with the tails of Student's t with three degrees of freedom."""
    return DAILY * rng.standard_t(3, (sessions, symbols)) / 3**0.5


def garch(rng: np.random.Generator, sessions: int, symbols: int) -> Floats:
    """Return GARCH(1, 1) returns without any memory in the mean: calm years and rough ones."""
    noise = rng.standard_normal((sessions + 500, symbols))
    returns, variance = np.empty_like(noise), np.ones(symbols)
    for now in range(len(noise)):
        returns[now] = np.sqrt(variance) * noise[now]
        variance = 0.02 + 0.09 * returns[now] ** 2 + 0.89 * variance
    return DAILY * returns[500:]


def drifting(rng: np.random.Generator, sessions: int, symbols: int) -> Floats:
    """Return normal returns that rise 25 % a year: an index in a good decade, and more."""
    return normal(rng, sessions, symbols) + 0.001


def momentum(rng: np.random.Generator, sessions: int, symbols: int) -> Floats:
    """Return an autoregression in which yesterday explains 2 % of today, the planted signal."""
    returns = normal(rng, sessions + 1, symbols)
    for now in range(1, len(returns)):
        returns[now] = PLANTED**0.5 * returns[now - 1] + (1 - PLANTED) ** 0.5 * returns[now]
    return returns[1:]


def prices_of(returns: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Return a prices frame whose adjusted closes make these log returns."""
    sessions = len(returns)
    parts = []
    for number, column in enumerate(returns.T):
        close = 100 * np.exp(np.cumsum(column))
        opened = close * np.exp(0.2 * DAILY * rng.standard_normal(sessions))
        parts.append(
            pd.DataFrame(
                {
                    "symbol": f"S{number}",
                    "date": pd.bdate_range("2000-01-03", periods=sessions, unit="us"),
                    "open": opened,
                    "high": np.maximum(opened, close) * np.exp(0.2 * DAILY * rng.random(sessions)),
                    "low": np.minimum(opened, close) * np.exp(-0.2 * DAILY * rng.random(sessions)),
                    "close": close,
                    "adj_close": close,
                    "volume": rng.integers(1_000, 2_000, sessions),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def predictions_of(actual: Floats, predicted: Floats, horizon: int = 1) -> pd.DataFrame:
    """Return a predictions frame of these outcomes and predictions, shape (sessions, symbols)."""
    sessions, symbols = actual.shape
    return pd.DataFrame(
        {
            "symbol": np.repeat([f"S{number}" for number in range(symbols)], sessions),
            "date": np.tile(pd.bdate_range("2000-01-03", periods=sessions, unit="us"), symbols),
            "horizon": horizon,
            "model": "simulated",
            "fold": 0,
            "predicted": predicted.T.ravel(),
            "actual": actual.T.ravel(),
            "lower": predicted.T.ravel() - 2 * DAILY,
            "upper": predicted.T.ravel() + 2 * DAILY,
        }
    )


def through_the_pipeline(
    seed: int, *, make: Callable[..., Floats], sessions: int = TEN_YEARS, symbols: int = 1
) -> pd.DataFrame:
    """Return what ridge predicts for simulated prices: features, walk-forward and all."""
    rng = np.random.default_rng(seed)
    prices = prices_of(make(rng, sessions + WARM_UP, symbols), rng)
    return walk_forward(build_features(prices), prices, model="ridge")


def noise(
    seed: int, *, make: Callable[..., Floats], size: float, symbols: int = 1, horizon: int = 1
) -> pd.DataFrame:
    """Return predictions that are noise, `size` times as large as the outcomes."""
    rng = np.random.default_rng(seed)
    path = make(rng, TEN_YEARS + horizon, symbols).cumsum(axis=0)
    guess = make(rng, TEN_YEARS + horizon, symbols).cumsum(axis=0)
    actual, predicted = path[horizon:] - path[:-horizon], guess[horizon:] - guess[:-horizon]
    return predictions_of(actual, size * predicted, horizon)


def the_mean(seed: int, *, sessions: int = TEN_YEARS) -> pd.DataFrame:
    """Return the historical mean as the prediction of prices that drift."""
    actual = drifting(np.random.default_rng(seed), sessions + 252, 1)
    mean = actual.cumsum(axis=0) / np.arange(1, len(actual) + 1)[:, None]
    return predictions_of(actual[252:], mean[251:-1])


def one_lucky_year(seed: int) -> pd.DataFrame:
    """Return ten years of small noise, and among them one year that knows a fifth of what happens."""
    rng = np.random.default_rng(seed)
    actual = normal(rng, TEN_YEARS, 1)
    predicted = 0.02 * normal(rng, TEN_YEARS, 1)
    begin = int(rng.integers(TEN_YEARS - 252))
    year = slice(begin, begin + 252)
    predicted[year] = 0.2 * actual[year] + 0.4 * normal(rng, 252, 1)
    return predictions_of(actual, predicted)


def planted(seed: int, *, make: Callable[..., Floats], symbols: int = 1) -> pd.DataFrame:
    """Return predictions with an out-of-sample R² of 2 %: the signal itself."""
    rng = np.random.default_rng(seed)
    signal = PLANTED**0.5 * normal(rng, TEN_YEARS, symbols)
    actual = signal + (1 - PLANTED) ** 0.5 * make(rng, TEN_YEARS, symbols)
    return predictions_of(actual, signal)


def persistent(rng: np.random.Generator, sessions: int, symbols: int, memory: float) -> Floats:
    """Return an autoregression of variance 1 that keeps `memory` of itself from one session to the next."""
    return np.asarray(
        lfilter([(1 - memory**2) ** 0.5], [1, -memory], rng.standard_normal((sessions, symbols)), axis=0)
    )


def ahead(returns: Floats, horizon: int) -> Floats:
    """Return the return over the next `horizon` sessions, from each session that has one."""
    path = np.vstack([np.zeros((1, returns.shape[1])), returns.cumsum(axis=0)])
    return path[horizon:] - path[:-horizon]


def cross_section(seed: int, *, sessions: int, horizon: int, r2: float, symbols: int = 50) -> pd.DataFrame:
    """Return symbols correlated by 0.5, whose returns less the market the predictions explain by `r2`."""
    rng = np.random.default_rng(seed)
    memory = 0.97 if horizon > 1 else 0.0
    signal = persistent(rng, sessions + horizon, symbols, memory)
    signal -= signal.mean(axis=1, keepdims=True)
    reach = sum(memory**age for age in range(horizon))
    scale = DAILY * (r2 * 0.5 * horizon) ** 0.5 / reach
    returns = 0.5**0.5 * (normal(rng, sessions + horizon, 1) + normal(rng, sessions + horizon, symbols))
    returns[1:] += scale * signal[:-1]
    return predictions_of(ahead(returns[1:], horizon), (scale * reach * signal)[:sessions], horizon)


def below_the_average(seed: int, *, sessions: int = 500, horizon: int = 20) -> pd.DataFrame:
    """Return the distance of a random walk below its average of 200 sessions: nearly a random walk itself."""
    returns = normal(np.random.default_rng(seed), sessions + horizon + 200, 1)
    price = returns.cumsum(axis=0)
    average = np.apply_along_axis(np.convolve, 0, price, np.ones(200) / 200, "valid")
    actual = ahead(returns[200:], horizon)[:sessions]
    return predictions_of(actual, 0.02 * (average - price[199:])[:sessions], horizon)


def slow_noise(seed: int, *, make: Callable[..., Floats], horizon: int, memory: float = 0.99) -> pd.DataFrame:
    """Return predictions that are a slow autoregression, of a hundredth of the outcomes."""
    rng = np.random.default_rng(seed)
    actual = ahead(make(rng, FIVE_YEARS, 3), horizon)
    guess = persistent(rng, len(actual), 3, memory)
    return predictions_of(actual, 0.01 * DAILY * guess, horizon)


def faded(seed: int) -> pd.DataFrame:
    """Return an R² of 4 % in the first five years of ten and none after."""
    rng = np.random.default_rng(seed)
    signal, actual = 0.2 * normal(rng, TEN_YEARS, 1), 0.98 * normal(rng, TEN_YEARS, 1)
    actual[: TEN_YEARS // 2] += signal[: TEN_YEARS // 2]
    return predictions_of(actual, signal)


def misscaled(seed: int) -> pd.DataFrame:
    """Return the planted signal ten times as large as it is."""
    frame = planted(seed, make=normal)
    return frame.assign(predicted=10 * frame["predicted"])


def month_ends(seed: int, *, months: int = 120, symbols: int = 20) -> pd.DataFrame:
    """Return decisions at the end of each month about the next one, with an R² of 4 %."""
    rng = np.random.default_rng(seed)
    signal = 0.2 * normal(rng, months, symbols)
    frame = predictions_of(signal + 0.98 * normal(rng, months, symbols), signal, 21)
    days = pd.date_range("2000-01-31", periods=months, freq="BME", unit="us")
    return frame.assign(date=np.tile(days, symbols))


def bouncing(seed: int, sessions: int = TEN_YEARS, symbols: int = 2) -> pd.DataFrame:
    """Return prices of random walks whose opens and closes lie at the bid or at the ask, by chance.

    The half-spread of 0.4 % makes successive returns correlate by -0.12 (Roll 1984), an R² of 1.5 %.
    """
    rng = np.random.default_rng(seed)
    night, day = 0.5 * normal(rng, sessions, symbols), 0.75**0.5 * normal(rng, sessions, symbols)
    opened, close = (night + day).cumsum(axis=0) - day, (night + day).cumsum(axis=0)
    sides = HALF_SPREAD * rng.choice([-1.0, 1.0], (2, sessions, symbols))
    prices = prices_of(np.diff(close + sides[1], axis=0, prepend=0.0), rng)
    opens = 100 * np.exp(opened + sides[0]).T.ravel()
    high, low = (prices["close"].clip(**{end: opens}) for end in ("lower", "upper"))
    return prices.assign(open=opens, high=1.001 * high, low=0.999 * low)


def bounced(seed: int, *, target: TargetName) -> pd.DataFrame:
    """Return what ridge predicts for prices that bounce."""
    prices = bouncing(seed, TEN_YEARS + WARM_UP)
    return walk_forward(build_features(prices), prices, model="ridge", target=target)


def bounce_at_the_open(seed: int) -> tuple[bool, bool, float]:
    """Return whether closes that bounce are called skill, and lost at the open; and the Sharpe ratio.

    After the half-spread, a year, of trading what ridge predicts from close to close.
    """
    prices = bouncing(seed, TEN_YEARS + WARM_UP)
    predictions = walk_forward(build_features(prices), prices, model="ridge")
    verdict = assess_skill(predictions, ledger=Ledger(None), resamples=300).verdict
    tested = backtest(predictions, prices, costs=Costs(slippage_bps=1e4 * HALF_SPREAD))
    sharpe = tested.summary["sharpe"]
    left = check_execution(predictions, prices, verdict=verdict, sharpe=sharpe)
    return verdict == "skill", left.lost, sharpe


def night_after_night(seed: int) -> tuple[int, float, float]:
    """Return how many trials 61 nightly runs of a model count as, and its p value then and alone."""
    frame = planted(seed, make=normal, symbols=5)
    last = np.unique(frame["date"])[-NIGHTS:]
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "trials.sqlite")
        for night in last[:-1]:
            ledger.record_predictions(frame[frame["date"] <= night])
        found = assess_skill(frame, ledger=ledger, resamples=300).evidence
    alone = assess_skill(frame, ledger=Ledger(None), resamples=300).evidence
    return found.trials, found.p_value, alone.p_value


@dataclass(frozen=True)
class Experiment:
    """A kind of series, what share of them may or must be called skill, and how one is made."""

    name: str
    make: Callable[[int], pd.DataFrame]
    skilled: bool  # whether there is something to find


PIPELINE = partial(through_the_pipeline, sessions=FIVE_YEARS)
EXPERIMENTS = (
    Experiment("random walks, ridge", partial(PIPELINE, make=normal), skilled=False),
    Experiment("random walks, GARCH, ridge", partial(PIPELINE, make=garch), skilled=False),
    Experiment("R² of 2 %", partial(planted, make=normal), skilled=True),
    Experiment("R² of 2 %, 5 symbols", partial(planted, make=normal, symbols=5), skilled=True),
    Experiment("R² of 2 %, heavy tails", partial(planted, make=heavy), skilled=True),
    Experiment("R² of 2 %, GARCH", partial(planted, make=garch), skilled=True),
    Experiment("momentum, R² of 2 %, ridge", partial(through_the_pipeline, make=momentum), skilled=True),
    Experiment("noise as large as the outcomes", partial(noise, make=normal, size=1.0), skilled=False),
    Experiment("noise of a tenth", partial(noise, make=normal, size=0.1), skilled=False),
    Experiment("noise of a hundredth", partial(noise, make=normal, size=0.01), skilled=False),
    Experiment("noise of a hundredth, heavy tails", partial(noise, make=heavy, size=0.01), skilled=False),
    Experiment("noise of a hundredth, GARCH", partial(noise, make=garch, size=0.01), skilled=False),
    Experiment("noise of a tenth, horizon 5", partial(noise, make=normal, size=0.1, horizon=5),
    skilled=False), Experiment("noise of a tenth, GARCH, horizon 21", partial(noise, make=garch, size=0.1,
    horizon=21), skilled=False), Experiment("one lucky year in ten", one_lucky_year, skilled=False),
    Experiment("drift of 25 % a year, historical mean", the_mean, skilled=False),
    Experiment("drift of 25 % a year, ridge", partial(PIPELINE, make=drifting), skilled=False),
    Experiment("random walks, GARCH, 5 symbols", partial(PIPELINE, make=garch, symbols=5), skilled=False),
    Experiment("50 symbols, horizon 20, R² of 1 %",
               partial(cross_section, sessions=FIVE_YEARS, horizon=20, r2=0.01), skilled=True),
    Experiment("50 symbols, horizon 5, R² of 1 %",
               partial(cross_section, sessions=FIVE_YEARS, horizon=5, r2=0.01), skilled=True),
    Experiment("50 symbols, 500 sessions, R² of 0.25 %",
               partial(cross_section, sessions=500, horizon=1, r2=0.0025), skilled=True),
    Experiment("120 month-ends, 20 symbols, R² of 4 %", month_ends, skilled=True),
    Experiment("below the average, horizon 20", below_the_average, skilled=False),
    Experiment("slow noise, horizon 1", partial(slow_noise, make=normal, horizon=1), skilled=False),
    Experiment("slow noise, GARCH, horizon 20", partial(slow_noise, make=garch, horizon=20), skilled=False),
    Experiment("slow noise, heavy, horizon 5", partial(slow_noise, make=heavy, horizon=5), skilled=False),
    Experiment("R² of 4 % for five years, then none", faded, skilled=False),
    Experiment("R² of 2 %, ten times too large", misscaled, skilled=False),
    Experiment("bid-ask bounce, close to close", partial(bounced, target="close_to_close"), skilled=True),
    Experiment("bid-ask bounce, open to open", partial(bounced, target="open_to_open"), skilled=False),
)  # fmt: skip


def judge(seed: int, make: Callable[[int], pd.DataFrame], resamples: int = RESAMPLES) -> tuple[bool, float]:
    """Return whether the verdict on one series is "skill", and its R²; as a single trial, in no ledger."""
    verdict = assess_skill(make(seed), ledger=Ledger(None), resamples=resamples)
    return verdict.verdict == "skill", verdict.evidence.r2


def best_of_noise(ledger: Ledger, strategies: int, sessions: int = 1260, seed: int = 0) -> dict[str, float]:
    """Return how many useless strategies pass, with and without the recorded count.

    Each strategy follows noise on one random walk, and all are recorded in the ledger first. Then each is
    judged as if it were the one that had been selected.
    """
    rng = np.random.default_rng(seed)
    actual = garch(rng, sessions, 1)
    tested = []
    for _ in range(strategies):
        frame = predictions_of(actual, normal(rng, sessions, 1))
        followed = np.sign(frame["predicted"]) * np.expm1(frame["actual"])
        trials = ledger.record_backtest(frame, followed.set_axis(pd.DatetimeIndex(frame["date"])))
        tested.append(followed.to_numpy())
    ratios = [returns.mean() / returns.std(ddof=1) for returns in tested]
    best = int(np.argmax(ratios))
    luck = deflated_sharpe(tested[best], trials)
    deflated = np.array([probabilistic_sharpe(returns, luck.benchmark) for returns in tested])
    plain = np.array([probabilistic_sharpe(returns) for returns in tested])
    return {
        "strategies": strategies,
        "recorded": trials.count,
        "passed": int(np.sum(deflated > CONFIDENCE)),
        "passed without the count": int(np.sum(plain > CONFIDENCE)),
        "best Sharpe ratio a year": ratios[best] * 252**0.5,
        "expected of the best by luck": luck.benchmark * 252**0.5,
        "probability of the best": luck.probability,
        "probability of overfitting": np.nan if luck.overfitting is None else luck.overfitting,
    }


def main() -> int:
    """Run every experiment, print a table, and return 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=200, help="series an experiment")
    parser.add_argument("--strategies", type=int, default=1000, help="useless strategies on one series")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--only", default="", help="experiments whose name holds this")
    given = parser.parse_args()
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        found = best_of_noise(Ledger(Path(folder) / "trials.sqlite"), given.strategies)
        broken += found["passed"] > PASSING * given.strategies
        print("\n".join(f"{name}: {value:.4g}" for name, value in found.items()), end="\n\n")
        print(f"| {'series':40s} | called skill | promised | mean R² | seconds |\n|---|---|---|---|---|")
        with ProcessPoolExecutor(given.jobs, initializer=threadpool_limits, initargs=(1,)) as pool:
            for experiment in EXPERIMENTS:
                if given.only not in experiment.name:
                    continue
                begun = time.perf_counter()
                found = list(pool.map(partial(judge, make=experiment.make), range(given.series), chunksize=5))
                share, r2 = np.mean(found, axis=0)
                kept = share >= POWER if experiment.skilled else share <= FALSE_ALARMS
                broken += not kept
                promise = "80 % or more" if experiment.skilled else "5 % or less"
                spent = time.perf_counter() - begun
                print(
                    f"| {experiment.name:40s} | {share:.1%}{'' if kept else ' BROKEN'} | {promise} "
                    f"| {r2:+.2%} | {spent:.0f} |",
                    flush=True,
                )
            found = list(pool.map(bounce_at_the_open, range(given.series), chunksize=5))
            skill, lost, sharpe = np.mean(found, axis=0)
            broken += lost < POWER * skill
            print(
                f"\nbid-ask bounce: {skill:.1%} called skill on closes, {lost:.1%} lost at the open; "
                f"Sharpe ratio after the half-spread {sharpe:+.1f} a year"
            )
            found = list(pool.map(night_after_night, range(min(given.series, 20))))
            trials, later, alone = np.max(found, axis=0)
            broken += trials > 1
            print(
                f"{NIGHTS} nightly runs of a model count as {trials:.0f} trial(s); largest p value "
                f"{later:.4f}, of a single run {alone:.4f}"
            )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
