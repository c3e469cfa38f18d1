"""The factor tear sheet: whether a ranking of symbols says which of them does better.

A prediction is read as a factor: only its order over the symbols of a date counts. Definitions are those of
alphalens, so that the numbers agree with it; standard errors are not, because returns over more than one
session overlap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.sectors import sectors_of
from sta410kit.exceptions import DataValidationError
from sta410kit.research.forecast_tests import t_test
from sta410kit.research.frames import require_horizon, require_predictions, require_prices
from sta410kit.research.target_names import target_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

HORIZONS = (1, 5, 10, 21)
QUANTILES = 5
FEWEST_SYMBOLS = 3  # on a date, for a rank correlation
_ROUNDING = 1e-9


@dataclass(frozen=True)
class FactorTearSheet:
    """What a ranking is worth; unit 1 unless said otherwise.

    Attributes
    ----------
    horizon : int
        Sessions ahead that the factor was made for; quantiles, spread and turnover refer to it.
    symbols : int
        Symbols of the factor.
    information : DataFrame
        One row per horizon: ``horizon``, ``dates``, ``ic`` (mean over dates of Pearson's correlation with
        the forward return), ``rank_ic`` (of Spearman's) with its 95 % interval ``rank_ic_low`` to
        ``rank_ic_high``, ``rank_ic_std`` (over dates), ``t`` and ``p_value`` (of a positive mean rank IC,
        one-sided) and ``share_positive``. Interval and p value allow for overlap: `forecast_tests.t_test`.
    quantiles : DataFrame
        One row per quantile, the lowest first: ``quantile``, ``observations``, ``mean`` (of the simple
        forward return less the mean of its date) and ``turnover`` (share of its symbols that were not in it
        `horizon` sessions before).
    spread : Series
        Mean forward return of the highest quantile less that of the lowest, by decision date.
    spread_t : float
        The mean spread over its standard error, robust to overlap.
    rank_ic : Series
        Rank IC by decision date, at `horizon`.
    rank_autocorrelation : float
        Mean over dates of the correlation of ranks with those `horizon` sessions before.
    sectors : DataFrame
        ``sector``, ``symbols``, ``rank_ic`` (ranks within the sector); empty without sectors.
    """

    horizon: int
    symbols: int
    information: pd.DataFrame
    quantiles: pd.DataFrame
    spread: pd.Series[float] = field(repr=False)
    spread_t: float
    rank_ic: pd.Series[float] = field(repr=False)
    rank_autocorrelation: float
    sectors: pd.DataFrame = field(repr=False)

    def summary(self) -> pd.DataFrame:
        """Return the figures at the factor's own horizon as a table of one row."""
        own = self.information.loc[self.information["horizon"] == self.horizon].reset_index(drop=True)
        return own.assign(
            spread=self.spread.mean(), spread_t=self.spread_t, rank_autocorrelation=self.rank_autocorrelation
        )


def factor_tear_sheet(
    predictions: pd.DataFrame,
    prices: pd.DataFrame,
    *,
    horizons: Sequence[int] = HORIZONS,
    quantiles: int = QUANTILES,
    sectors: Mapping[str, str] | None = None,
) -> FactorTearSheet:
    """Judge the ranking of symbols by their predictions.

    Parameters
    ----------
    predictions : DataFrame
        A predictions frame of one model and one horizon.
    prices : DataFrame
        The prices it was made from; a missing price gives no forward return across it. Forward returns run
        from close to close or, if that is the target, from open to open.
    horizons : sequence of int
        Sessions ahead at which the information coefficient is measured; the predictions' own is added.
    quantiles : int
        Groups of symbols, by prediction, on each date; at most as many as there are symbols.
    sectors : mapping of str to str, optional
        The sector of each symbol.

    Returns
    -------
    FactorTearSheet
        NaN where there are fewer than three symbols to rank.

    Raises
    ------
    ConfigurationError
        If a horizon or the number of quantiles is out of range.
    DataValidationError
        If the predictions mix models or horizons, or hold values that are not finite.
    """
    require_predictions(predictions, bounds=False)
    at_open = target_of(predictions) == "open_to_open"
    quoted = ("adj_close", "open", "close") if at_open else ("adj_close",)
    require_prices(prices, DataValidationError, quoted)
    horizon = int(predictions["horizon"].iloc[0])
    ahead = sorted({horizon, *(require_horizon(one) for one in horizons)})
    factor = predictions.pivot(index="date", columns="symbol", values="predicted")  # noqa: PD010 - unique
    most = int(factor.notna().sum(axis=1).max())
    groups = min(require_whole("quantiles", quantiles, 2), most)
    adjusted = prices["adj_close"] * (prices["open"] / prices["close"] if at_open else 1.0)
    close = prices.assign(at=adjusted).pivot(index="date", columns="symbol", values="at")  # noqa: PD010
    close = close.reindex(columns=factor.columns).shift(-int(at_open))
    across = {one: close.isna().rolling(one + 1).sum().shift(-one) > 0 for one in ahead}
    returns = {
        one: (close.shift(-one) / close - 1).where(~across[one]).reindex(factor.index) for one in ahead
    }
    values = factor.to_numpy(float)
    known = {
        one: np.where(np.isfinite(values), table.to_numpy(float), np.nan) for one, table in returns.items()
    }
    ranked = {one: _correlations(_ranks(values, known[one]), _ranks(known[one], values)) for one in ahead}
    plain = {one: _correlations(_where(values, known[one]), known[one]) for one in ahead}
    group = quantile_of(values, groups)
    means = _group_means(group, known[horizon], groups)
    spread = pd.Series(means[:, -1] - means[:, 0], factor.index, name="spread").dropna()
    return FactorTearSheet(
        horizon=horizon,
        symbols=factor.shape[1],
        information=pd.DataFrame([_information(one, plain[one], ranked[one]) for one in ahead]),
        quantiles=_quantile_table(group, known[horizon], groups, horizon),
        spread=spread,
        spread_t=t_test(np.asarray(spread, dtype=np.float64), horizon).ratio if len(spread) else np.nan,
        rank_ic=pd.Series(ranked[horizon], factor.index, name="rank_ic").dropna(),
        rank_autocorrelation=_autocorrelation(values, horizon),
        sectors=_by_sector(values, known[horizon], [str(name) for name in factor.columns], sectors),
    )


def quantile_of(values: Floats, count: int) -> Whole:
    """Return the quantile of each value among those of its row, 1 to `count` as `pandas.qcut` has it.

    Parameters
    ----------
    values : array of shape (dates, symbols)
        NaN where there is none.
    count : int
        Number of quantiles.

    Returns
    -------
    array of int64 of the same shape
        0 where there is no value. Equal values share a quantile.
    """
    place = pd.DataFrame(values).rank(axis=1, method="min").to_numpy() - 1
    last = np.maximum(np.isfinite(values).sum(axis=1) - 1, 1)[:, None]
    group = np.clip(np.ceil(place * count / last - _ROUNDING), 1, count)
    return np.where(np.isfinite(values), group, 0).astype(np.int64)


def _where(values: Floats, other: Floats) -> Floats:
    return np.where(np.isfinite(other), values, np.nan)


def _ranks(values: Floats, other: Floats) -> Floats:
    """Return ranks along each row of the values that have a partner in `other`."""
    return np.asarray(pd.DataFrame(_where(values, other)).rank(axis=1), dtype=float)


def _correlations(one: Floats, two: Floats) -> Floats:
    """Return Pearson's correlation along each row; NaN with fewer than three pairs or no variation."""
    both = np.isfinite(one) & np.isfinite(two)
    count = both.sum(axis=1)
    centred = [
        np.where(both, part - (np.where(both, part, 0).sum(axis=1) / np.maximum(count, 1))[:, None], 0)
        for part in (one, two)
    ]
    cross, first, second = (
        (a * b).sum(axis=1)
        for a, b in ((centred[0], centred[1]), (centred[0], centred[0]), (centred[1], centred[1]))
    )
    scale = np.sqrt(first * second)
    usable = (count >= FEWEST_SYMBOLS) & (scale > 0)
    return np.where(usable, cross / np.where(usable, scale, 1), np.nan)


def _information(horizon: int, plain: Floats, ranked: Floats) -> dict[str, float]:
    values = ranked[np.isfinite(ranked)]
    if not len(values):
        return {"horizon": horizon, "dates": 0} | dict.fromkeys(
            (
                *("ic", "rank_ic", "rank_ic_low", "rank_ic_high", "rank_ic_std"),
                *("t", "p_value", "share_positive"),
            ),
            np.nan,
        )
    test = t_test(values, horizon)
    return {
        "horizon": horizon,
        "dates": len(values),
        "ic": float(np.nanmean(plain)),
        "rank_ic": float(values.mean()),
        "rank_ic_low": float(values.mean()) - test.half_width(),
        "rank_ic_high": float(values.mean()) + test.half_width(),
        "rank_ic_std": float(values.std(ddof=1)) if len(values) > 1 else np.nan,
        "t": test.ratio,
        "p_value": test.p_value,
        "share_positive": float((values > 0).mean()),
    }


def _group_means(group: Whole, returns: Floats, groups: int) -> Floats:
    """Return the mean return of each quantile on each date, shape (dates, quantiles)."""
    held = [(group == number) & np.isfinite(returns) for number in range(1, groups + 1)]
    sums = np.column_stack([np.where(one, returns, 0).sum(axis=1) for one in held])
    counts = np.column_stack([one.sum(axis=1) for one in held])
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _quantile_table(group: Whole, returns: Floats, groups: int, lag: int) -> pd.DataFrame:
    usable = (group > 0) & np.isfinite(returns)
    count = usable.sum(axis=1)
    centre = np.where(usable, returns, 0).sum(axis=1) / np.maximum(count, 1)
    excess = np.where(usable, returns - centre[:, None], np.nan)
    rows = []
    for number in range(1, groups + 1):
        held = usable & (group == number)
        rows.append(
            {
                "quantile": number,
                "observations": int(held.sum()),
                "mean": float(excess[held].mean()) if held.any() else np.nan,
                "turnover": _turnover(group == number, lag),
            }
        )
    return pd.DataFrame(rows)


def _turnover(held: NDArray[np.bool_], lag: int) -> float:
    """Return the mean share of a quantile's symbols that were not in it `lag` dates before."""
    now, before = held[lag:], held[:-lag]
    size = now.sum(axis=1)
    share = (now & ~before).sum(axis=1)[size > 0] / size[size > 0]
    return float(share.mean()) if len(share) else np.nan


def _autocorrelation(values: Floats, lag: int) -> float:
    ranks = np.asarray(pd.DataFrame(values).rank(axis=1), dtype=float)
    found = _correlations(ranks[lag:], ranks[:-lag])
    return float(np.nanmean(found)) if np.isfinite(found).any() else np.nan


def _by_sector(
    values: Floats, returns: Floats, symbols: list[str], sectors: Mapping[str, str] | None
) -> pd.DataFrame:
    rows = []
    if sectors:
        of_symbol = np.array(sectors_of(pd.Series(symbols), sectors), object)
        for sector in sorted(set(of_symbol)):
            own = of_symbol == sector
            part = [values[:, own], returns[:, own]]
            found = _correlations(_ranks(*part), _ranks(*part[::-1]))
            mean = float(np.nanmean(found)) if np.isfinite(found).any() else np.nan
            rows.append({"sector": sector, "symbols": int(own.sum()), "rank_ic": mean})
    return pd.DataFrame(rows, columns=["sector", "symbols", "rank_ic"])
