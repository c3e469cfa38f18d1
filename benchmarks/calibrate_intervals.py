"""Measure what the 90 % intervals hold: on the embedded prices, and where the truth is known.

    .venv/bin/python benchmarks/calibrate_intervals.py            # five minutes on one core
    .venv/bin/python benchmarks/calibrate_intervals.py --walks 4  # seconds, coarser

Prints coverage per symbol, per year, per regime and per tercile of volatility, each symbol's own, with its
sampling error: the standard error of a share of 90 % over as many outcomes as do not overlap. Exits 1 when a
symbol or a regime is further from 90 % than two points and two standard errors, when more than 5 % of the
years are further than two of theirs, or when a tercile of the embedded prices or of GARCH returns is further
than two points at horizons 1 and 5.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from sta410kit.market import load_prices
from sta410kit.research import conformal
from sta410kit.research.features import build_features
from sta410kit.research.targets import build_target, realised_on
from sta410kit.research.walk_forward import walk_forward

LEVEL, TOLERANCE, SESSIONS = 0.9, 0.02, 3270
HORIZONS = (1, 5, 21)


def switching(rng: np.random.Generator) -> np.ndarray:
    """Return returns of a calm and a turbulent market that change places every 100 sessions or so."""
    turbulent = np.cumsum(rng.random(SESSIONS) < 0.01) % 2  # noqa: PLR2004 - one change in a hundred
    return np.where(turbulent, 0.025, 0.008) * rng.standard_normal(SESSIONS)


def garch(rng: np.random.Generator) -> np.ndarray:
    """Return GARCH(1,1) returns with Student t shocks, five degrees of freedom."""
    shocks = rng.standard_t(5, SESSIONS) * (3 / 5) ** 0.5
    variance, returns = 1.5e-4, np.empty(SESSIONS)
    for now in range(SESSIONS):
        returns[now] = variance**0.5 * shocks[now]
        variance = 1.5e-6 + 0.09 * returns[now] ** 2 + 0.9 * variance
    return returns


def stochastic(rng: np.random.Generator) -> np.ndarray:
    """Return returns of Student t shocks, three degrees of freedom, whose log variance is an AR(1)."""
    logs = np.zeros(SESSIONS)
    for now, shock in enumerate(0.15 * rng.standard_normal(SESSIONS - 1)):
        logs[now + 1] = 0.98 * logs[now] + shock
    return 0.01 * np.exp(logs / 2) * rng.standard_t(3, SESSIONS) / 3**0.5


def jumping(rng: np.random.Generator) -> np.ndarray:
    """Return GARCH(1,1) returns with a jump of 5 % in one session of fifty."""
    jumps = (rng.random(SESSIONS) < 0.02) * rng.standard_normal(SESSIONS)  # noqa: PLR2004 - one in fifty
    return garch(rng) + 0.05 * jumps


def trend(rng: np.random.Generator) -> np.ndarray:
    """Return returns whose mean rises and falls by 20 % a year, which naive predictions do not know."""
    drift = 0.2 / 252 * np.sign(np.sin(np.arange(SESSIONS) / 160))
    return drift + 0.012 * rng.standard_normal(SESSIONS)


def jump(rng: np.random.Generator) -> np.ndarray:
    """Return returns whose volatility triples overnight, and falls back three years later."""
    volatility = np.where((np.arange(SESSIONS) // 800) % 2, 0.03, 0.01)
    return volatility * rng.standard_normal(SESSIONS)


def rising(rng: np.random.Generator) -> np.ndarray:
    """Return returns whose volatility rises sixfold over thirteen years."""
    return np.geomspace(0.005, 0.03, SESSIONS) * rng.standard_normal(SESSIONS)


REGIMES = {
    "calm and turbulent": switching,
    "GARCH, t shocks": garch,
    "stochastic volatility, t(3)": stochastic,
    "GARCH with jumps": jumping,
    "trend": trend,
    "volatility jump": jump,
    "volatility rising": rising,
}


def prices_of(returns: np.ndarray, symbol: str) -> pd.DataFrame:
    """Return a prices frame whose closes make these log returns."""
    close = 100 * np.exp(np.cumsum(returns))
    days = pd.bdate_range("2000-01-03", periods=len(close), unit="us")
    frame = pd.DataFrame({"symbol": symbol, "date": days, "volume": 1000})
    return frame.assign(**dict.fromkeys(("open", "high", "low", "close", "adj_close"), close))


def naive(prices: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return naive predictions with intervals, on every row that can have them."""
    table = build_target(prices, horizon).assign(known=realised_on(prices, horizon), predicted=0.0)
    return conformal.add_intervals(table.dropna(), prices, horizon, LEVEL)


def inside(found: pd.DataFrame) -> pd.Series:
    """Return which outcomes lie in their interval."""
    actual = found["actual"] if "actual" in found else found["target"]
    return actual.between(found["lower"], found["upper"])


def terciles(found: pd.DataFrame, prices: pd.DataFrame) -> pd.Series:
    """Return coverage in calm, normal and turbulent sessions: terciles of each symbol's own volatility.

    The exponentially weighted one of squared returns, decay 0.94, known at the decision.
    """
    squared = np.log(prices["adj_close"]).groupby(prices["symbol"]).diff() ** 2
    variance = squared.groupby(prices["symbol"]).ewm(alpha=0.06).mean().to_numpy()
    known = prices[["symbol", "date"]].assign(variance=variance)
    table = found[["symbol", "date"]].merge(known, on=["symbol", "date"], how="left")
    third = table.groupby("symbol")["variance"].transform(lambda one: pd.qcut(one, 3, labels=False))
    return inside(found).groupby(third.to_numpy()).mean()


