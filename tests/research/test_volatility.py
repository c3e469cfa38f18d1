"""The scale of intervals: known at the time, and as the libraries have it."""

import numpy as np
import pandas as pd
import pytest
from arch import arch_model

from sta410kit.exceptions import ConfigurationError, FeatureEngineeringError
from sta410kit.research.conformal import trailing_scale
from sta410kit.research.volatility import garch_variance, volatility

pytestmark = pytest.mark.unit


def garch(sessions, seed=0, news=0.08, memory=0.9, level=1e-4):
    """Return simulated GARCH(1, 1) returns and their true variances."""
    rng = np.random.default_rng(seed)
    variance, returns = np.full(sessions, level), np.zeros(sessions)
    for t in range(sessions):
        if t:
            variance[t] = level * (1 - news - memory) + news * returns[t - 1] ** 2 + memory * variance[t - 1]
        returns[t] = np.sqrt(variance[t]) * rng.standard_normal()
    return returns, variance


@pytest.mark.parametrize("horizon", [1, 5])
def test_ewma_is_the_scale_of_the_intervals(sample, horizon):
    """The default is what the intervals have used all along."""
    pd.testing.assert_frame_equal(volatility(sample, horizon), trailing_scale(sample, horizon))


@pytest.mark.parametrize("horizon", [1, 10])
def test_garch_agrees_with_arch(horizon):
    """At a refit the forecast is that of the library, summed over the horizon."""
    returns, _ = garch(1000)
    ours = garch_variance(returns, horizon, min_train=1000)[-1]
    theirs = arch_model(100 * returns, mean="Zero", rescale=False).fit(disp="off")
    expected = theirs.forecast(horizon=horizon).variance.to_numpy().sum() / 1e4
    assert ours == pytest.approx(expected, rel=2e-3)  # the two start their recursion from different averages


def test_garch_finds_the_true_variance():
    """On its own process the forecast follows the variance that made the returns, better than a mean does."""
    returns, true = garch(3000)
    found = garch_variance(returns, min_train=500)[499:-1]
    assert np.corrcoef(found, true[500:])[0, 1] > 0.95
    assert np.mean(found / true[500:]) == pytest.approx(1, abs=0.05)


def test_far_ahead_garch_returns_to_its_level():
    """Over a long horizon today's storm is one day among many."""
    returns, _ = garch(2000)
    near, far = (garch_variance(returns, h, min_train=1000)[1000:] / h for h in (1, 500))
    assert np.ptp(far) < np.ptp(near) / 3
    assert far.mean() == pytest.approx(returns.var(), rel=0.2)


@pytest.mark.parametrize("model", ["ewma", "garch"])
def test_the_future_changes_no_scale(walks, model):
    """Prices after a day leave every scale up to it as it was, to the last bit."""
    day = walks["date"].unique()[450]
    later = walks["date"] > day
    columns = ["open", "high", "low", "close", "adj_close"]
    factor = np.where(later, np.random.default_rng(0).uniform(0.5, 2, len(walks)), 1.0)
    other = walks.assign(**{name: walks[name] * factor for name in columns})
    options = {"min_train": 100, "refit_every": 50}
    one, two = (volatility(p, 2, model, **options)[~later] for p in (walks, other))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_the_warm_up_is_empty(walks):
    """21 rows by the average, as many as the first fit takes by GARCH, and none after."""
    for model, rows in (("ewma", 21), ("garch", 252)):
        scale = volatility(walks, 1, model)
        assert scale.groupby("symbol")["scale"].apply(lambda s: s.isna().sum()).tolist() == [rows, rows]
        assert (scale["scale"].dropna() > 0).all()


def test_a_price_that_never_moves_has_a_tiny_scale(walks):
    """Nothing to fit is no failure: the average stands in, and nothing is divided by zero."""
    flat = walks.assign(**dict.fromkeys(["open", "high", "low", "close", "adj_close"], 10.0))
    assert volatility(flat, 1, "garch")["scale"].dropna().unique().tolist() == [1e-8]


def test_where_garch_fails_the_average_stands_in(walks, monkeypatch):
    """An optimiser that gives up leaves no hole."""

    def fail(*_, **__):
        raise np.linalg.LinAlgError

    monkeypatch.setattr("arch.univariate.base.ARCHModel.fit", fail)
    pd.testing.assert_frame_equal(
        volatility(walks, 1, "garch").dropna(),
        volatility(walks, 1)[lambda f: f.groupby("symbol").cumcount() >= 252],
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model": "garhc"}, "'garhc'. Known: ewma, garch"),
        ({"horizon": 0}, "horizon"),
        ({"min_train": 0}, "min_train"),
        ({"refit_every": 1.5}, "refit_every"),
    ],
)
def test_what_makes_no_sense_is_named(walks, wrong, words):
    """A model or number that cannot be is refused."""
    with pytest.raises(ConfigurationError, match=words):
        volatility(walks, **wrong)
    with pytest.raises(FeatureEngineeringError, match="not sorted"):
        volatility(walks.iloc[::-1])
