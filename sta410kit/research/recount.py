"""What the results of several combinations are worth once all of them are counted.

Each result was corrected for the trials recorded up to then, so the first of a sweep would look better than
the last. Here every result gets the same, final count (Harvey, Liu and Zhu 2016, Review of Financial Studies
29: who picks the best of many tests has made all of them).
"""

from __future__ import annotations

from dataclasses import fields, replace
from math import nan
from typing import TYPE_CHECKING, Any

from sta410kit.research.overfitting import DeflatedSharpe, against_luck
from sta410kit.research.ranking import RankingEvidence
from sta410kit.research.trial_identity import at_least_once
from sta410kit.research.verdict import LOST, SKILL, SkillEvidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sta410kit.research.ledger import Trials


def recount(found: Mapping[str, Any], trials: Trials) -> dict[str, Any]:
    """Return the numbers to compare a result by, corrected for all `trials`.

    Parameters
    ----------
    found : mapping
        The content of a ``verdict.json``.
    trials : Trials
        Everything that the result was selected from, see `ledger.Ledger.beside`.

    Returns
    -------
    dict
        ``verdict`` (on the ranking, where ranks are predicted) and ``ranking``, in words; ``r2`` (out of
        sample against zero, unit 1), ``p_value`` (one-sided), ``rank_ic``, ``deflated_sharpe`` (probability
        that the Sharpe ratio is more than luck) and ``trials``. None where undefined or not in the verdict.
    """
    skill = _as(SkillEvidence, {**found["evidence"], "scores": {}})
    count = max(trials.forecasts, skill.trials)
    skill = replace(
        skill, trials=count, p_value=max(skill.p_value, at_least_once(skill.p_information, count))
    )
    row = {"verdict": skill.verdict, "r2": skill.r2, "p_value": skill.p_value}
    if "ranking" in found:
        ranking = _as(RankingEvidence, found["ranking"]["evidence"])
        corrected = max(ranking.p_value, at_least_once(ranking.p_information, count))
        row |= {
            "ranking": replace(ranking, trials=count, p_value=corrected).verdict,
            "rank_ic": None if ranking.rank_ic != ranking.rank_ic else ranking.rank_ic,
        }
        if skill.target == "rank":
            row |= {"verdict": row["ranking"], "p_value": corrected}
    if row["verdict"] == SKILL and found.get("execution", {}).get("lost"):
        row["verdict"] = LOST
    if "deflated_sharpe" in found:
        luck = against_luck(_as(DeflatedSharpe, found["deflated_sharpe"]), trials)
        row["deflated_sharpe"] = luck.probability
        count = max(count, luck.trials)
    return {**row, "trials": count}


def _as(kind: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of the three kinds of evidence
    """Return evidence as the object it was written from; None was a number that is undefined."""
    known = {one.name: values[one.name] for one in fields(kind) if one.name in values}
    if kind is RankingEvidence:
        known = {name: nan if value is None else value for name, value in known.items()}
    return kind(**known)
