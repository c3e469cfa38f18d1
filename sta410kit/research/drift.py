"""Whether forecasts still come out as they promised: coverage and skill of the newest outcomes.

Outcomes of one session move together, so the tests are about one mean per session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sta410kit._internal.text import percent
from sta410kit.research.conformal import LEVEL
from sta410kit.research.target_names import DEFAULT

if TYPE_CHECKING:
    import pandas as pd

SESSIONS, FEWEST = 120, 20  # the newest sessions that are judged, and how many it takes
RARE = 0.0005  # probability at either end; a year asks 250 times about nearly the same sessions


def drift_of(log: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how the newest outcomes compare with what the forecasts promised, a row per model and horizon.

    Coverage has drifted if the mean share of outcomes inside their intervals differs from their level, skill
    if forecasting no change would have erred less; both by `forecast_tests.t_test` of the means of sessions.

    Parameters
    ----------
    log : DataFrame
        From `ForecastLog.read`; only forecasts made before their outcome count.

    Returns
    -------
    list of dict
        ``model, horizon, target, sessions``, ``coverage`` (a fraction) with its statistic ``coverage_t``,
        ``skill_t``, and ``drifted``, a sentence for each that has left its bounds. Groups with fewer than 20
        sessions are left out.
    """
    known = log[log["live"]].dropna(subset="actual")
    rows = []
    for key, every in known.groupby(["model", "horizon", "target"]):
        model, horizon, target = map(str, key)
        dates = every["date"].drop_duplicates().nlargest(SESSIONS)
        if len(dates) >= FEWEST:
            name = f"{model}, {target}" if target != DEFAULT else model
            about = {"model": model, "horizon": int(horizon), "target": target}
            rows.append({**about, **_judged(every[every["date"].isin(dates)], name, int(horizon))})
    return rows


def _judged(part: pd.DataFrame, name: str, horizon: int) -> dict[str, Any]:
    from sta410kit.research.forecast_tests import t_test

    inside = (part["lower"] <= part["actual"]) & (part["actual"] <= part["upper"])
    gain = part["actual"] ** 2 - (part["actual"] - part["predicted"]) ** 2
    by_date = part["date"]
    coverage = t_test(np.asarray((inside - LEVEL).groupby(by_date).mean()), horizon)
    skill = t_test(np.asarray(gain.groupby(by_date).mean()), horizon)
    sessions, share, naive = int(by_date.nunique()), float(inside.mean()), float((part["actual"] ** 2).sum())
    over = f"over the last {sessions} sessions (t = {{:+.1f}})"
    drifted = []
    if min(coverage.p_value, 1 - coverage.p_value) < RARE:
        drifted.append(
            f"intervals of {name} held {percent(share, '.1%')} of the outcomes, not {percent(LEVEL)}, "
            + over.format(coverage.ratio)
        )
    if 1 - skill.p_value < RARE:
        r2 = float(gain.sum()) / naive
        drifted.append(
            f"forecasts of {name} err more than those of no change: R² {percent(r2, '+.2%')} "
            + over.format(skill.ratio)
        )
    return {
        "sessions": sessions,
        "coverage": share,
        "coverage_t": coverage.ratio,
        "skill_t": skill.ratio,
        "drifted": drifted,
    }
