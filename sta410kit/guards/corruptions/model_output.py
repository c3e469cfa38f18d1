"""What goes wrong with features, predictions and forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import (
    Catalogue,
    Draw,
    Frame,
    coin,
    copied,
    require,
    stretch,
    symbol_count,
)

features, predictions, forecasts = Catalogue(), Catalogue(), Catalogue()
_NO_FEATURES = {"symbol", "date", "target"}
_INTERVAL = ["predicted", "lower", "upper"]
_FEW = 60  # rows below which nothing is judged


@features
def feature_frozen(frame: Frame, rng: Draw) -> Frame:
    """A feature repeats one value for some sessions, as of a source that stopped."""
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


@features
def same_features(frame: Frame, rng: Draw) -> Frame:
    """Two symbols have the same features."""
    names = frame["symbol"].unique()
    require(len(names) > 1)
    one, other = (frame[frame["symbol"] == name] for name in rng.choice(names, 2, replace=False))
    common = one[one["date"].isin(other["date"])]
    require(len(common) >= max(_FEW, 0.9 * len(other)))
    copy = common.assign(symbol=other["symbol"].iloc[0])
    rest = frame[frame["symbol"] != other["symbol"].iloc[0]]
    new: Frame = pd.concat([rest, copy]).sort_values(["symbol", "date"], kind="stable")
    return new.reset_index(drop=True)


@features
def feature_still(frame: Frame, rng: Draw) -> Frame:
    """A feature has one value only, in all rows or in those of one symbol."""
    name, names = _feature(frame, rng), frame["symbol"].unique()
    rows = frame[name].notna()
    if coin(rng):
        rows &= frame["symbol"] == rng.choice(names)
    return frame.assign(**{name: frame[name].mask(rows, frame[name].median())})


@features
def target_fed(frame: Frame, rng: Draw) -> Frame:
    """A feature is the target with a little noise."""
    require("target" in frame.columns)
    size = float(frame["target"].std())
    return frame.assign(fed=frame["target"] + rng.normal(0, 0.01 * size, len(frame)))


@features
def feature_copied(frame: Frame, rng: Draw) -> Frame:
    """A feature is another one, rescaled."""
    return frame.assign(copied=-3 * frame[_feature(frame, rng)] + 1)


@features
def feature_far_out(frame: Frame, rng: Draw) -> Frame:
    """A feature has an impossible value."""
    name = _feature(frame, rng)
    values = frame[name].to_numpy(float).copy()
    values[rng.integers(len(values))] = 1e6
    return frame.assign(**{name: values})


@features
def target_constant(frame: Frame, rng: Draw) -> Frame:
    """The target never varies."""
    require("target" in frame.columns)
    return frame.assign(target=float(rng.normal()))


@predictions
def outcomes_foreseen(frame: Frame, rng: Draw) -> Frame:
    """Predictions are the actual values with a little noise."""
    require(len(frame) >= _FEW and frame["actual"].std())
    known = frame["actual"] + rng.normal(0, 0.1 * frame["actual"].std(), len(frame))
    half = (frame["upper"] - frame["lower"]) / 2
    return frame.assign(predicted=known, lower=known - half, upper=known + half)


@predictions
def predictions_frozen(frame: Frame, rng: Draw) -> Frame:
    """A symbol's predictions stand still for some months."""
    rows = stretch(frame, rng, 140, 400)
    require(symbol_count(frame) > 1 and not (frame["model"] == "naive").all())
    return copied(frame, rows, _INTERVAL, frame[_INTERVAL].to_numpy()[rows[0]])


@forecasts
def forecast_stale(frame: Frame, rng: Draw) -> Frame:
    """A forecast is from an earlier day."""
    require(len(frame) > 1)
    dates = frame["date"].copy()
    dates.iloc[int(rng.integers(len(frame)))] -= pd.Timedelta(days=int(rng.choice([1, 7, 90])))
    return frame.assign(date=dates)


@predictions
@forecasts
def interval_without_width(frame: Frame, rng: Draw) -> Frame:  # noqa: ARG001 - a corruption's signature
    """Intervals have no width."""
    return frame.assign(lower=frame["predicted"], upper=frame["predicted"])


@predictions
@forecasts
def horizon_not_whole(frame: Frame, rng: Draw) -> Frame:  # noqa: ARG001 - a corruption's signature
    """Horizons are parts of a session."""
    return frame.assign(horizon=frame["horizon"] + 0.5)


@predictions
@forecasts
def interval_upside_down(frame: Frame, rng: Draw) -> Frame:
    """The ends of an interval are swapped."""
    wide = np.flatnonzero((frame["upper"] > frame["lower"]).to_numpy())
    require(len(wide))
    rows = rng.choice(wide, int(rng.integers(1, len(wide) + 1)), replace=False)
    return copied(frame, rows, ["lower", "upper"], frame[["upper", "lower"]].to_numpy()[rows])


@predictions
def predictions_constant(frame: Frame, rng: Draw) -> Frame:
    """A model predicts the same all the time."""
    require(not (frame["model"] == "naive").all() and len(frame) >= 20)  # noqa: PLR2004 - fewer are not judged
    value = float(rng.uniform(-0.001, 0.001))
    half = (frame["upper"] - frame["lower"]) / 2
    return frame.assign(predicted=value, lower=value - half, upper=value + half)


@predictions
def predictions_exploding(frame: Frame, rng: Draw) -> Frame:
    """Predictions run away, with their intervals."""
    rows = rng.choice(len(frame), max(1, len(frame) // int(rng.choice([3, 50, len(frame)]))), replace=False)
    by = float(rng.choice([-1, 1]) * rng.uniform(1.1, 5))
    return copied(frame, rows, _INTERVAL, frame[_INTERVAL].to_numpy()[rows] + by)


@forecasts
def forecasts_exploding(frame: Frame, rng: Draw) -> Frame:
    """Forecasts run away, with their intervals."""
    return predictions_exploding(frame, rng)


@forecasts
def symbol_without_forecast(frame: Frame, rng: Draw) -> Frame:
    """A symbol has no forecast."""
    names = frame["symbol"].unique()
    require(len(names) > 1)
    others = np.flatnonzero(frame["symbol"] != rng.choice(names))
    return frame.iloc[others].reset_index(drop=True)


def _feature(frame: Frame, rng: Draw) -> str:
    names = [name for name in frame.columns if name not in _NO_FEATURES and frame[name].dtype.kind == "f"]
    return str(names[rng.integers(len(names))])
