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
from sta410kit.research.learning import learning_curve
from sta410kit.research.monte_carlo import monte_carlo
from sta410kit.research.plots import style
from sta410kit.research.quantile_forecast import fan
from sta410kit.research.reliability import reliability
from sta410kit.research.stress import AS_IT_WAS, stress

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
    tested = backtest(sample_predictions, sample)
    return {
        "prices": plots.plot_prices(sample, find_splits(sample)),
        "coverage": plots.plot_coverage(sample),
        "features": plots.plot_features(sample_features),
        "correlation": plots.plot_correlation(sample_features),
        "predictions": plots.plot_predictions(sample_predictions, "MSFT"),
        "coverage_over_time": plots.plot_coverage_over_time(sample_predictions),
        "skill": plots.plot_skill(sample_predictions),
        "equity": plots.plot_equity(tested),
        "coverage_by_year": plots.plot_coverage_by_year(sample_predictions),
        "reliability": plots.plot_reliability(reliability(sample_predictions, sample, levels=[0.8, 0.9])),
        "fan": plots.plot_fan(fan(sample, horizons=[1, 5]), sample),
        "stress": plots.plot_stress(stress(sample_predictions, sample)),
        "monte_carlo": plots.plot_monte_carlo(monte_carlo(tested.frame["net"], paths=100)),
        "bootstrap": plots.plot_bootstrap(np.arange(100.0), observed=50, what="gain", unit="%"),
        "learning": plots.plot_learning_curve(learning_curve(sample_features, sample, sessions=[252, 1000])),
        "forecasts": plots.plot_forecasts(forecast(fitted, sample), sample),
    }


def title(figure):
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def test_every_figure_can_be_written_and_is_closed(drawn):
    """Each figure becomes a PNG that shows something, and pyplot holds none of them open."""
    import matplotlib.pyplot as plt

    for name, figure in drawn.items():
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=50)
        assert len(file.getvalue()) > 5_000, name
    assert plt.get_fignums() == []


def test_titles_say_what_is_seen(drawn):
    """A title carries the finding, with its number."""
    assert title(drawn["coverage"]) == "Sessions of each symbol: 0 missing between first and last"
    assert title(drawn["skill"]).startswith("ridge ends behind naive: -0.0")
    assert title(drawn["coverage_over_time"]).startswith("Intervals held 90.")
    assert title(drawn["predictions"]).startswith("MSFT: ")
    assert title(drawn["coverage_by_year"]).startswith("Coverage by year: 0 of 51 off 90%")
    assert title(drawn["reliability"]).startswith("Promises are kept within 0.")
    assert title(drawn["fan"]) == "Where the next 5 sessions may go: 50% and 90% of outcomes"
    assert title(drawn["stress"]).startswith("Worst end: doubled costs")
    assert "100 paths end in a loss" in title(drawn["monte_carlo"])
    assert title(drawn["bootstrap"]) == "gain: 2.48 to 96.5 leaves out 0"
    assert title(drawn["learning"]).startswith("ridge on 1,000 sessions: error ")
    assert title(drawn["correlation"]).endswith(" pairs of features say nearly the same (above 0.8)")
    assert title(drawn["forecasts"]).startswith("Forecast over one session")


def test_the_style_stays_inside(drawn):
    """Drawing leaves the reader's own settings as they were."""
    assert drawn
    assert mpl.rcParams["axes.titlelocation"] == mpl.rcParamsDefault["axes.titlelocation"]


def test_texts_can_be_read(drawn):
    """No visible text is smaller than 9 points, and every axis that has values says what they are."""
    for name, figure in drawn.items():
        for text in figure.findobj(mpl.text.Text):
            assert not text.get_text() or not text.get_visible() or text.get_fontsize() >= 9, (name, text)
    for name in ("equity", "coverage_over_time", "stress", "monte_carlo", "bootstrap", "learning", "skill"):
        assert any(axes.get_ylabel() or axes.get_xlabel() for axes in drawn[name].axes), name


def test_a_figure_is_the_same_each_time(sample_predictions, sample):
    """The same data give the same picture, byte for byte, so that notebooks can be compared."""

    def pixels(figure):
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=50, metadata={"Software": None})
        return file.getvalue()

    table = stress(sample_predictions, sample)
    for draw in (lambda: plots.plot_stress(table), lambda: plots.plot_coverage(sample)):
        assert pixels(draw()) == pixels(draw())


# Machado, Oliveira and Fernandes (2009), table 1: linear RGB as seen with deuteranopia and protanopia.
BLINDNESS = {
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


def lab(colour, seen):
    """Return a colour in CIELAB, as seen."""
    encoded = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(seen) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    scaled = np.array(to_xyz) @ linear / [0.9505, 1, 1.089]
    root = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_are_told_apart_without_red_or_green(kind):
    """Any two colours of the palette lie further apart than 10, a just noticeable difference being 2.3."""
    seen = [lab(colour, BLINDNESS[kind]) for colour in style.PALETTE]
    distances = [np.linalg.norm(one - other) for n, one in enumerate(seen) for other in seen[:n]]
    assert min(distances) > 10


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("prices", "symbol date close adj_close"),
        ("coverage", "symbol date"),
        ("predictions", "symbol date predicted actual lower upper horizon"),
        ("coverage_over_time", "symbol date actual lower upper horizon"),
        ("coverage_by_year", "symbol date actual lower upper horizon"),
        ("skill", "date model predicted actual"),
        ("reliability", "level coverage error outcomes"),
        ("stress", "scenario total_return max_drawdown"),
        ("learning_curve", "sessions train test model"),
        ("stationarity", "symbol series reading"),
    ],
)
def test_empty_frames_are_refused_in_words(name, columns):
    """A frame without rows says that there is nothing to draw; one without its columns says which."""
    draw = getattr(plots, f"plot_{name}")
    with pytest.raises(DataValidationError, match="to draw"):
        draw(pd.DataFrame(columns=columns.split()))
    with pytest.raises(DataValidationError, match="lack the column"):
        draw(pd.DataFrame({"other": [1]}))


