"""Two tests with opposite null hypotheses say which series keep their mean."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research import plots
from sta410kit.research.stationarity import stationarity

pytestmark = pytest.mark.unit


@pytest.fixture
def walk():
    """Give prices of a random walk, and two features: noise, and a walk of its own."""
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


def test_a_walk_and_noise_are_told_apart(walk):
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


def test_frames_out_of_order_are_refused(walk):
    """Unsorted prices are refused."""
    prices, features = walk
    for pair in (
        (prices.iloc[::-1], features),
        (prices, features.iloc[::-1]),
        (pd.concat([prices.head(9), prices.tail(-8)]), features),
        (prices.drop(columns="adj_close"), features),
    ):
        with pytest.raises(DataValidationError, match=r"not sorted|more than once|lack the column"):
            stationarity(*pair)


def test_frames_of_other_symbols_are_refused(walk):
    """Frames without a common symbol are refused."""
    prices, features = walk
    with pytest.raises(DataValidationError, match="no symbol in common"):
        stationarity(prices, features.assign(symbol="BBB"))


def test_the_figure_has_a_mark_for_every_series(walk):
    """Each reading has its own marker in the legend."""
    figure = plots.plot_stationarity(stationarity(*walk))
    assert sum(len(marks.get_offsets()) for marks in figure.axes[0].collections) == 6
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["stationary", "unit root", "too short"]
