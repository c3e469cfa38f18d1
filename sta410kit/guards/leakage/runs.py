"""Calls of the probed function, each as if it were the first."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.compare import Comparison, Past
from sta410kit.guards.leakage.outputs import Codes, columns_of
from sta410kit.guards.leakage.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from sta410kit.guards.leakage.compare import Difference
    from sta410kit.guards.leakage.outputs import Column
    from sta410kit.guards.leakage.panel import Panel

FOREVER = np.datetime64(2**62, "us")


class Runs:
    """Every call of one function, and what was noticed on the way."""

    def __init__(self, build: Callable[[pd.DataFrame], Any], panel: Panel, tolerance: float) -> None:
        self._build = build
        self._state = State(build)
        self._errors: list[str] = []
        self._listed = np.array([calendar[0] for calendar in (*panel.calendars, panel.sessions)])
        self.panel = panel
        self.codes = Codes(panel.names)
        self.tolerance = tolerance
        self.count = 1
        self.state_changed = False
        frame = panel.frame.copy()
        try:
            output = build(frame)
        except (Exception, SystemExit) as error:
            message = f"the function raised {_describe(error)} on the unchanged prices"
            raise ConfigurationError(message) from error
        self.input_changed = not frame.equals(panel.frame)
        self.base = columns_of(output, panel, self.codes)

    def again(self, panel: Panel, change: str, *, fresh: bool = True) -> dict[str, Column] | None:
        """Run on other prices, from the first state if `fresh`; None when the function raised."""
        if fresh:
            self.state_changed |= self._state.restore()
        self.count += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # warnings about invented prices do not concern the user
                return columns_of(self._build(panel.frame.copy()), panel, self.codes)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's function may raise anything
            self._errors.append(f"{change}: {_describe(error)}")
            return None

    def compare(self, other: dict[str, Column]) -> Comparison:
        """Return the comparison of another run with the first."""
        return Comparison(self.base, other, self.tolerance)

    def past(
        self, cutoff: np.datetime64, horizon: int = 0, horizon_of_rows: int = 0, *, bar_known: bool = False
    ) -> Past:
        """Return what must not change when the prices after `cutoff` do."""
        until = self.panel.limits(cutoff, horizon, bar_known=bar_known)
        return Past(until, self.panel.limits(cutoff, horizon_of_rows), self._listed)

    def not_deterministic(self) -> dict[str, Difference]:
        """Return the columns that differ in two more runs on the same prices."""
        # The second starts from the state of the first: this finds a function that counts its calls.
        found: dict[str, Difference] = {}
        past = self.past(FOREVER)
        for fresh in (True, False):
            other = self.again(self.panel, "the unchanged prices", fresh=fresh)
            if other is not None:
                comparison = self.compare(other)
                for name in self.base.keys() - found.keys():
                    if (difference := comparison.difference(name, past)) is not None:
                        found[name] = difference
        return found

    def end(self) -> None:
        """Leave the function in the state in which it was given."""
        self.state_changed |= self._state.restore()

    def notes(self) -> tuple[str, ...]:
        """Return what was noticed, in sentences."""
        found = []
        if self.input_changed:
            found.append("the function changes the prices it is given; each run got a copy")
        if self.state_changed:
            found.append("the function keeps state between calls; each run started from its first state")
        if self._errors:
            found.append(
                f"the function raised in {len(self._errors)} of {self.count} runs, "
                f"first with {self._errors[0]}"
            )
        return tuple(found)


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
