"""``sta410 trials``: the trials ledger, by dataset and target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sta410kit.cli.options import json_option, print_json

if TYPE_CHECKING:
    from sta410kit.research.ledger import Trials


@click.command()
@json_option
def trials(*, as_json: bool) -> None:
    """Show what was tried, and what the best of it is worth.

    Trials are counted per dataset and target. The ledger is the project's runs/trials.sqlite, or the file
    that STA410_LEDGER names.
    """
    from dataclasses import asdict

    from sta410kit._internal.project import OUTSIDE
    from sta410kit.exceptions import ConfigurationError
    from sta410kit.research.ledger import Ledger
    from sta410kit.runner.trials import worth_of

    ledger = Ledger.of_project()
    if ledger.path is None:
        message = (
            f"this folder {OUTSIDE}, so it has no trials ledger; change into one, or name a ledger with "
            "STA410_LEDGER"
        )
        raise ConfigurationError(message)
    found = ledger.read_all()
    if as_json:
        rows = [
            dataset | worth_of(held) | {"entries": [asdict(one) for one in held.trials]}
            for dataset, held in found
        ]
        print_json({"ledger": str(ledger.path), "datasets": rows})
    elif not found:
        click.echo(f"no trials in {ledger.path} yet; assess_skill, score_table and deflate record them")
    else:
        _print_table(found)
        click.echo(f"ledger: {ledger.path}")


def _print_table(found: list[tuple[dict[str, Any], Trials]]) -> None:
    """Print one row per dataset and target, and a legend."""
    from collections import Counter

    from sta410kit._internal.text import percent
    from sta410kit.runner.terminal import show_table
    from sta410kit.runner.trials import worth_of

    forms = {
        "best_sharpe": "+.2f",
        "expected_by_luck": ".2f",
        "probability": ".1%",
        "overfitting": ".0%",
    }
    rows = []
    for dataset, held in found:
        worth = worth_of(held)
        cells = [percent(worth[name], form) for name, form in forms.items()]
        names = (str(dataset[name]) for name in ("symbols", "first", "last", "horizon"))
        models = Counter(trial.model for trial in held.distinct)
        tried = ", ".join(f"{model} {count}" if count > 1 else model for model, count in models.items())
        rows.append((*names, str(worth["trials"]), tried, worth["best_model"] or "", *cells))
    columns = ("symbols", "from", "to", "h", "trials", "models", "best", "Sharpe", "luck", "deflated", "PBO")
    words = {"models", "best"}
    show_table(columns, rows, right=[name for name in columns[1:] if name not in words], lines=False)
    click.echo(
        "\nh: sessions the target looks ahead. models: what was tried, and how often where more than once.\n"
        "best, Sharpe: the trial with the highest Sharpe ratio, annualised.\n"
        "luck: the Sharpe ratio that the best of as many useless trials would show.\n"
        "deflated: the probability that the true ratio exceeds that; 95 % is needed.\n"
        "PBO: the probability of backtest overfitting."
    )
