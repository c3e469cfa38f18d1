"""A price source for tests: what it has can be changed, and it can be down."""

from datetime import UTC, datetime

import pandas as pd

from sta410kit._internal.calendars import closed_sessions
from sta410kit.exceptions import APIError

NOON = datetime(2024, 3, 8, 12, tzinfo=UTC)  # a Friday, before the session opens


def weekdays(first, last, market="XNYS"):
    """Return the sessions of an exchange between two days."""
    begin, end = (pd.Timestamp(day) for day in (first, last))
    days = pd.DatetimeIndex(
        closed_sessions(market, begin.toordinal() - 719_163, datetime.now(UTC)).astype("M8[D]")
    )
    return days[days <= end].as_unit("us")


class Vendor:
    """Bars of symbols that rise by one a session from 100, and the actions it is given."""

    name, exchange = "vendor", "XNYS"

    def __init__(self, symbols=("AAPL", "KO"), first="2020-01-01", last="2030-01-01"):
        days = weekdays(first, last)
        close = pd.Series(range(100, 100 + len(days)), dtype="float64")
        frame = {
            "date": days,
            "open": close - 0.5,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 1e6,
        }
        self.table = pd.concat(
            [pd.DataFrame(frame).assign(symbol=name) for name in symbols], ignore_index=True
        )
        self.paid = pd.DataFrame({"symbol": [], "date": pd.to_datetime([]), "kind": [], "value": []})
        self.asked, self.down = [], False

    def bars(self, symbols, start, end):
        """Return the bars of a period; note that they were asked for."""
        self.asked.append((tuple(symbols), str(start), str(end)))
        if self.down:
            message = "vendor does not answer."
            raise APIError(message)
        return self._of(self.table, symbols, start, end)

    def actions(self, symbols, start, end):
        """Return the actions of a period."""
        return self._of(self.paid, symbols, start, end)

    def act(self, symbol, date, kind, value):
        """Add a corporate action."""
        row = {"symbol": [symbol], "date": pd.to_datetime([date]), "kind": [kind], "value": [value]}
        self.paid = pd.concat(
            [part for part in (self.paid, pd.DataFrame(row)) if len(part)], ignore_index=True
        )

    def revise(self, symbol, date, **values):
        """Change values of a bar."""
        self.table.loc[(self.table["symbol"] == symbol) & (self.table["date"] == date), list(values)] = list(
            values.values()
        )

    @staticmethod
    def _of(table, symbols, start, end):
        inside = table["date"].between(pd.Timestamp(start), pd.Timestamp(end))
        return table[table["symbol"].isin(symbols) & inside].reset_index(drop=True)
