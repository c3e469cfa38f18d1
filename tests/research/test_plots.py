"""Figures: drawn, titled with what they show, and never left open."""

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.market.adjustment import find_splits
from sta410kit.research import plots
from sta410kit.research.backtest import backtest
from sta410kit.research.forecasting import fit_final, forecast

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _headless(monkeypatch):
    """Draw without a screen, whatever the machine has."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    mpl.use("agg")


@pytest.fixture(scope="module")
def drawn(sample, sample_features, sample_predictions):
    """Return every figure of the notebooks on the embedded prices."""
    fitted = fit_final(sample_features, sample, sample_predictions)
    return {
        "prices": plots.plot_prices(sample, find_splits(sample)),
        "coverage": plots.plot_coverage(sample),
        "features": plots.plot_features(sample_features),
        "correlation": plots.plot_correlation(sample_features),
        "predictions": plots.plot_predictions(sample_predictions, "MSFT"),
        "coverage_over_time": plots.plot_coverage_over_time(sample_predictions),
        "skill": plots.plot_skill(sample_predictions),
        "equity": plots.plot_equity(backtest(sample_predictions, sample)),
        "forecasts": plots.plot_forecasts(forecast(fitted, sample), sample),
    }


def title(figure):
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def test_every_figure_can_be_written_and_is_closed(drawn):
    """Each figure becomes a PNG that shows something, and pyplot holds none of them open."""
    import matplotlib.pyplot as plt

    for name, figure in drawn.items():
        file = io.BytesIO()
        figure.savefig(file, format="png")
        assert len(file.getvalue()) > 10_000, name
    assert plt.get_fignums() == []


def test_titles_say_what_is_seen(drawn):
    """A title carries the finding, with its number."""
    assert title(drawn["coverage"]) == "Sessions of each symbol: 0 missing between first and last"
    assert title(drawn["skill"]).startswith("ridge ends behind naive: -0.0")
    assert title(drawn["coverage_over_time"]).startswith("Intervals held 90.")
    assert title(drawn["predictions"]).startswith("MSFT: ")
    assert title(drawn["forecasts"]).startswith("Forecast over one session")


def test_the_style_stays_inside(drawn):
    """Drawing leaves the reader's own settings as they were."""
    assert drawn
    assert mpl.rcParams["axes.titlelocation"] == mpl.rcParamsDefault["axes.titlelocation"]


def test_raw_prices_with_every_fault_can_be_drawn(sample):
    """The chart of raw prices is there to show trouble, so gaps, zeros and duplicates do not stop it."""
    raw = sample[sample["symbol"].isin(["FB", "IBM"])].copy()
    raw.loc[raw.index[:50], ["close", "adj_close"]] = np.nan
    raw.loc[raw.index[50:60], ["close", "adj_close"]] = -1.0
    raw = pd.concat([raw, raw.tail(3)], ignore_index=True)
    assert plots.plot_prices(raw, find_splits(raw)).axes
    assert title(plots.plot_coverage(raw)).startswith("Sessions of each symbol: 0 missing")
    assert plots.plot_prices(raw.assign(close=np.nan, adj_close=np.nan)).axes


def test_missing_sessions_are_counted_in_the_title(walks):
    """Three sessions taken from the middle are three missing."""
    days = walks["date"].unique()
    holey = walks[~((walks["symbol"] == "S1") & walks["date"].isin(days[100:103]))]
    assert title(plots.plot_coverage(holey)) == "Sessions of each symbol: 3 missing between first and last"


def test_many_symbols_are_cut_to_what_can_be_told_apart(walks):
    """A chart of lines shows at most eight symbols."""
    many = pd.concat([walks.assign(symbol=f"X{n:02}") for n in range(12)], ignore_index=True)
    many = many.drop_duplicates(["symbol", "date"])
    assert len(plots.plot_prices(many).axes[0].lines) == 8


def test_the_first_symbol_is_the_default(walk_predictions):
    """Without a symbol the first in order is drawn; an unknown one is named with those there are."""
    assert title(plots.plot_predictions(walk_predictions)).startswith("S0: ")
    with pytest.raises(ConfigurationError, match="no predictions of 'AAPL'; there are some of S0, S1"):
        plots.plot_predictions(walk_predictions, "AAPL")


def test_nothing_to_draw_is_said(walk_features):
    """Frames without rows or features are refused by name."""
    for empty in (walk_features.head(0), walk_features[["symbol", "date"]]):
        with pytest.raises(DataValidationError, match="no features to draw"):
            plots.plot_features(empty)
    columns = ["symbol", "date", "horizon", "model", "predicted", "lower", "upper"]
    with pytest.raises(DataValidationError, match="no forecasts to draw"):
        plots.plot_forecasts(pd.DataFrame(columns=columns), walk_features)


def test_a_level_end_is_called_level(walk_predictions):
    """Naive ends level with itself."""
    naive = walk_predictions.assign(predicted=0.0, model="naive")
    assert title(plots.plot_skill(naive)) == "naive ends level with naive: +0.000% of its squared error"
