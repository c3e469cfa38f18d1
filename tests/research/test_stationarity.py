"""Augmented Dickey-Fuller and KPSS tests of prices and features."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research import plots
from sta410kit.research.stationarity import stationarity

pytestmark = pytest.mark.unit


@pytest.fixture
def walk():
    """Return prices of a random walk, and features: noise, a random walk, a constant and a short series."""
    rng = np.random.default_rng(0)
    dates = pd.bdate_range("2020-01-01", periods=800)
    price = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 800)))
    prices = pd.DataFrame({"symbol": "AAA", "date": dates, "adj_close": price})
    features = pd.DataFrame(
        {
            "symbol": "AAA",
            "date": dates,
            "noise": rng.normal(size=800),
            "walk": np.cumsum(rng.normal(size=800)),
            "constant": 1.0,
            "short": [np.nan] * 750 + [0.5, 1.0] * 25,
        }
    )
    return prices, features


def test_walks_and_noise_are_distinguished(walk):
    """Returns and noise are stationary, walks are not; short series read too short."""
    table = stationarity(*walk).set_index("series")
    assert table["reading"].to_dict() == {
        "log price": "unit root",
        "log return": "stationary",
        "noise": "stationary",
        "walk": "unit root",
        "constant": "too short",
        "short": "too short",
    }
    assert table["sessions"].to_dict()["short"] == 50
    assert table.loc["noise", "adf_p"] < 0.01
    assert table.loc["noise", "kpss_p"] > 0.05


def test_it_agrees_with_statsmodels_called_directly(walk):
    """P values are those of statsmodels with Schwert's lags."""
    from statsmodels.tsa.stattools import adfuller

    expected = adfuller(walk[1]["noise"], maxlag=20, autolag=None, result_object=False)[1]
    found = stationarity(*walk).set_index("series").loc["noise", "adf_p"]
    assert found == pytest.approx(expected, rel=1e-12)


def test_unsorted_or_foreign_frames_are_refused(walk):
    """Unsorted frames, and frames without a common symbol, are refused."""
    prices, features = walk
    for pair, words in (
        ((prices.iloc[::-1], features), "not sorted"),
        ((prices, features.iloc[::-1]), "not sorted"),
        ((prices, features.assign(symbol="BBB")), "no symbol in common"),
    ):
        with pytest.raises(DataValidationError, match=words):
            stationarity(*pair)


def test_the_figure_has_a_mark_for_every_series(walk):
    """Each reading has its own marker in the legend."""
    figure = plots.plot_stationarity(stationarity(*walk))
    assert sum(len(marks.get_offsets()) for marks in figure.axes[0].collections) == 6
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["stationary", "unit root", "too short"]
