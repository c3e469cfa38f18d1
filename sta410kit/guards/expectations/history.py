"""What changed since the last accepted snapshot: values of past sessions, and the columns themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import NonNegativeFloat

from sta410kit._internal.text import pluralize
from sta410kit.guards.evidence import NO_ROW, Evidence, concatenate
from sta410kit.guards.expectations.base import Expectation
from sta410kit.guards.panel import Panel
from sta410kit.guards.snapshots import read_snapshot, schema_of, stored_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESCALED = ("adj_close",)  # by one factor, at every dividend


class SinceSnapshot(Expectation):
    """An expectation about what was accepted before; without a snapshot there is nothing to compare with."""

    snapshot: str | None = None  # Parquet file of the last accepted prices; the gate fills it in

    @property
    def accepted(self) -> Path | None:
        """The file to compare with, if there is one yet."""
        return Path(self.snapshot) if self.snapshot and Path(self.snapshot).is_file() else None


class ExpectHistoryUnrevised(SinceSnapshot):
    """Expect past sessions to have the values they had when they were last accepted."""

    columns: list[str] = ["open", "high", "low", "close", "adj_close", "volume"]
    tolerance: NonNegativeFloat = 1e-6  # relative difference that counts as none

    shows: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close", "adj_close", "volume")
    sentence: ClassVar[str] = (
        "Sessions accepted before have the values they had then (relative tolerance {tolerance}; adj_close "
        "may have been rescaled as a whole) and are all still there."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the rows whose values differ, and sessions that are gone."""
        if self.accepted is None:
            return Evidence()
        before = Panel(read_snapshot(self.accepted))
        known = {name: number for number, name in enumerate(before.symbols)}
        return concatenate(
            [
                self._compare(panel, number, before, known[name])
                for number, name in enumerate(panel.symbols)
                if name in known
            ]
        )

    def _compare(self, panel: Panel, number: int, before: Panel, other: int) -> Evidence:
        name = panel.symbols[number]
        here = np.arange(panel.bounds[number], panel.bounds[number + 1])
        there = np.arange(before.bounds[other], before.bounds[other + 1])
        days, old_days = panel.days[here], before.days[there]
        _, left, right = np.intersect1d(days, old_days, assume_unique=True, return_indices=True)
        left, right = here[left], there[right]
        changed, columns = np.zeros(len(left), bool), []
        for column in self.columns:
            if panel.raw(column) is None or before.raw(column) is None:
                continue
            new, old = panel.values(column, left), before.values(column, right)
            if column in _RESCALED and np.isfinite(new / old).any():
                old = old * np.median((new / old)[np.isfinite(new / old)])
            same = np.abs(new - old) <= self.tolerance * np.abs(old)
            differs = ~(same | (np.isnan(new) & np.isnan(old)))
            columns += [column] if differs.any() else []
            changed |= differs
        gone = old_days[(old_days >= days[0]) & (old_days <= days[-1]) & ~np.isin(old_days, days)]
        revised, lost = pluralize(int(changed.sum()), "session"), pluralize(len(gone), "session")
        notes = [f"{name}: {revised} with another {', '.join(columns)}"] if columns else []
        notes += [f"{name}: {lost} gone"] if len(gone) else []
        positions = np.concatenate([panel.position(left[changed]), np.full(len(gone), NO_ROW)])
        missing_or_changed: NDArray[np.int32] = np.concatenate([panel.days[left[changed]], gone])
        return Evidence(positions, np.full(len(positions), name, object), missing_or_changed, tuple(notes))


class ExpectSchemaUnchanged(SinceSnapshot):
    """Expect the columns and kinds of values of the last accepted snapshot."""

    sentence: ClassVar[str] = "Columns and the kinds of their values are those of the last accepted snapshot."

    def judge(self, panel: Panel) -> Evidence:
        """Return the differences as notes."""
        if self.accepted is None:
            return Evidence()
        before = stored_schema(self.accepted)
        now = schema_of(panel.frame, before)
        notes = [f"column {name} ({kind}) is new" for name, kind in now.items() if name not in before]
        notes += [f"column {name} ({kind}) is gone" for name, kind in before.items() if name not in now]
        notes += [
            f"column {name} was {before[name]} and is {kind}"
            for name, kind in now.items()
            if name in before and before[name] != kind
        ]
        return Evidence(notes=tuple(notes))
