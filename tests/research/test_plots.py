"""The figures of the notebooks."""

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, DataValidationError
from sta410kit.market.adjustment import find_splits
from sta410kit.research import plots
from sta410kit.research.backtest import backtest
from sta410kit.research.factor import factor_tear_sheet
from sta410kit.research.forecasting import forecast
from sta410kit.research.ledger import Ledger
from sta410kit.research.monte_carlo import monte_carlo
from sta410kit.research.quantile_forecast import quantile_forecast
from sta410kit.research.skill import assess_skill
from sta410kit.research.stationarity import stationarity
from sta410kit.research.stress import stress
from sta410kit.research.tear_sheet import returns_tear_sheet
from tests.research.simulated import make_predictions

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("headless")]


@pytest.fixture(scope="module")
def drawn(walks, walk_features, walk_predictions, fitted, tmp_path_factory):
    """Return every figure of the notebooks."""
    mpl.use("agg")
    tested = backtest(walk_predictions, walks)
    ledger = Ledger(tmp_path_factory.mktemp("figures") / "trials.sqlite")  # not the developer's
    return {
        "prices": plots.plot_prices(walks, find_splits(walks)),
        "coverage": plots.plot_coverage(walks),
        "features": plots.plot_features(walk_features.iloc[:, :5]),
        "correlation": plots.plot_correlation(walk_features),
        "stationarity": plots.plot_stationarity(stationarity(walks, walk_features)),
        "predictions": plots.plot_predictions(walk_predictions, "S1"),
        "verdict": plots.plot_verdict(assess_skill(walk_predictions, resamples=100, ledger=ledger)),
        "coverage_over_time": plots.plot_coverage_over_time(walk_predictions),
        "coverage_by_year": plots.plot_coverage_by_year(walk_predictions),
        "equity": plots.plot_equity(tested),
        "contribution": plots.plot_contribution(tested),
        "stress": plots.plot_stress(stress(tested)),
        "monte_carlo": plots.plot_monte_carlo(monte_carlo(tested.frame["net"], paths=100)),
        "forecasts": plots.plot_forecasts(forecast(fitted, walks), walks),
        "quantile_forecast": plots.plot_quantile_forecast(quantile_forecast(walks, horizons=[1, 5]), walks),
    }


def title(figure):
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def test_every_figure_can_be_written_and_is_closed(drawn):
    """Each figure becomes a PNG, pyplot holds none open, and the style does not leak into rcParams."""
    import matplotlib.pyplot as plt

    for name, figure in drawn.items():
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=50)
        assert len(file.getvalue()) > 4_000, name
    assert plt.get_fignums() == []
    assert mpl.rcParams["axes.titlelocation"] == mpl.rcParamsDefault["axes.titlelocation"]


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("coverage", "Sessions of each symbol: 0 missing between first and last"),
        ("coverage_over_time", "Intervals held "),
        ("predictions", "S1: "),
        ("verdict", "ridge: "),
        ("coverage_by_year", "Coverage by year: 0 of 4 off 90 %"),
        ("quantile_forecast", "Next 5 sessions: bands that hold 50 % and 90 % of outcomes"),
        ("stress", "Lowest return: crash of 20 %, -22 %"),
        ("correlation", "12 pairs of features are nearly collinear (above 0.8)"),
        ("forecasts", "Forecast over one session"),
    ],
)
def test_titles_state_the_finding(drawn, name, begin):
    """A title carries the finding, with its number."""
    assert title(drawn[name]).startswith(begin)


