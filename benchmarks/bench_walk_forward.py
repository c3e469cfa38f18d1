"""A walk over the embedded prices, beside the loop one writes with scikit-learn.

Usage: ``python benchmarks/bench_walk_forward.py [--repeats N]``; run it on an idle machine. Both sides use
the same folds, estimators and rows. The loop refits and predicts; the kit does that, and in a row of its own
sets an interval around each prediction. Exits 0 when the predictions agree and the kit's fits and predictions
take less time than the loop's, 1 otherwise.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from sta410kit.market import load_prices
from sta410kit.research.features import build_features, feature_names
from sta410kit.research.folds import fold_rows, splits
from sta410kit.research.models import make_model
from sta410kit.research.walk_forward import labelled, predict_folds, walk_forward

if TYPE_CHECKING:
    from collections.abc import Callable

    from sta410kit.research.folds import Fold

MODELS = ("ridge", "boosting")
AGREEMENT = 1e-9


def plain_loop(table: pd.DataFrame, folds: list[Fold], model: str) -> pd.DataFrame:
    """Return the predictions of a loop over the folds: select the rows, fit, predict, collect."""
    names = feature_names(table.drop(columns="known"))
    parts = []
    for fold in folds:
        train = table[(table["date"] <= fold.train_end) & (table["known"] < fold.test_start)]
        test = table[table["date"].between(fold.test_start, fold.test_end)]
        estimator = make_model(model, 42).fit(train[names].to_numpy(), train["target"].to_numpy())
        parts.append(test[["symbol", "date"]].assign(predicted=estimator.predict(test[names].to_numpy())))
    return pd.concat(parts).sort_values(["symbol", "date"], ignore_index=True)


def main() -> int:
    """Time the ways in turns, print the medians, and say whether the kit is ahead."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    prices = load_prices()
    features = build_features(prices)
    table = labelled(features, prices, 1).sort_values("date", kind="stable", ignore_index=True)
    folds = splits(table["date"], 1)
    rows = [fold_rows(fold, table) for fold in folds]
    print(f"{len(table):,} rows, {len(folds)} folds; median seconds of {repeats} runs\n")
    good = True
    for model in MODELS:
        options = {"model": model, "seed": 42, "horizon": 1}

        def one_thread(model: str = model) -> pd.DataFrame:
            with threadpool_limits(1):
                return plain_loop(table, folds, model)

        ways: dict[str, Callable[[], object]] = {
            "plain loop": lambda model=model: plain_loop(table, folds, model),
            "plain loop, one thread": one_thread,
            "kit, fits and predictions": lambda options=options: predict_folds(table, rows, **options),
            "kit, on one thread": lambda options=options: predict_folds(table, rows, n_jobs=1, **options),
            "kit, intervals too": lambda model=model: walk_forward(features, prices, model=model),
        }
        seconds = measured(ways, repeats)
        for name, value in seconds.items():
            print(f"{model:10}{name:28}{value:8.2f}{seconds['plain loop'] / value:8.1f} x")
        apart = difference(plain_loop(table, folds, model), walk_forward(features, prices, model=model))
        print(f"{model:10}largest difference between predictions {apart:.1e}\n")
        good &= apart < AGREEMENT and seconds["kit, fits and predictions"] < seconds["plain loop"]
    return 0 if good else 1


def measured(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each way; the rounds go through all of them, after one to warm up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, work in ways.items():
            began = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def difference(loop: pd.DataFrame, kit: pd.DataFrame) -> float:
    """Return the largest difference on the rows that both have: the kit leaves out those without interval."""
    both = kit.merge(loop, on=["symbol", "date"], suffixes=("", "_loop"))
    if len(both) != len(kit):
        return float("inf")
    return float(np.abs(both["predicted"] - both["predicted_loop"]).max())


if __name__ == "__main__":
    sys.exit(main())
