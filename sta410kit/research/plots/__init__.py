"""The figures of the notebooks, one function each, in one style.

Each function returns a closed Figure: as the last value of a cell it is shown once, and a long run keeps no
figure open. The colours are those of Okabe and Ito, which colour-blind readers can tell apart.
"""

from sta410kit.research.plots.data import (
    plot_correlation,
    plot_coverage,
    plot_features,
    plot_prices,
    plot_stationarity,
)
from sta410kit.research.plots.evaluation import (
    plot_equity,
    plot_importance,
    plot_monte_carlo,
    plot_stress,
    plot_verdict,
)
from sta410kit.research.plots.predictions import (
    plot_coverage_by_year,
    plot_coverage_over_time,
    plot_forecasts,
    plot_predictions,
    plot_quantile_forecast,
)
from sta410kit.research.plots.tear_sheets import plot_contribution, plot_factor, plot_returns

__all__ = [
    "plot_contribution",
    "plot_correlation",
    "plot_coverage",
    "plot_coverage_by_year",
    "plot_coverage_over_time",
    "plot_equity",
    "plot_factor",
    "plot_features",
    "plot_forecasts",
    "plot_importance",
    "plot_monte_carlo",
    "plot_predictions",
    "plot_prices",
    "plot_quantile_forecast",
    "plot_returns",
    "plot_stationarity",
    "plot_stress",
    "plot_verdict",
]
