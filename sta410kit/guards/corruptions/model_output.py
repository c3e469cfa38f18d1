"""What goes wrong with features, predictions and forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sta410kit.guards.corruptions.corruption import Corruption, stretch

_NO_FEATURES = {"symbol", "date", "target"}


def _feature(frame: pd.DataFrame, rng: np.random.Generator) -> str:
    names = [name for name in frame.columns if name not in _NO_FEATURES and frame[name].dtype.kind == "f"]
    return str(names[rng.integers(len(names))])


def _copied(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame.assign(copied=-3 * frame[_feature(frame, rng)] + 1)


def _constant_target(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    return frame.assign(target=float(rng.normal())) if "target" in frame.columns else None


def _interval(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Put the ends of an interval in each other's place, where it has a width."""
    wide = np.flatnonzero((frame["upper"] > frame["lower"]).to_numpy())
    if not len(wide):
        return None
    rows = frame.index[rng.choice(wide, int(rng.integers(1, len(wide) + 1)), replace=False)]
    new = frame.copy()
    new.loc[rows, ["lower", "upper"]] = frame.loc[rows, ["upper", "lower"]].to_numpy()
    return new


def _constant(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Give every prediction one value, and keep it within its interval."""
    if (frame["model"] == "naive").all() or len(frame) < 20:  # noqa: PLR2004
        return None
    value = float(rng.uniform(-0.001, 0.001))
    width = (frame["upper"] - frame["lower"]) / 2
    return frame.assign(predicted=value, lower=value - width, upper=value + width)


def _exploding(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Let some predictions run away, with their intervals."""
    rows = rng.choice(len(frame), max(1, len(frame) // int(rng.choice([3, 50, len(frame)]))), replace=False)
    new = frame.copy()
    places = frame.index[rows]
    by = float(rng.choice([-1, 1]) * rng.uniform(1.1, 5))
    for name in ("predicted", "lower", "upper"):
        new.loc[places, name] = frame.loc[places, name] + by
    return new


def _symbol_lost(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    names = frame["symbol"].unique()
    return frame[frame["symbol"] != rng.choice(names)].reset_index(drop=True) if len(names) > 1 else None


def _far_feature(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    name = _feature(frame, rng)
    values = frame[name].to_numpy(float).copy()
    values[rng.integers(len(values))] = 1e6
    return frame.assign(**{name: values})


def _still_feature(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give a feature its median, in all rows or in those of one symbol."""
    name, names = _feature(frame, rng), frame["symbol"].unique()
    rows = frame[name].notna()
    if rng.integers(2):
        rows &= frame["symbol"] == rng.choice(names)
    return frame.assign(**{name: frame[name].mask(rows, frame[name].median())})


def _target_fed(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    if "target" not in frame.columns:
        return None
    size = float(frame["target"].std())
    return frame.assign(fed=frame["target"] + rng.normal(0, 0.01 * size, len(frame)))


def _frozen_feature(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Let a feature that always moves repeat itself for a while, as a source that stopped does."""
    rows = stretch(frame, rng, 12, 120)
    names = [
        name for name in frame.columns if name not in _NO_FEATURES and frame[name].nunique() > len(frame) / 2
    ]
    if rows is None or not names:
        return None
    name = str(rng.choice(names))
    known = rows[frame[name].notna().to_numpy()[rows]]
    if len(known) < 12:  # noqa: PLR2004
        return None
    values = frame[name].to_numpy(float).copy()
    values[known] = values[known[0]]
    return frame.assign(**{name: values})


def _same_features(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Give a symbol the features of another, where they have sessions enough in common."""
    names = frame["symbol"].unique()
    if len(names) < 2:  # noqa: PLR2004
        return None
    one, other = (frame[frame["symbol"] == name] for name in rng.choice(names, 2, replace=False))
    common = one[one["date"].isin(other["date"])]
    if len(common) < 60 or len(common) < 0.9 * len(other):  # noqa: PLR2004
        return None
    copy = common.assign(symbol=other["symbol"].iloc[0])
    rest = frame[frame["symbol"] != other["symbol"].iloc[0]]
    new: pd.DataFrame = pd.concat([rest, copy]).sort_values(["symbol", "date"], kind="stable")
    return new.reset_index(drop=True)


def _foreseen(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Let predictions be what came true, all but a little noise."""
    if len(frame) < 60 or not frame["actual"].std():  # noqa: PLR2004
        return None
    known = frame["actual"] + rng.normal(0, 0.1 * frame["actual"].std(), len(frame))
    half = (frame["upper"] - frame["lower"]) / 2
    return frame.assign(predicted=known, lower=known - half, upper=known + half)


def _frozen_predictions(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Let the predictions of one symbol stand still while those of the others go on."""
    rows = stretch(frame, rng, 140, 400)
    if rows is None or frame["symbol"].nunique() < 2 or (frame["model"] == "naive").all():  # noqa: PLR2004
        return None
    new = frame.copy()
    names = ["predicted", "lower", "upper"]
    new.loc[frame.index[rows], names] = frame[names].to_numpy()[rows[0]]
    return new


def _no_width(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:  # noqa: ARG001
    return frame.assign(lower=frame["predicted"], upper=frame["predicted"])


def _part_of_a_session(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:  # noqa: ARG001
    return frame.assign(horizon=frame["horizon"] + 0.5)


def _stale_forecast(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
    """Leave the forecast of one symbol as it was made some days before."""
    if len(frame) < 2:  # noqa: PLR2004
        return None
    dates = frame["date"].copy()
    dates.iloc[int(rng.integers(len(frame)))] -= pd.Timedelta(days=int(rng.choice([1, 7, 90])))
    return frame.assign(date=dates)


FEATURES = [
    Corruption("feature_frozen", "A feature repeats one value for some sessions.", _frozen_feature),
    Corruption("same_features", "Two symbols have the same features.", _same_features),
    Corruption("feature_still", "A feature has one value only.", _still_feature),
    Corruption("target_fed", "A feature is the target, all but a little noise.", _target_fed),
    Corruption("feature_copied", "A feature is another one, rescaled.", _copied),
    Corruption("feature_far_out", "A feature has an impossible value.", _far_feature),
    Corruption("target_constant", "The target never varies.", _constant_target),
]
PREDICTIONS = [
    Corruption("outcomes_foreseen", "Predictions know what came true.", _foreseen),
    Corruption(
        "predictions_frozen", "A symbol's predictions stand still for some months.", _frozen_predictions
    ),
    Corruption("interval_without_width", "Intervals have no width.", _no_width),
    Corruption("horizon_not_whole", "Horizons are parts of a session.", _part_of_a_session),
    Corruption("interval_upside_down", "The ends of an interval are swapped.", _interval),
    Corruption("predictions_constant", "A model says the same all the time.", _constant),
    Corruption("predictions_exploding", "Predictions run away.", _exploding),
]
FORECASTS = [
    Corruption("forecast_stale", "A forecast is from an earlier day.", _stale_forecast),
    Corruption("interval_without_width", "Intervals have no width.", _no_width),
    Corruption("horizon_not_whole", "Horizons are parts of a session.", _part_of_a_session),
    Corruption("interval_upside_down", "The ends of an interval are swapped.", _interval),
    Corruption("forecasts_exploding", "Forecasts run away.", _exploding),
    Corruption("symbol_without_forecast", "A symbol has no forecast.", _symbol_lost),
]
