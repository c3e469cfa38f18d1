"""Quantile forecasts: what they agree with, their shape, and what they refuse."""

import numpy as np
import pytest

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.research import conformal
from sta410kit.research.quantile_forecast import quantile_forecast
from sta410kit.research.targets import build_target
from sta410kit.research.volatility import trailing_scale
from tests.research.simulated import naive_with_intervals

pytestmark = pytest.mark.unit


def test_it_is_what_the_last_intervals_would_be(walks):
    """At horizon 1 and 90 % it is the width of a naive prediction made at the last session."""
    found = quantile_forecast(walks, horizons=[5, 1], levels=[0.9, 0.5])
    assert found["date"].eq(walks["date"].max()).all()
    assert found[["horizon", "level"]].drop_duplicates().to_numpy().tolist() == [
        [1, 0.5], [1, 0.9], [5, 0.5], [5, 0.9],
    ]  # fmt: skip
    history = naive_with_intervals(walks).rename(columns={"target": "actual"})
    targets = build_target(walks, 1).merge(trailing_scale(walks, 1), on=["symbol", "date"]).dropna()
    table = targets.assign(score=targets["target"] / targets["scale"])
    widths = conformal.latest_quantiles(table, 1, 0.9)
    scale = trailing_scale(walks, 1).groupby("symbol")["scale"].last()
    sides = (
        ("lower", -widths[0], history["actual"] < history["lower"]),
        ("upper", widths[1], history["actual"] > history["upper"]),
    )
    for side, width, missed in sides:
        factors = np.exp(0.02 * (missed - 0.05).groupby(history["symbol"]).sum())  # never at its bound
        for symbol in ("S0", "S1"):
            one = found[(found["symbol"] == symbol) & (found["horizon"] == 1) & (found["level"] == 0.9)]
            assert one[side].item() == pytest.approx(width * factors[symbol] * scale[symbol])


def test_it_widens_with_horizon_and_level(sample):
    """Intervals widen with horizon and level, for every symbol."""
    found = quantile_forecast(sample, horizons=[1, 5, 21], levels=[0.5, 0.9])
    assert found["symbol"].nunique() == 5
    wide = found.pivot_table(index="symbol", columns=["level", "horizon"], values="upper")
    assert (wide[0.9] > wide[0.5]).all().all()
    assert (wide.T.groupby(level="level").diff().dropna() > 0).all().all()


def test_a_horizon_too_long_for_the_history_is_refused(walks):
    """600 sessions are too few for a quarter ahead; an empty list of horizons is refused too."""
    with pytest.raises(DataValidationError, match="too few for an interval"):
        quantile_forecast(walks, horizons=[63], levels=[0.9])
    with pytest.raises(ConfigurationError, match="at least one horizon"):
        quantile_forecast(walks, horizons=[])
