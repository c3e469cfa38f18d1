"""What can be predicted: the names of the targets, and words for them. `targets` computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError, DataValidationError

if TYPE_CHECKING:
    import pandas as pd

TargetName = Literal["close_to_close", "open_to_open", "market_excess", "volatility_scaled", "rank"]
DEFAULT: TargetName = "close_to_close"
RELATIVE = ("market_excess", "rank")  # compared with the other symbols of the date


class Words(NamedTuple):
    """What an outcome is called, what a forecast of it shows, and what the forecast of zero says."""

    outcome: str
    forecast: str
    naive: str


WORDS = {
    "close_to_close": Words("log return", "log returns", "no change"),
    "open_to_open": Words(
        "log return from open to open", "log returns from the next open", "no change from open to open"
    ),
    "market_excess": Words(
        "log return less the market's", "log returns less the market's", "the market's return"
    ),
    "volatility_scaled": Words(
        "log return at 1 % volatility a session", "log returns", "no change, in units of volatility"
    ),
    "rank": Words("rank from -100 to 100", "ranks from -100 to 100", "the middle rank"),
}  # fmt: skip


def forecast_words(rows: list[dict[str, Any]]) -> str:
    """Return what the forecasts of a run show, for a heading; a target of another kit by its name."""
    name = str(rows[0].get("target") or DEFAULT) if rows else DEFAULT
    return WORDS[name].forecast if name in WORDS else name


def require_target(target: object) -> TargetName:
    """Return the name of a target, or raise `ConfigurationError` for one that does not exist."""
    names = get_args(TargetName)
    if target not in names:
        message = f"There is no target {target!r}.{did_you_mean(str(target), names)} Use {', '.join(names)}."
        raise ConfigurationError(message)
    return target  # type: ignore[return-value]


def target_of(frame: pd.DataFrame) -> TargetName:
    """Return the target of predictions or forecasts: their column `target`, else from close to close.

    Raises
    ------
    DataValidationError
        If they mix targets, or name one that does not exist.
    """
    found = frame["target"].unique() if "target" in frame else [DEFAULT]
    if len(found) != 1:
        message = f"The frame mixes the targets {', '.join(map(str, found))}; evaluate one at a time."
        raise DataValidationError(message)
    try:
        return require_target(found[0])
    except ConfigurationError as error:
        raise DataValidationError(str(error)) from error


def with_target(frame: pd.DataFrame, target: TargetName) -> pd.DataFrame:
    """Return the frame with its target as a column, which is left out where it is the default."""
    return frame if target == DEFAULT else frame.assign(target=target)
