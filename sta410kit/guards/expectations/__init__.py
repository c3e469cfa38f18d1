"""What generic expectations cannot ask: expectations that know symbols, sessions, splits and units.

Importing this package registers them with Great Expectations, which can then load the kit's suites by itself.

========================  ======================================================================
`calendar_sessions`       sessions missing or extra by the exchange's calendar, series cut short
`dates`                   dates in the future, with a time of day, or too old
`row_order`               rows out of order
`symbol_names`            spaces and other spellings in symbols
`price_jumps`             splits the adjusted close does not know, and jumps on a quiet day
`price_units`             factors of 10 and 100
`spikes`                  spikes that revert, highs and lows far out
`adjusted_close`          `adj_close` that leaves `close` and comes back
`stale_bars`              bars repeated instead of fetched
`volume_runs`             sessions without volume, parts of shares
`volume_units`            volume in lots or thousands
`pasted_bars`             stretches that stand twice
`swapped_columns`         open and close in each other's place
`other_symbols`           two symbols with one series, dates a session off
`history`                 past sessions revised, columns changed, since the last snapshot
`warm_up`                 features missing after they have begun
`features`                collinear features, features that drifted
`model_output`            constant predictions, small groups, symbols without a forecast of the day
`output_scale`            exploding predictions, foreseen outcomes, intervals that say nothing
========================  ======================================================================
"""

# ruff: noqa: E402 - Great Expectations is told to be quiet before any part of it is imported
from sta410kit.guards.library import great_expectations

great_expectations()

from sta410kit.guards.expectations import (
    adjusted_close,
    calendar_sessions,
    dates,
    features,
    history,
    model_output,
    other_symbols,
    output_scale,
    pasted_bars,
    price_jumps,
    price_units,
    row_order,
    spikes,
    stale_bars,
    swapped_columns,
    symbol_names,
    volume_runs,
    volume_units,
    warm_up,
)
from sta410kit.guards.expectations.frame_expectation import Findings, FrameExpectation, find_all

__all__ = [
    "Findings",
    "FrameExpectation",
    "adjusted_close",
    "calendar_sessions",
    "dates",
    "features",
    "find_all",
    "history",
    "model_output",
    "other_symbols",
    "output_scale",
    "pasted_bars",
    "price_jumps",
    "price_units",
    "row_order",
    "spikes",
    "stale_bars",
    "swapped_columns",
    "symbol_names",
    "volume_runs",
    "volume_units",
    "warm_up",
]
