"""The trials ledger for people: what was tried on each dataset, and what the best of it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit.research.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.research.ledger import Trials

_MOST = 200  # trials of a dataset that are listed


def worth_of(held: Trials) -> dict[str, Any]:
    """Return the count and the deflated Sharpe ratio of the best trial; ratios are annualised."""
    from sta410kit.research.costs import SESSIONS_A_YEAR
    from sta410kit.research.overfitting import deflated_sharpe
    from sta410kit.research.trial_identity import FEWEST_RETURNS

    returns = held.returns()
    enough = {number for number, count in returns.count().items() if count >= FEWEST_RETURNS}
    tried = [trial for trial in held.distinct if trial.sharpe is not None and trial.id in enough]
    best = max(tried, key=lambda trial: trial.sharpe or 0.0, default=None)
    figures: dict[str, Any] = {"trials": held.count, "forecasts": held.forecasts}
    if best is None or best.sharpe is None:
        return figures | dict.fromkeys(
            ("best_model", "best_sharpe", "expected_by_luck", "probability", "overfitting")
        )
    worth = deflated_sharpe(returns[best.id].dropna().to_numpy(), held)
    return figures | {
        "best_model": best.model,
        "best_sharpe": best.sharpe * SESSIONS_A_YEAR**0.5,
        "expected_by_luck": worth.benchmark * SESSIONS_A_YEAR**0.5,
        "probability": worth.probability,
        "overfitting": worth.overfitting,
    }


def ledger_rows(path: Path) -> list[dict[str, Any]]:
    """Return every dataset of a ledger with its worth, the count by model, and its newest trials, as JSON."""
    from sta410kit.research.costs import SESSIONS_A_YEAR

    rows = []
    for dataset, held in Ledger(path).read_all():
        models: dict[str, int] = {}
        for trial in held.trials:
            models[trial.model] = models.get(trial.model, 0) + 1
        newest = [
            {
                "recorded": trial.recorded,
                "kind": trial.kind,
                "model": trial.model,
                "strategy": trial.strategy,
                "sessions": trial.sessions,
                "r2": trial.r2,
                "sharpe": None if trial.sharpe is None else trial.sharpe * SESSIONS_A_YEAR**0.5,
            }
            for trial in held.trials[: -_MOST - 1 : -1]
        ]
        rows.append({**dataset, **worth_of(held), "models": models, "newest": newest})
    return rows
