"""The verdict on a ranking: whether the order of the symbols is worth trading, or could have been luck."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.text import percent, pluralize
from sta410kit.research.costs import SESSIONS_A_YEAR
from sta410kit.research.factor import FEWEST_SYMBOLS, FactorTearSheet, factor_tear_sheet
from sta410kit.research.forecast_tests import t_test
from sta410kit.research.ledger import Ledger
from sta410kit.research.panel import read_panel
from sta410kit.research.skill import outside_best, stretch_of
from sta410kit.research.target_names import DEFAULT, TargetName
from sta410kit.research.trial_identity import at_least_once
from sta410kit.research.verdict import (
    ACCURACY_LEVEL,
    INFORMATION_LEVEL,
    NO_SKILL,
    SKILL,
    TOO_FEW,
    WITHOUT_BEST_LEVEL,
    dates_needed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.research.costs import Costs

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RankingEvidence:
    """The statistics behind a verdict on a ranking; p values are one-sided.

    Attributes
    ----------
    horizon, spacing, dates, symbols, trials : int
        Sessions ahead, business days between decisions, decision dates with a rank correlation, symbols, and
        forecasts of these outcomes evaluated so far, this one included.
    rank_ic : float
        Mean over dates of Spearman's correlation of predictions with forward returns.
    p_information, p_value : float
        Of a positive mean rank IC, alone and corrected for all `trials`.
    net_spread : float
        Highest less lowest quantile after costs, simple, a year.
    p_net : float
        Of a positive net spread.
    rank_ic_without_best, p_without_best : float
        The same without the best `stretch` dates in a row.
    """

    horizon: int
    spacing: int
    dates: int
    symbols: int
    trials: int
    rank_ic: float
    p_information: float
    p_value: float
    net_spread: float
    p_net: float
    rank_ic_without_best: float
    p_without_best: float
    stretch: int
    target: TargetName = DEFAULT

    @property
    def verdict(self) -> str:
        """``"skill"``, ``"no skill shown"`` or ``"not enough data"``."""
        if self.symbols < FEWEST_SYMBOLS or self.dates < dates_needed(self.horizon, self.spacing):
            return TOO_FEW
        informed = self.p_value <= INFORMATION_LEVEL
        earns = self.net_spread > 0 and self.p_net <= ACCURACY_LEVEL
        lasting = self.rank_ic_without_best > 0 and self.p_without_best <= WITHOUT_BEST_LEVEL
        return SKILL if informed and earns and lasting else NO_SKILL


@dataclass(frozen=True)
class RankingVerdict:
    """What the order of the symbols shows: a verdict, a sentence, the evidence and the tear sheet."""

    verdict: str
    sentence: str
    evidence: RankingEvidence
    sheet: FactorTearSheet

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values; None for what is undefined."""
        evidence = {name: None if value != value else value for name, value in asdict(self.evidence).items()}  # noqa: PLR0124
        return {"verdict": self.verdict, "sentence": self.sentence, "evidence": evidence}


def assess_ranking(
    predictions: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    costs: Costs,
    sectors: Mapping[str, str] | None = None,
    ledger: Ledger | None = None,
) -> RankingVerdict:
    """Return whether the predictions rank the symbols better than chance explains, and count the trial.

    The scale of the predictions does not matter, only their order on each date. The verdict is ``"skill"`` if

    1. the mean rank IC is above zero at 1 %, corrected for every trial in the ledger;
    2. the highest less the lowest quantile is positive after costs, at 20 %;
    3. without the best 252 sessions in a row (a fifth, if fewer) the rank IC is above zero at 10 %.

    Each decision gets 1/`horizon` of the capital on either side; what leaves a quantile is sold and what
    enters is bought at `costs`. The levels, and the amount of data needed, are those of `skill.assess_skill`.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    prices : DataFrame
        The prices it was made from.
    costs : Costs
        Trading costs; market impact, fees and interest, which depend on a capital, are not counted.
    sectors : mapping of str to str, optional
        The sector of each symbol, for the tear sheet.
    ledger : Ledger, optional
        Where the trial is counted; the project's by default.

    Raises
    ------
    DataValidationError
        If the predictions mix models or horizons, or hold values that are not finite.
    """
    panel = read_panel(predictions)
    trials = (ledger or Ledger.of_project()).record_predictions(predictions, panel)
    sheet = factor_tear_sheet(predictions, prices, sectors=sectors)
    span, rank_ic = panel.span, np.asarray(sheet.rank_ic, dtype=np.float64)
    stretch = stretch_of(panel)
    net = np.asarray(sheet.spread, dtype=np.float64) / panel.horizon - _cost(sheet, costs)
    count = max(trials.forecasts, 1)
    mean, alone = _mean_test(rank_ic, span)
    spread, p_net = _mean_test(net, span)
    left, p_left = _mean_test(rank_ic[outside_best(rank_ic, stretch)], span)
    evidence = RankingEvidence(
        horizon=panel.horizon,
        spacing=panel.spacing,
        dates=len(rank_ic),
        symbols=len(panel.symbols),
        trials=count,
        rank_ic=mean,
        p_information=alone,
        p_value=at_least_once(alone, count),
        net_spread=spread * SESSIONS_A_YEAR,
        p_net=p_net,
        rank_ic_without_best=left,
        p_without_best=p_left,
        stretch=stretch,
        target=panel.target,
    )
    return RankingVerdict(evidence.verdict, _sentence(evidence), evidence, sheet)


def _cost(sheet: FactorTearSheet, costs: Costs) -> float:
    """Return the cost per session of keeping both legs, as a fraction of one leg."""
    if sheet.quantiles.empty:
        return 0.0
    traded = 2 * float(sheet.quantiles["turnover"].iloc[[0, -1]].sum())  # sold and bought
    return traded * costs.one_way_bps / 1e4 / sheet.horizon


def _mean_test(values: Floats, span: int) -> tuple[float, float]:
    """Return a mean over dates and its one-sided p value; NaN and 1 without dates."""
    return (float(values.mean()), t_test(values, span).p_value) if len(values) else (float("nan"), 1.0)


def _sentence(evidence: RankingEvidence) -> str:
    ahead = "over the next session" if evidence.horizon == 1 else f"over {evidence.horizon} sessions"
    if evidence.symbols < FEWEST_SYMBOLS:
        return f"{pluralize(evidence.symbols, 'symbol')} cannot be ranked; {FEWEST_SYMBOLS} are needed."
    if not evidence.dates:
        return f"No date has {FEWEST_SYMBOLS} symbols with different predictions, so there is no ranking."
    if evidence.verdict == TOO_FEW:
        needed = dates_needed(evidence.horizon, evidence.spacing)
        return f"{evidence.dates} dates are too few to judge a ranking {ahead}; {needed} are needed."
    trials = "one trial" if evidence.trials == 1 else f"{evidence.trials:,} trials"
    says = "ranks" if evidence.verdict == SKILL else "does not rank"
    return (
        f"The model {says} the {evidence.symbols} symbols better than chance {ahead}: mean rank IC "
        f"{evidence.rank_ic:+.3f} (p = {evidence.p_value:.3f} after {trials}), highest less lowest quantile "
        f"{percent(evidence.net_spread, '+.1%')} a year after costs."
        f"{' The target is a rank, so this verdict decides.' if evidence.target == 'rank' else ''}"
    )
