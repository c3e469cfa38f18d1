"""Features: what was known at the close of *t*, one function each.

A new feature is a function of `History` with the decorator `feature`, in this folder, in a module of the
project or in a notebook cell; its name becomes the column.

================  ====================================================================================
`registry`        the decorator, and `build_features`
`history`         prices with the operations that only look backwards
`returns`         log returns over several horizons, overnight and within the session
`trend`           the price against its moving averages, MACD
`oscillators`     RSI, Williams %R
`volatility`      from closes, from ranges (Parkinson, Garman-Klass, Yang-Zhang), ATR, Bollinger width
`volume`          how unusual the trading is, and how much it moves the price
`seasonal`        day of the week, turn of the month
`cross_section`   ranks among the symbols of the session, and means over them
================  ====================================================================================

All are computed from adjusted prices and do not change when a later split or dividend rescales the adjusted
history.
"""

from sta410kit.research.features.history import History
from sta410kit.research.features.registry import (
    FEATURES,
    KEYS,
    build_features,
    default_features,
    feature,
    feature_names,
    registered,
    require_features_frame,
)

# Importing a family registers its features; the order here is the order of the columns.
from sta410kit.research.features import (  # isort: skip
    returns,
    trend,
    oscillators,
    volatility,
    volume,
    seasonal,
    cross_section,
)

__all__ = [
    "FEATURES",
    "KEYS",
    "History",
    "build_features",
    "cross_section",
    "default_features",
    "feature",
    "feature_names",
    "oscillators",
    "registered",
    "require_features_frame",
    "returns",
    "seasonal",
    "trend",
    "volatility",
    "volume",
]
