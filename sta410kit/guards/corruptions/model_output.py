"""What goes wrong with features, predictions and forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import (
    Change,
    Draw,
    Frame,
    catalogue,
    coin,
    copied,
    require,
    stretch,
    symbol_count,
)

_NO_FEATURES = {"symbol", "date", "target"}
_INTERVAL = ["predicted", "lower", "upper"]
_FEW = 60  # rows below which nothing is judged


def _feature(frame: Frame, rng: Draw) -> str:
    names = [name for name in frame.columns if name not in _NO_FEATURES and frame[name].dtype.kind == "f"]
    return str(names[rng.integers(len(names))])


def _feature_frozen(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 12, 120)
    names = [
        name for name in frame.columns if name not in _NO_FEATURES and frame[name].nunique() > len(frame) / 2
    ]
    require(names)
    name = str(rng.choice(names))
    known = rows[frame[name].notna().to_numpy()[rows]]
    require(len(known) >= 12)  # noqa: PLR2004 - the shortest stretch
    values = frame[name].to_numpy(float).copy()
    values[known] = values[known[0]]
    return frame.assign(**{name: values})


def _same_features(frame: Frame, rng: Draw) -> Frame:
    names = frame["symbol"].unique()
    require(len(names) > 1)
    one, other = (frame[frame["symbol"] == name] for name in rng.choice(names, 2, replace=False))
    common = one[one["date"].isin(other["date"])]
    require(len(common) >= max(_FEW, 0.9 * len(other)))
    copy = common.assign(symbol=other["symbol"].iloc[0])
    rest = frame[frame["symbol"] != other["symbol"].iloc[0]]
    new: Frame = pd.concat([rest, copy]).sort_values(["symbol", "date"], kind="stable")
    return new.reset_index(drop=True)


def _feature_still(frame: Frame, rng: Draw) -> Frame:
    name, names = _feature(frame, rng), frame["symbol"].unique()
    rows = frame[name].notna()
    if coin(rng):
        rows &= frame["symbol"] == rng.choice(names)
    return frame.assign(**{name: frame[name].mask(rows, frame[name].median())})


def _target_fed(frame: Frame, rng: Draw) -> Frame:
    require("target" in frame.columns)
    size = float(frame["target"].std())
    return frame.assign(fed=frame["target"] + rng.normal(0, 0.01 * size, len(frame)))


def _far_out(frame: Frame, rng: Draw) -> Frame:
    name = _feature(frame, rng)
    values = frame[name].to_numpy(float).copy()
    values[rng.integers(len(values))] = 1e6
    return frame.assign(**{name: values})


def _target_constant(frame: Frame, rng: Draw) -> Frame:
    require("target" in frame.columns)
    return frame.assign(target=float(rng.normal()))


def _around(frame: Frame, predicted: Any) -> Frame:  # noqa: ANN401 - a number or a column of them
    """Return the frame with other predictions, and intervals as wide as before."""
    half = (frame["upper"] - frame["lower"]) / 2
    return frame.assign(predicted=predicted, lower=predicted - half, upper=predicted + half)


def _foreseen(frame: Frame, rng: Draw) -> Frame:
    require(len(frame) >= _FEW and frame["actual"].std())
    return _around(frame, frame["actual"] + rng.normal(0, 0.1 * frame["actual"].std(), len(frame)))


def _frozen(frame: Frame, rng: Draw) -> Frame:
    rows = stretch(frame, rng, 140, 400)
    require(symbol_count(frame) > 1 and not (frame["model"] == "naive").all())
    return copied(frame, rows, _INTERVAL, frame[_INTERVAL].to_numpy()[rows[0]])


def _stale(frame: Frame, rng: Draw) -> Frame:
    require(len(frame) > 1)
    dates = frame["date"].copy()
    dates.iloc[int(rng.integers(len(frame)))] -= pd.Timedelta(days=int(rng.choice([1, 7, 90])))
    return frame.assign(date=dates)


def _upside_down(frame: Frame, rng: Draw) -> Frame:
    wide = np.flatnonzero((frame["upper"] > frame["lower"]).to_numpy())
    require(len(wide))
    rows = rng.choice(wide, int(rng.integers(1, len(wide) + 1)), replace=False)
    return copied(frame, rows, ["lower", "upper"], frame[["upper", "lower"]].to_numpy()[rows])


def _constant(frame: Frame, rng: Draw) -> Frame:
    require(not (frame["model"] == "naive").all() and len(frame) >= 20)  # noqa: PLR2004 - fewer are not judged
    return _around(frame, float(rng.uniform(-0.001, 0.001)))


def _exploding(frame: Frame, rng: Draw) -> Frame:
    rows = rng.choice(len(frame), max(1, len(frame) // int(rng.choice([3, 50, len(frame)]))), replace=False)
    by = float(rng.choice([-1, 1]) * rng.uniform(1.1, 5))
    return copied(frame, rows, _INTERVAL, frame[_INTERVAL].to_numpy()[rows] + by)


def _symbol_lost(frame: Frame, rng: Draw) -> Frame:
    names = frame["symbol"].unique()
    require(len(names) > 1)
    others = np.flatnonzero(frame["symbol"] != rng.choice(names))
    return frame.iloc[others].reset_index(drop=True)


_OF_BOTH: dict[str, tuple[str, Change]] = {
    "interval_without_width": (
        "Intervals have no width.",
        lambda frame, _: frame.assign(lower=frame["predicted"], upper=frame["predicted"]),
    ),
    "horizon_not_whole": (
        "Horizons are parts of a session.",
        lambda frame, _: frame.assign(horizon=frame["horizon"] + 0.5),
    ),
    "interval_upside_down": ("The ends of an interval are swapped.", _upside_down),
}
FEATURES = catalogue(
    feature_frozen=(
        "A feature repeats one value for some sessions, as of a source that stopped.",
        _feature_frozen,
    ),
    same_features=("Two symbols have the same features.", _same_features),
    feature_still=("A feature has one value only, in all rows or in those of one symbol.", _feature_still),
    target_fed=("A feature is the target with a little noise.", _target_fed),
    feature_copied=(
        "A feature is another one, rescaled.",
        lambda frame, rng: frame.assign(copied=-3 * frame[_feature(frame, rng)] + 1),
    ),
    feature_far_out=("A feature has an impossible value.", _far_out),
    target_constant=("The target never varies.", _target_constant),
)
PREDICTIONS = catalogue(
    outcomes_foreseen=("Predictions are the actual values with a little noise.", _foreseen),
    predictions_frozen=("A symbol's predictions stand still for some months.", _frozen),
    **_OF_BOTH,
    predictions_constant=("A model predicts the same all the time.", _constant),
    predictions_exploding=("Predictions run away, with their intervals.", _exploding),
)
FORECASTS = catalogue(
    forecast_stale=("A forecast is from an earlier day.", _stale),
    **_OF_BOTH,
    forecasts_exploding=("Forecasts run away, with their intervals.", _exploding),
    symbol_without_forecast=("A symbol has no forecast.", _symbol_lost),
)