def test_one_row_is_enough_to_draw(sample, sample_predictions):
    """A single session or prediction makes a figure, if a bare one, and no warning."""
    one = sample_predictions.head(1)
    for figure in (
        plots.plot_prices(sample.head(1)),
        plots.plot_coverage(sample.head(1)),
        plots.plot_predictions(one),
        plots.plot_coverage_over_time(one),
        plots.plot_coverage_by_year(one),
        plots.plot_skill(one),
        plots.plot_stress(pd.DataFrame({"scenario": [AS_IT_WAS], "total_return": 0.1, "max_drawdown": -0.1})),
        plots.plot_reliability(pd.DataFrame({"level": [0.9], "coverage": 0.9, "error": 0.01, "outcomes": 9})),
        plots.plot_monte_carlo(monte_carlo([0.1, -0.1], paths=1)),
    ):
        figure.savefig(io.BytesIO(), format="png", dpi=30)


def test_a_symbol_may_hold_what_looks_like_a_formula(sample, sample_predictions):
    """It stands in the figures as it is written, also where it would be no valid formula."""
    hostile = {"AAPL": r"$\bad{$", "IBM": "a$b_c$"}
    prices = sample.replace({"symbol": hostile}).sort_values(["symbol", "date"], ignore_index=True)
    predictions = sample_predictions.replace({"symbol": hostile})
    for figure in (
        plots.plot_prices(prices, find_splits(prices)),
        plots.plot_coverage(prices),
        plots.plot_predictions(predictions, hostile["AAPL"]),
        plots.plot_coverage_by_year(predictions),
        plots.plot_fan(fan(prices, horizons=[1]), prices),
    ):
        figure.savefig(io.BytesIO())


@pytest.mark.parametrize("days", [1, 2, 5, 30, 90, 260, 500, 800, 1000, 1200])
def test_any_stretch_of_dates_has_its_ticks(sample, days):
    """From a day to years, dates are labelled without a warning, three to eight times."""
    figure = plots.plot_prices(sample[sample["symbol"] == "IBM"].head(days))
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    low, high = figure.axes[0].get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in figure.axes[0].get_xticks()) <= 8


def test_a_fan_needs_its_prices(sample):
    """Prices of other symbols are not those the fan starts from."""
    made = fan(sample, horizons=[1], levels=[0.9])
    with pytest.raises(DataValidationError, match="no session of AAPL"):
        plots.plot_fan(made, sample[sample["symbol"] == "IBM"])


def test_a_year_that_chance_hardly_explains_is_framed(sample_predictions):
    """Intervals a tenth as wide miss in every year, and every cell is framed."""
    middle = sample_predictions["predicted"]
    narrow = sample_predictions.assign(
        lower=middle + 0.1 * (sample_predictions["lower"] - middle),
        upper=middle + 0.1 * (sample_predictions["upper"] - middle),
    )
    figure = plots.plot_coverage_by_year(narrow)
    assert title(figure).startswith("Coverage by year: 51 of 51 off 90%")
    assert len(figure.axes[0].patches) == 51


@pytest.mark.parametrize("draws", [[], [1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_a_distribution_is_made_of_draws(draws):
    """Too few, gaps, and tables are refused."""
    with pytest.raises(DataValidationError, match="two or more finite draws"):
        plots.plot_bootstrap(draws, observed=1.0)


def test_many_features_have_no_numbers_in_their_cells(sample_features):
    """Forty features make a figure of bounded size without unreadable numbers."""
    many = pd.concat(
        [sample_features] + [sample_features.iloc[:, 2:].add_suffix(f"_{n}") for n in range(3)], axis=1
    )
    figure = plots.plot_correlation(many)
    assert max(figure.get_size_inches()) < 16
    assert list(figure.axes[0].texts) == []


def test_raw_prices_with_every_fault_can_be_drawn(sample):
    """The chart of raw prices is there to show trouble, so gaps, zeros and duplicates do not stop it."""
    raw = sample[sample["symbol"].isin(["FB", "IBM"])].copy()
    raw.loc[raw.index[:50], ["close", "adj_close"]] = np.nan
    raw.loc[raw.index[50:60], ["close", "adj_close"]] = -1.0
    raw = pd.concat([raw, raw.tail(3)], ignore_index=True)
    assert plots.plot_prices(raw, find_splits(raw)).axes
    assert title(plots.plot_coverage(raw)).startswith("Sessions of each symbol: 0 missing")
    assert plots.plot_prices(raw.assign(close=np.nan, adj_close=np.nan)).axes
    with pytest.raises(DataValidationError, match="no sessions to draw"):
        plots.plot_coverage(raw.assign(symbol=None))


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
