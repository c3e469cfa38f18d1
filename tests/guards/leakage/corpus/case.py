"""What a case of the corpus is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Build = Callable[[pd.DataFrame], Any]
    Function = Callable[["pd.Series[Any]"], Any]


@dataclass(frozen=True)
class Case:
    """One function of prices, whether it looks ahead, and what is declared to the probe.

    A leak and its honest twin share the name.
    """

    name: str
    leaks: bool
    build: Build
    arguments: dict[str, Any] = field(default_factory=dict)


def pair(name: str, leaking: Build, honest: Build, **arguments: object) -> tuple[Case, Case]:
    """Return a leak and its honest twin."""
    return Case(name, True, leaking, arguments), Case(name, False, honest, arguments)


def by_symbol(function: Function, column: str = "close") -> Build:
    """Return a function of prices: column `x`, of each symbol's series of one price column alone."""

    def build(prices: pd.DataFrame) -> pd.DataFrame:
        x = prices.groupby("symbol", sort=False)[column].transform(function)
        return prices[["symbol", "date"]].assign(x=x)

    return build


def by_frame(function: Callable[[pd.DataFrame], Any]) -> Build:
    """Return a function of prices: column `x`, of the whole frame at once."""

    def build(prices: pd.DataFrame) -> pd.DataFrame:
        return prices[["symbol", "date"]].assign(x=function(prices))

    return build


def pairs_by_symbol(**functions: tuple[Function, Function]) -> tuple[Case, ...]:
    """Return pairs of functions of each symbol's closes; underscores in a name stand for spaces."""
    return tuple(
        case
        for name, (leaking, honest) in functions.items()
        for case in pair(name.replace("_", " "), by_symbol(leaking), by_symbol(honest))
    )


def pairs_by_frame(**functions: tuple[Build, Build]) -> tuple[Case, ...]:
    """Return pairs of functions of the whole frame; underscores in a name stand for spaces."""
    return tuple(
        case
        for name, (leaking, honest) in functions.items()
        for case in pair(name.replace("_", " "), by_frame(leaking), by_frame(honest))
    )
