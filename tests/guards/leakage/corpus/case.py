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
    """One function of prices, and whether it looks ahead.

    Attributes
    ----------
    name : str
        A leak and its twin share the name.
    leaks : bool
        Whether the probe must find it.
    sentence : str
        What it computes, and why that is or is not honest.
    build : callable
        From prices to any output that the probe reads.
    arguments : dict
        What is declared to the probe: a horizon, an execution.
    """

    name: str
    leaks: bool
    sentence: str
    build: Build
    arguments: dict[str, Any] = field(default_factory=dict)


def pair(
    name: str, leak: str, leaking: Build, twin: str, honest: Build, **arguments: object
) -> tuple[Case, Case]:
    """Return a leak and its honest twin."""
    return Case(name, True, leak, leaking, arguments), Case(name, False, twin, honest, arguments)


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
