"""Trading costs and position limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from sta410kit._internal.argument_checks import as_number
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from sta410kit.config import TradingConfig

SESSIONS_A_YEAR = 252  # NYSE sessions, the usual figure of annualisation
_MOST_BPS = 10_000  # all of the amount


@dataclass(frozen=True)
class Costs:
    """Costs of trading; basis points are of the amount traded.

    A purchase pays the open plus half the `spread` plus `slippage`, a sale receives the open less both, and
    `commission` is charged on the amount. `order_fee` is paid per order, in quote currency. `borrow` is the
    annual cost of borrowed shares, charged each session on the value of short positions. `cash_bps` is the
    annual interest on cash, the proceeds of short sales included, and on debts.

    `impact` is the coefficient of market impact: an order pays ``impact * volatility * sqrt(order / volume)``
    of its amount, with the standard deviation of the daily returns and the mean dollar volume of the 21
    sessions before; nothing until these are known. The square root is that of Torre (1997, BARRA Market
    Impact Model Handbook) and of Tóth and others (2011, Physical Review X 1), who find a coefficient near 1;
    Almgren, Thum, Hauptmann and Li (2005, Risk 18) fit the power 3/5 to the orders of one bank.

    Raises
    ------
    ConfigurationError
        If a cost is negative, not finite, or above 10,000 basis points.
    """

    commission_bps: float = 0.0
    spread_bps: float = 0.0
    slippage_bps: float = 0.0
    order_fee: float = 0.0
    borrow_bps: float = 0.0
    cash_bps: float = 0.0
    impact: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value, most = getattr(self, each.name), math.inf if each.name == "order_fee" else _MOST_BPS
            if not 0 <= as_number(value) <= most:
                raise _unusable(each.name, value, "a number from 0 to 10,000")
            if math.isinf(value):
                raise _unusable(each.name, value, "a finite amount")

    @classmethod
    def from_settings(cls, trading: TradingConfig, **others: float) -> Self:
        """Return the slippage of the setting `SLIPPAGE_BPS`, and other costs as given."""
        return cls(slippage_bps=10_000 * trading.simulated_slippage, **others)

    @property
    def riskless(self) -> float:
        """Interest on cash per session, as a fraction."""
        return self.cash_bps / 10_000 / SESSIONS_A_YEAR

    @property
    def buy_rate(self) -> float:
        """Cost of a purchase as a share of its amount at the open."""
        return (1 + self._away) * (1 + self.commission_bps / 10_000) - 1

    @property
    def sell_rate(self) -> float:
        """Cost of a sale as a share of its amount at the open."""
        return 1 - (1 - self._away) * (1 - self.commission_bps / 10_000)

    @property
    def one_way_bps(self) -> float:
        """Cost of a purchase in basis points, for labels."""
        return 10_000 * self.buy_rate

    @property
    def _away(self) -> float:
        """Distance of the fill from the open, as a share of it."""
        return min((self.spread_bps / 2 + self.slippage_bps) / 10_000, 1.0)


@dataclass(frozen=True)
class Limits:
    """Bounds on positions and orders.

    `max_weight` bounds the weight of one symbol, long or short, `max_sector` the sum of the absolute weights
    in one of `sectors` (a mapping of symbol to sector; symbols without one share a sector), and `max_gross`
    that of all. Larger weights are cut, in proportion for sums. `long_only` drops short weights. Weights are
    fractions of equity when the order is filled.

    `max_participation` is the largest share that one order may take of the mean dollar volume of the 21
    sessions before, and `max_turnover` the largest share of equity bought and sold in one session; the rest
    waits for the next session. Positions in symbols that end are closed all the same.

    Raises
    ------
    ConfigurationError
        If a limit is not a positive number, the participation is above 1, or `max_sector` is given without
        `sectors`.
    """

    max_weight: float = 1.0
    max_gross: float = 1.0
    long_only: bool = False
    max_participation: float | None = None
    max_sector: float | None = None
    sectors: Mapping[str, str] | None = field(default=None, repr=False, compare=False)
    max_turnover: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_weight", "max_gross", "max_sector", "max_turnover"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise _unusable(name, value, "a positive number, 1 for all the equity")
        if self.max_sector is not None and not self.sectors:
            name = "sectors"
            raise _unusable(name, self.sectors or None, "the sector of each symbol, which max_sector needs")
        if self.max_participation is not None and not 0 < self.max_participation <= 1:
            name = "max_participation"
            raise _unusable(name, self.max_participation, "a share of volume above 0, up to 1")


def _unusable(name: str, value: object, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is {value!r}; give {wanted}.")