def test_texts_are_readable(drawn):
    """No visible text is smaller than 9 points, and axes with values have labels."""
    for name, figure in drawn.items():
        for text in figure.findobj(mpl.text.Text):
            assert not text.get_text() or not text.get_visible() or text.get_fontsize() >= 9, (name, text)
    for name in ("equity", "coverage_over_time", "stress", "monte_carlo", "verdict"):
        assert any(axes.get_ylabel() or axes.get_xlabel() for axes in drawn[name].axes), name


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("prices", "symbol date close adj_close"),
        ("coverage", "symbol date"),
        ("predictions", "symbol date predicted actual lower upper horizon"),
        ("coverage_over_time", "symbol date actual lower upper horizon"),
        ("coverage_by_year", "symbol date actual lower upper horizon"),
        ("stress", "scenario total_return max_drawdown"),
        ("stationarity", "symbol series reading"),
    ],
)
def test_empty_frames_are_refused(name, columns):
    """A frame without rows has nothing to draw; one without its columns names them."""
    draw = getattr(plots, f"plot_{name}")
    with pytest.raises(DataValidationError, match="to draw"):
        draw(pd.DataFrame(columns=columns.split()))
    with pytest.raises(DataValidationError, match="lack the column"):
        draw(pd.DataFrame({"other": [1]}))


def test_frames_without_anything_to_draw_are_refused(walks, walk_features):
    """Missing features, forecasts and prices are named."""
    for empty in (walk_features.head(0), walk_features[["symbol", "date"]]):
        with pytest.raises(DataValidationError, match="no features to draw"):
            plots.plot_features(empty)
    columns = ["symbol", "date", "horizon", "model", "predicted", "lower", "upper"]
    with pytest.raises(DataValidationError, match="no forecasts to draw"):
        plots.plot_forecasts(pd.DataFrame(columns=columns), walk_features)
    quantiles = quantile_forecast(walks, horizons=[1], levels=[0.9])
    with pytest.raises(DataValidationError, match="no session of S0"):
        plots.plot_quantile_forecast(quantiles, walks[walks["symbol"] == "S1"])


def test_a_symbol_may_look_like_a_formula(walks, walk_predictions):
    """Dollar signs are drawn literally, even where they would form an invalid formula."""
    hostile = {"S0": r"$\bad{$", "S1": "a$b_c$"}
    prices = walks.replace({"symbol": hostile})
    predictions = walk_predictions.replace({"symbol": hostile})
    for figure in (
        plots.plot_prices(prices),
        plots.plot_coverage(prices),
        plots.plot_predictions(predictions, hostile["S0"]),
        plots.plot_coverage_by_year(predictions),
    ):
        figure.savefig(io.BytesIO(), dpi=30)


@pytest.mark.parametrize("days", [1, 90, 1200])
def test_date_axes_have_two_to_eight_ticks(sample, days):
    """From a day to years, and without a warning."""
    figure = plots.plot_prices(sample[sample["symbol"] == "IBM"].head(days))
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    low, high = figure.axes[0].get_xlim()
    assert 2 <= sum(low <= tick <= high for tick in figure.axes[0].get_xticks()) <= 8


def test_a_year_with_significant_miscoverage_is_framed(walk_predictions):
    """Intervals a tenth as wide miss in every year, and every cell is framed."""
    middle = walk_predictions["predicted"]
    narrow = walk_predictions.assign(
        lower=middle + 0.1 * (walk_predictions["lower"] - middle),
        upper=middle + 0.1 * (walk_predictions["upper"] - middle),
    )
    figure = plots.plot_coverage_by_year(narrow)
    assert title(figure).startswith("Coverage by year: 4 of 4 off 90 %")
    assert len(figure.axes[0].patches) == 4


def test_missing_sessions_are_counted_and_lines_limited(walks):
    """Three removed sessions are counted in the title; of twelve symbols eight are drawn."""
    days = walks["date"].unique()
    holey = walks[~((walks["symbol"] == "S1") & walks["date"].isin(days[100:103]))]
    assert title(plots.plot_coverage(holey)) == "Sessions of each symbol: 3 missing between first and last"
    many = pd.concat([walks[walks["symbol"] == "S0"].assign(symbol=f"X{n:02}") for n in range(12)])
    assert len(plots.plot_prices(many).axes[0].lines) == 8


def test_faulty_raw_prices_can_be_drawn(sample):
    """Gaps, zeros and duplicates in raw prices are drawn instead of raising."""
    raw = sample[sample["symbol"].isin(["FB", "IBM"])].copy()
    raw.loc[raw.index[:50], ["close", "adj_close"]] = np.nan
    raw.loc[raw.index[50:60], ["close", "adj_close"]] = -1.0
    raw = pd.concat([raw, raw.tail(3)], ignore_index=True)
    assert plots.plot_prices(raw, find_splits(raw)).axes
    assert title(plots.plot_coverage(raw)).startswith("Sessions of each symbol: 0 missing")
    assert plots.plot_prices(raw.assign(close=np.nan, adj_close=np.nan)).axes
    with pytest.raises(DataValidationError, match="no sessions to draw"):
        plots.plot_coverage(raw.assign(symbol=None))


