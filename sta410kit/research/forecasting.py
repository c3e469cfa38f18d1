"""The final model, and its forecast of the sessions that have not happened yet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sta410kit._internal.argument_checks import require_whole
from sta410kit._internal.universe import MEMBER
from sta410kit.exceptions import FeatureEngineeringError, ModelPredictionError, ModelTrainingError
from sta410kit.research import conformal
from sta410kit.research.features import KEYS, build_features, feature_names, registered
from sta410kit.research.frames import is_gap, is_member, require_horizon, require_predictions, require_rows_of
from sta410kit.research.target_names import DEFAULT, TargetName, target_of, with_target
from sta410kit.research.targets import in_returns, interval_scale, interval_slopes, realised_on
from sta410kit.research.walk_forward import fit, make_estimator, needs_history, predict, training_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.base import RegressorMixin

FORECAST_COLUMNS = ("symbol", "date", "horizon", "model", "predicted", "lower", "upper")


@dataclass(frozen=True)
class FittedModel:
    """A model fitted on all known outcomes, with what is needed to use and identify it.

    ``scores_quantile`` says how far below and above the prediction an interval reaches, in units of the
    expected volatility (see `conformal`), whose regression has the ``volatility_slopes``; ``adaptation`` has
    both factors of each of ``symbols``; ``trained_through`` is the last session of the prices.
    """

    estimator: RegressorMixin
    name: str
    features: tuple[str, ...]
    horizon: int
    symbols: tuple[str, ...]
    trained_through: pd.Timestamp
    seed: int
    level: float
    volatility_slopes: tuple[float, float]
    scores_quantile: tuple[float, float]
    adaptation: tuple[tuple[float, float], ...]
    target: TargetName = DEFAULT


def fit_final(  # noqa: PLR0913 - each is a choice of the experiment, by keyword
    features: pd.DataFrame,
    prices: pd.DataFrame,
    predictions: pd.DataFrame,
    *,
    model: str = "ridge",
    horizon: int = 1,
    target: TargetName = DEFAULT,
    seed: int = 42,
    level: float = conformal.LEVEL,
    window: int | None = None,
    per_symbol: bool = False,
    tune: bool = False,
) -> FittedModel:
    """Return the model fitted on all rows with a known outcome, its intervals calibrated out of sample.

    Parameters
    ----------
    features, prices : DataFrame
        A features frame and the prices frame it was built from.
    predictions : DataFrame
        The walk-forward predictions of the same model, horizon and target. Their last errors set the width of
        the intervals, because in-sample errors would be too small.
    model, horizon, target, seed, window, per_symbol, tune
        As given to `walk_forward`; without a window every row with a known outcome is used.
    level : float
        Share of outcomes that an interval should hold; may differ from that of the predictions.

    Raises
    ------
    ConfigurationError
        If a number is out of range.
    ModelTrainingError
        If the predictions are of another model, horizon or target, do not match the prices, or are too few.
    """
    horizon = require_horizon(horizon)
    estimator = make_estimator(model, seed, horizon, target=target, per_symbol=per_symbol, tune=tune)
    require_predictions(predictions)
    made = (str(predictions["model"].iloc[0]), int(predictions["horizon"].iloc[0]), target_of(predictions))
    if made != (model, horizon, target):
        message = (
            f"The predictions are of {made[0]} at horizon {made[1]}, {made[2]}; the final fit of {model} at "
            f"{horizon}, {target}."
        )
        raise ModelTrainingError(message)
    table = training_table(features, prices, horizon, target)
    if window is not None:
        kept = sorted(table["date"].unique())[-require_whole("window", window, of="sessions") :]
        table = table[table["date"].isin(kept)]
    if table.empty:
        message = "No row has complete features and a known outcome; load a longer period."
        raise ModelTrainingError(message)
    require_rows_of(predictions, prices, "predictions", ModelTrainingError)
    scale = interval_scale(prices, horizon, target)
    scored = predictions.merge(scale, on=list(KEYS), how="left").dropna(subset=["scale"])
    scored["score"] = (scored["actual"] - scored["predicted"]) / scored["scale"]
    widths = conformal.latest_quantiles(scored, horizon, level)
    if not math.isfinite(sum(widths)):
        message = (
            f"{len(scored)} predictions of {scored['date'].nunique()} sessions are too few for intervals at "
            f"level {level}, which need {conformal.burn_in(horizon, level)} sessions or more. "
            "Load a longer period, or shorten the horizon."
        )
        raise ModelTrainingError(message)
    names = feature_names(features)
    symbols = tuple(sorted(str(symbol) for symbol in table["symbol"].unique()))
    # Counted from the scores: the intervals of the predictions may be at another level.
    scored = scored.merge(
        prices[list(KEYS)].assign(known=realised_on(prices, horizon, target).to_numpy()), on=list(KEYS)
    )
    quantiles = conformal.rolling_quantiles(scored, horizon, level)
    _, factors = conformal.follow_misses(scored, quantiles, horizon, level)
    estimator = fit(estimator, table, names)
    return FittedModel(
        estimator=estimator.best_estimator_ if tune else estimator,
        name=model,
        features=tuple(names),
        horizon=horizon,
        symbols=symbols,
        trained_through=prices["date"].max(),
        seed=int(seed),
        level=level,
        volatility_slopes=interval_slopes(prices, horizon, target),
        scores_quantile=widths,
        adaptation=tuple(factors.get(symbol, (1.0, 1.0)) for symbol in symbols),
        target=target,
    )


def forecast(fitted: FittedModel, prices: pd.DataFrame) -> pd.DataFrame:
    """Return the forecast of each symbol from the last session, with an interval.

    Parameters
    ----------
    fitted : FittedModel
        From `fit_final` or `model_store.load_model`.
    prices : DataFrame
        A prices frame of symbols the model was trained on, with enough sessions for its features.

    Returns
    -------
    DataFrame
        A forecasts frame, one row per symbol: ``symbol, date, horizon, model, predicted, lower, upper``;
        `date` is the last session, the last three are log returns over the horizon, unit 1, also
        those of a target scaled by volatility; ``market_excess`` and ``rank`` stay what they are. A column
        `target` names it where it is not the default. A symbol that ends earlier, or has no usable bars to
        forecast from, has no row: see `without_forecast`.

    Raises
    ------
    ModelPredictionError
        If a symbol is unknown to the model or has too few sessions, the prices end before the training did, a
        feature of the model is not registered, or no symbol has a forecast.
    """
    _require_match(fitted, prices)
    try:
        features = build_features(prices, fitted.features)
    except FeatureEngineeringError as error:
        raise ModelPredictionError(str(error)) from error
    scale = interval_scale(prices, fitted.horizon, fitted.target, fitted.volatility_slopes)
    rows = features.merge(scale, on=list(KEYS))
    last = rows[rows["date"].eq(prices["date"].max())].dropna(ignore_index=True)
    last = last[last["symbol"].isin(fitted.symbols)].reset_index(drop=True)  # others joined the universe
    excused = without_forecast(last, prices)
    short = [name for name in prices["symbol"].unique() if name not in {*last["symbol"], *excused}]
    if short:
        names = ", ".join(short)
        message = f"Too few sessions for the features of {names}; load a longer period or leave them out."
        raise ModelPredictionError(message)
    if last.empty:
        message = f"No symbol has a forecast: {'; '.join(f'{name}: {why}' for name, why in excused.items())}."
        raise ModelPredictionError(message)
    predicted = _predict_last(fitted, features, last)
    factors = dict(zip(fitted.symbols, fitted.adaptation, strict=True))
    factor = np.array([factors[str(symbol)] for symbol in last["symbol"]])
    below, above = (factor * fitted.scores_quantile * last["scale"].to_numpy()[:, None]).T
    result = last[list(KEYS)].assign(horizon=fitted.horizon, model=fitted.name, predicted=predicted)
    result = result.assign(lower=result["predicted"] - below, upper=result["predicted"] + above)
    numbers = ["predicted", "lower", "upper"]
    if fitted.target == "rank":
        result[numbers] = result[numbers].clip(-1, 1)  # every rank lies inside
    named = with_target(result[list(FORECAST_COLUMNS)], fitted.target)
    return in_returns(named, prices, fitted.volatility_slopes)


def without_forecast(forecasts: pd.DataFrame, prices: pd.DataFrame) -> dict[str, str]:
    """Return the symbols of the prices that have no forecast because of gaps or their end, with the reasons.

    Forecasting from an older session would look like a current view. A symbol whose prices end before those
    of the others, halted or delisted, has no forecast; one with gaps has none until the features of its last
    session are complete again. Nor has one that has left the universe, or joined it a few sessions ago.
    """
    reasons, end, there = {}, prices["date"].max(), set(forecasts["symbol"])
    for symbol, part in prices.groupby("symbol"):
        gaps, last, days = is_gap(part), part["date"].max(), part.loc[is_member(part), "date"]
        if symbol in there or not (last < end or gaps.any() or MEMBER in part):
            continue
        if days.empty or days.max() < last:
            reason = f"it left the universe after {days.max():%Y-%m-%d}"
        elif last < end:
            reason = f"its prices end on {last:%Y-%m-%d}"
        elif not gaps.any():
            reason = f"in the universe since {days.min():%Y-%m-%d}, too short to be trained on"
        else:
            reason = "quarantined" if gaps.iloc[-1] else "its features reach over a quarantined bar"
        reasons[str(symbol)] = f"no forecast: {reason}"
    return reasons


def _predict_last(fitted: FittedModel, features: pd.DataFrame, last: pd.DataFrame) -> NDArray[np.float64]:
    """Return the predictions for the last rows, from the whole history where the estimator needs it."""
    names = list(fitted.features)
    if not needs_history(fitted.estimator):
        return predict(fitted.estimator, last, names)
    history = features.dropna().reset_index(drop=True)
    values = history[list(KEYS)].assign(predicted=predict(fitted.estimator, history, names))
    return last.merge(values, on=list(KEYS), how="left")["predicted"].to_numpy(dtype=float)


def _require_match(fitted: FittedModel, prices: pd.DataFrame) -> None:
    absent = [name for name in fitted.features if name not in registered()]
    if absent:
        message = (
            f"The model needs the feature(s) {', '.join(absent)}, which are not registered; import the "
            "module that defines them, or train it again."
        )
        raise ModelPredictionError(message)
    if "symbol" not in prices or "date" not in prices:
        return  # building the features names what is missing
    end = prices["date"].max()
    current = prices.loc[prices["date"] == end, "symbol"].unique() if MEMBER not in prices else []
    unknown = [str(symbol) for symbol in current if symbol not in fitted.symbols]
    if unknown:
        message = (
            f"The model was not trained on {', '.join(unknown)}, only on {', '.join(fitted.symbols)}; "
            "leave them out or train it again with `sta410 run`."
        )
        raise ModelPredictionError(message)
    if end < fitted.trained_through:
        message = (
            f"The model was trained on prices through {fitted.trained_through:%Y-%m-%d}, these end on "
            f"{end:%Y-%m-%d}; a forecast from there would know the future. Train it again on these prices."
        )
        raise ModelPredictionError(message)
