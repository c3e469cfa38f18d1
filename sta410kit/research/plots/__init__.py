"""The figures of the notebooks, one function each, all in one style.

Each returns a closed Figure: shown as the last value of a cell it appears once, and a long run leaks none.
Colours are those of Okabe and Ito, which colour-blind readers tell apart.
"""

from sta410kit.research.plots.account import (
    plot_bootstrap,
    plot_equity,
    plot_monte_carlo,
    plot_stress,
)
from sta410kit.research.plots.data import (
    plot_correlation,
    plot_coverage,
    plot_features,
    plot_prices,
    plot_stationarity,
)
from sta410kit.research.plots.intervals import (
    plot_coverage_by_year,
    plot_coverage_over_time,
    plot_fan,
    plot_reliability,
)
from sta410kit.research.plots.luck import plot_verdict
from sta410kit.research.plots.results import (
    plot_forecasts,
    plot_learning_curve,
    plot_predictions,
    plot_skill,
)

__all__ = [
    "plot_bootstrap",
    "plot_correlation",
    "plot_coverage",
    "plot_coverage_by_year",
    "plot_coverage_over_time",
    "plot_equity",
    "plot_fan",
    "plot_features",
    "plot_forecasts",
    "plot_learning_curve",
    "plot_monte_carlo",
    "plot_predictions",
    "plot_prices",
    "plot_reliability",
    "plot_skill",
    "plot_stationarity",
    "plot_stress",
    "plot_verdict",
]