def test_the_first_symbol_is_the_default(walk_predictions):
    """Without a symbol the first in order is drawn; an unknown one is named with those there are."""
    assert title(plots.plot_predictions(walk_predictions)).startswith("S0: ")
    with pytest.raises(ConfigurationError, match="no predictions of 'AAPL'; there are some of S0, S1"):
        plots.plot_predictions(walk_predictions, "AAPL")


@pytest.mark.parametrize("sessions", [2, 600])
def test_the_verdict_is_drawn_with_its_best_stretch(sessions):
    """The gains end at R²; the best stretch is shaded where there is one."""
    rng = np.random.default_rng(0)
    frame = make_predictions(rng.standard_normal(sessions) / 1e3, rng.standard_normal(sessions) / 1e2)
    verdict = assess_skill(frame, resamples=100)
    left, right = plots.plot_verdict(verdict).axes
    assert left.get_lines()[0].get_ydata()[-1] == pytest.approx(100 * verdict.evidence.r2)
    assert f"R² {100 * verdict.evidence.r2:+z.2f} %" in [
        text.get_text() for text in right.get_legend().get_texts()
    ]
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert ("best 120 sessions" in labels) == (sessions == 600)


def test_what_is_not_defined_for_predictions_of_zero_is_said_and_not_drawn(walks, walk_predictions):
    """A sentence without axes in place of every figure that would be empty; equity is still drawn."""
    zero = walk_predictions.assign(predicted=0.0, model="naive")
    tested = backtest(zero, walks)
    figures = [
        plots.plot_verdict(assess_skill(zero, resamples=100)),
        plots.plot_factor(factor_tear_sheet(zero, walks)),
        plots.plot_returns(returns_tear_sheet(tested)),
        plots.plot_contribution(tested),
        plots.plot_stress(stress(tested)),
        plots.plot_monte_carlo(monte_carlo(tested.frame["net"], paths=100)),
    ]
    assert [[text.get_text() for text in figure.axes[0].texts] for figure in figures] == [
        ["naive: not enough data. Every prediction is 0: no squared error is saved or lost against naive."],
        ["Ranking: not defined, no date has 3 symbols with different predictions."],
        ["Returns: the strategy never trades, so its Sharpe ratio is not defined."],
        ["Contribution and exposure: the strategy never trades, so both are 0."],
        ["Stress: the strategy never trades, so no scenario changes its return of 0 %."],
        ["Resampled paths: the strategy never trades, so every path stays at its start."],
    ]
    assert not any(axes.axison for figure in figures for axes in figure.axes)
    assert title(plots.plot_equity(tested)).startswith("Strategy +0.0 % a year")


def test_a_rolling_ratio_of_too_few_sessions_is_said_and_not_drawn(walks, walk_predictions):
    """A backtest shorter than the window has months, and no axis around 1970."""
    first = walk_predictions[walk_predictions["date"] <= walk_predictions["date"].unique()[60]]
    left, right = plots.plot_returns(returns_tear_sheet(backtest(first, walks))).axes
    assert left.axison
    assert right.get_title(loc="left") == "Sharpe ratio of the last 126 sessions: there are fewer"
    assert not right.axison


@pytest.mark.usefixtures("headless")
def test_a_forecast_among_symbols_is_drawn_beside_the_others_and_not_as_a_price(fitted, walks):
    """The best at the top, each label with its forecast; axes name the target."""
    ranks = forecast(fitted, walks).assign(predicted=[0.1, -0.2], lower=-0.9, upper=0.9, target="rank")
    (axes,) = plots.plot_forecasts(ranks, walks).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["S1: -20.00 %", "S0: +10.00 %"]
    assert axes.get_xlabel() == "rank from -100 to 100 over one session, %"