def error(outcomes: pd.Series, horizon: int) -> pd.Series:
    """Return the standard error of coverage over so many outcomes, of which one in `horizon` stands alone."""
    return (LEVEL * (1 - LEVEL) * horizon / outcomes) ** 0.5


def table_of(hits: pd.Series, by: list, horizon: int) -> pd.DataFrame:
    """Return coverage, outcomes, standard error, and how many of them coverage is off."""
    table = hits.groupby(by).agg(coverage="mean", outcomes="count")
    table["se"] = error(table["outcomes"], horizon)
    table["off"] = (table["coverage"] - LEVEL) / table["se"]
    return table


def embedded(horizon: int) -> bool:
    """Print coverage of ridge on the embedded prices; return whether it is kept."""
    prices = load_prices()
    found = walk_forward(build_features(prices), prices, model="ridge", horizon=horizon)
    hits = inside(found)
    symbols = table_of(hits, [found["symbol"]], horizon)
    years = table_of(hits, [found["symbol"], found["date"].dt.year], horizon).query("outcomes >= 100")
    print(f"\n## embedded prices, ridge, horizon {horizon}: {hits.mean():.2%} of {len(hits):,} inside\n")
    print(symbols.round({"coverage": 4, "se": 4, "off": 2}).to_string())
    wide = years["coverage"].unstack("symbol")  # noqa: PD010 - one value each, nothing to average
    wide["all"] = hits.groupby(found["date"].dt.year).mean()
    print(f"\nper year (standard error of one symbol and year: {error(pd.Series([252]), horizon)[0]:.1%})\n")
    print((100 * wide).round(1).to_string(na_rep=""))
    thirds = terciles(found, prices)
    print("\ncalm, normal and turbulent sessions: " + ", ".join(f"{share:.1%}" for share in thirds))
    far = (years["off"].abs() > 2).mean()  # noqa: PLR2004 - two standard errors
    print(f"\nsymbols and years further than two standard errors from 90 %: {far:.1%} of {len(years)}")
    return kept(symbols) and even(thirds, horizon) and bool(far <= 0.05)  # noqa: PLR2004 - what chance alone would give


def simulated(horizon: int, walks: int) -> bool:
    """Print coverage in each regime, all walks and the worst year of them; return whether it is kept."""
    fine = True
    print(f"\n## simulated regimes, naive, horizon {horizon}, {walks} walks of {SESSIONS} sessions each\n")
    print(
        "| regime | coverage | se | calm | normal | turbulent | lowest walk | highest walk "
        "| years beyond 2 se | width / ideal |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, make in REGIMES.items():
        parts, beyond, thirds = [], [], []
        for seed in range(walks):
            prices = prices_of(make(np.random.default_rng(seed)), "S")
            found = naive(prices, horizon)
            thirds.append(terciles(found, prices))
            hits = inside(found)
            parts.append((hits.mean(), len(hits), (found["upper"] - found["lower"]).mean(), ideal(found)))
            years = table_of(hits, [found["date"].dt.year], horizon).query("outcomes >= 100")
            beyond.append((years["off"].abs() > 2).mean())  # noqa: PLR2004 - two standard errors
        share, count, width, best = (np.array(each) for each in zip(*parts, strict=True))
        se = float(error(pd.Series([count.sum()]), horizon)[0])
        print(
            f"| {name} | {share.mean():.2%} | {se:.2%} | "
            + " | ".join(f"{third:.1%}" for third in np.mean(thirds, axis=0))
            + f" | {share.min():.1%} | {share.max():.1%} "
            f"| {np.mean(beyond):.1%} | {(width / best).mean():.2f} |"
        )
        fine &= abs(share.mean() - LEVEL) <= max(TOLERANCE, 2 * se)
        fine &= make is not garch or even(pd.concat(thirds, axis=1).mean(axis=1), horizon)
    return fine


def ideal(found: pd.DataFrame) -> float:
    """Return the width of the one constant interval that holds 90 %, known only afterwards."""
    return 2 * float(found["target"].abs().quantile(LEVEL))


def even(thirds: pd.Series, horizon: int) -> bool:
    """Return whether each tercile is within two points, where the horizon is a week or less."""
    return horizon > 5 or bool(((thirds - LEVEL).abs() <= TOLERANCE).all())  # noqa: PLR2004 - sessions of a week


def kept(table: pd.DataFrame) -> bool:
    """Return whether coverage is within two points, or within two standard errors where that is more."""
    return bool(((table["coverage"] - LEVEL).abs() <= np.maximum(TOLERANCE, 2 * table["se"])).all())


def main() -> int:
    """Measure everything and say whether the promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--walks", type=int, default=40, help="simulated walks of each regime")
    walks = parser.parse_args().walks
    fine = [embedded(horizon) for horizon in HORIZONS]
    fine += [simulated(horizon, walks) for horizon in HORIZONS]
    print("\nkept" if all(fine) else "\nNOT kept")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
