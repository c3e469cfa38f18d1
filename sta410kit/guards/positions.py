"""What is held already when orders are judged: read, and set against the orders that close it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import as_number, shown
from sta410kit.exceptions import TradingExecutionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REQUIRED = ("symbol", "shares", "reference_price", "stop_loss")


@dataclass(frozen=True)
class Position:
    """Shares of a symbol that are held; below 0 when sold short.

    Attributes
    ----------
    shares, price : float
        How many, and what one is worth.
    loss : float
        What one loses at the stop; its price where there is none, nothing where the stop secures a gain.
    """

    shares: float
    price: float
    loss: float

    def closed_by(self, sign: int, shares: float) -> float:
        """Return how many of an order's shares close this position: those on its other side."""
        return min(shares, abs(self.shares)) if sign * self.shares < 0 else 0.0


Held = dict[str, Position]


def require_table(frame: Any, columns: Sequence[str], what: str, where_from: str) -> None:  # noqa: ANN401
    """Raise `TradingExecutionError` unless `frame` is a DataFrame that has these columns, each once."""
    import pandas as pd

    problem = ""
    if not isinstance(frame, pd.DataFrame):
        problem = f"{what} are a DataFrame {where_from}, not {type(frame).__name__}"
    elif missing := [name for name in columns if name not in list(frame.columns)]:
        problem = f"{what} lack the columns {', '.join(missing)}; give them {where_from}"
    elif twice := [name for name in columns if list(frame.columns).count(name) > 1]:
        problem = f"{what} have the columns {', '.join(twice)} more than once"
    if problem:
        message = f"{problem}."
        raise TradingExecutionError(message)


def read_positions(frame: Any) -> Held:  # noqa: ANN401 - whatever somebody hands over
    """Return what is held by symbol; nothing without a frame.

    Raises
    ------
    TradingExecutionError
        It is no table of positions, or one of them is no position; the message names it.
    """
    if frame is None:
        return {}
    require_table(frame, REQUIRED, "positions", "of " + ", ".join(REQUIRED))
    held: Held = {}
    for row in frame.to_dict("records"):
        symbol, shares, price = row["symbol"], as_number(row["shares"]), as_number(row["reference_price"])
        usable = isinstance(symbol, str) and symbol.strip() and symbol not in held
        if not usable or not math.isfinite(shares) or not 0 < price < math.inf:
            message = (
                f"the position of {shown(symbol)} has {shown(row['shares'])} shares at "
                f"{shown(row['reference_price'])}; give each symbol once, its shares and a price above 0."
            )
            raise TradingExecutionError(message)
        held[symbol] = Position(shares, price, _loss(row, shares, price))
    return held


def _loss(row: Mapping[Any, Any], shares: float, price: float) -> float:
    stop = as_number(row["stop_loss"])
    if not 0 < stop < math.inf:
        return price
    return max(price - stop if shares > 0 else stop - price, 0.0)
