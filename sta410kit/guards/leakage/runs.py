"""Calling the function, again and again, each time as if for the first time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.leakage.compare import Comparison, Past
from sta410kit.guards.leakage.outputs import Codes, columns_of
from sta410kit.guards.leakage.state import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from sta410kit.guards.leakage.compare import Different
    from sta410kit.guards.leakage.outputs import Column
    from sta410kit.guards.leakage.panel import Panel

FOREVER = np.datetime64(2**62, "us")


class Runs:
    """Every call of one function, and what was noticed on the way.

    Attributes
    ----------
    base : dict of Column
        What the function makes of the prices as they are.
    count : int
        Calls so far.
    notes : dict of str
        What was noticed, each thing once.
    """

    def __init__(self, build: Callable[[pd.DataFrame], Any], panel: Panel, tolerance: float) -> None:
        self._build = build
        self._memory = Memory(build)
        self._raised: list[str] = []
        self._listed = np.array([calendar[0] for calendar in (*panel.calendars, panel.sessions)])
        self.panel = panel
        self.codes = Codes(panel.names)
        self.tolerance = tolerance
        self.count = 0
        self.state_moved = False
        self.input_changed = False
        self.base = self._first()

    def again(self, panel: Panel, what: str, *, fresh: bool = True) -> dict[str, Column] | None:
        """Run on changed prices; None when the function raised, which is noted.

        Parameters
        ----------
        panel : Panel
            The changed prices.
        what : str
            The change, for the note.
        fresh : bool
            Put the function's state back first.
        """
        if fresh:
            self.state_moved |= self._memory.restore()
        self.count += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what made-up prices are warned of says nothing of real ones
                return columns_of(self._build(panel.frame.copy()), panel, self.codes)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's function raises is noted
            self._raised.append(f"{what}: {type(error).__name__}: {_line(error)}")
            return None

    def against(self, other: dict[str, Column], tolerance: float | None = None) -> Comparison:
        """Return the comparison of another run with the first."""
        return Comparison(self.base, other, tolerance or self.tolerance)

    def past(
        self, cutoff: np.datetime64, horizon: int = 0, horizon_of_rows: int = 0, *, bar_known: bool = False
    ) -> Past:
        """Return what must not change when the prices after `cutoff` do."""
        limits = self.panel.limits
        until = limits(cutoff, horizon, bar_known=bar_known)
        return Past(until, limits(cutoff, horizon_of_rows), self._listed)

    def random(self) -> dict[str, Different]:
        """Run twice more on the prices as they are, and return the columns that differ.

        The second run begins with whatever the first left behind: a function that counts its calls is found,
        one that only remembers what it computed from the same prices is not.
        """
        found: dict[str, Different] = {}
        past = self.past(FOREVER)
        for fresh in (True, False):
            other = self.again(self.panel, "the prices as they are, again", fresh=fresh)
            if other is None:
                continue
            comparison = self.against(other)
            for name in self.base.keys() - found.keys():
                different = comparison.differing(name, past)
                if different is not None:
                    found[name] = different
        return found

    def end(self) -> None:
        """Leave the function as it was found."""
        self.state_moved |= self._memory.restore()

    def notes(self) -> tuple[str, ...]:
        """Return what was noticed on the way, in sentences."""
        found = []
        if self.input_changed:
            found.append("the function changes the prices it is given; each run got a copy")
        if self.state_moved:
            found.append(
                "the function keeps state between calls; each run began with the state before the probe"
            )
        if self._raised:
            found.append(
                f"the function raised in {len(self._raised)} of {self.count} runs, "
                f"first with {self._raised[0]}"
            )
        return tuple(found)

    def _first(self) -> dict[str, Column]:
        given = self.panel.frame.copy()
        self.count += 1
        try:
            output = self._build(given)
        except (Exception, SystemExit) as error:
            message = f"the function raised {type(error).__name__} on the whole prices: {_line(error)}"
            raise ConfigurationError(message) from error
        self.input_changed = not given.equals(self.panel.frame)
        return columns_of(output, self.panel, self.codes)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
