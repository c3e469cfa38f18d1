"""What changed since the last accepted snapshot: values of past sessions, and the columns themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit._internal.text import pluralize
from sta410kit.guards.expectations.frame_expectation import Findings, FrameExpectation, PanelWalker, Walker
from sta410kit.guards.panel import Panel
from sta410kit.guards.snapshots import read_snapshot, schema_of, stored_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHANGED_TOGETHER = ("adj_close",)  # rescaled as a whole at every dividend


class HistoryWalker(PanelWalker):
    """Puts the sessions both frames have beside each other."""

    expectation: ExpectHistoryUnrevised

    def findings(self) -> Findings:
        """Return the rows whose values differ, and sessions that are gone."""
        asked = self.expectation
        if not asked.snapshot or not Path(asked.snapshot).is_file():
            return Findings()
        before = Panel(read_snapshot(Path(asked.snapshot)))
        found: list[Findings] = []
        for number, name in enumerate(self.panel.symbols):
            if name in before.symbols:
                found.append(self._compare(number, before, before.symbols.index(name)))
        notes = [note for one in found for note in one.notes]
        return Findings(
            np.concatenate([one.symbols for one in found]) if found else np.empty(0, object),
            np.concatenate([one.days for one in found]) if found else np.empty(0, np.int32),
            np.concatenate([one.rows for one in found]) if found else np.empty(0, np.int64),
            tuple(notes),
        )

    def _compare(self, number: int, before: Panel, other: int) -> Findings:
        name = self.panel.symbols[number]
        here = np.arange(self.panel.bounds[number], self.panel.bounds[number + 1])
        there = np.arange(before.bounds[other], before.bounds[other + 1])
        days, old_days = self.panel.days[here], before.days[there]
        _, left, right = np.intersect1d(days, old_days, assume_unique=True, return_indices=True)
        changed = np.zeros(len(left), bool)
        columns = []
        for column in self.expectation.columns:
            new, old = self.panel.raw(column), before.raw(column)
            if new is None or old is None:
                continue
            differs = self._differs(
                new[self.panel.position(here[left])].astype(float),
                old[before.position(there[right])].astype(float),
                whole=column in _CHANGED_TOGETHER,
            )
            if differs.any():
                columns.append(column)
            changed |= differs
        gone = old_days[(old_days >= days[0]) & (old_days <= days[-1]) & ~np.isin(old_days, days)]
        rows = np.concatenate([self.panel.position(here[left[changed]]), np.full(len(gone), -1)])
        revised, lost = pluralize(int(changed.sum()), "session"), pluralize(len(gone), "session")
        notes = [f"{name}: {revised} with another {', '.join(columns)}"] if columns else []
        notes += [f"{name}: {lost} gone"] if len(gone) else []
        return Findings(
            np.full(len(rows), name, object),
            np.concatenate([days[left[changed]], gone]).astype(np.int32),
            rows,
            tuple(notes),
        )

    def _differs(
        self, new: NDArray[np.float64], old: NDArray[np.float64], *, whole: bool
    ) -> NDArray[np.bool_]:
        """Tell where values differ; a column that is rescaled as a whole may differ by one factor."""
        if whole and len(new):
            ratios = new / old
            usual = np.median(ratios[np.isfinite(ratios)]) if np.isfinite(ratios).any() else 1.0
            old = old * usual
        same = np.abs(new - old) <= self.expectation.tolerance * np.abs(old)
        return ~(same | (np.isnan(new) & np.isnan(old)))


class ExpectHistoryUnrevised(FrameExpectation):
    """Expect past sessions to have the values they had when they were last accepted."""

    snapshot: str | None = pydantic.Field(
        None, description="File of the last accepted prices; the gate fills it in, not asked when null."
    )
    columns: list[str] = pydantic.Field(
        ["open", "high", "low", "close", "adj_close", "volume"], description="Columns that are compared."
    )
    tolerance: float = pydantic.Field(1e-6, ge=0, description="Relative difference that counts as none.")

    shows: ClassVar[tuple[str, ...]] = ("open", "high", "low", "close", "adj_close", "volume")
    sentence: ClassVar[str] = (
        "Sessions accepted before have the values they had then (relative tolerance {tolerance}; adj_close "
        "may have been rescaled as a whole) and are all still there."
    )
    walker: ClassVar[type[Walker]] = HistoryWalker


class SchemaWalker(PanelWalker):
    """Compares columns and types."""

    expectation: ExpectSchemaUnchanged

    def findings(self) -> Findings:
        """Return the differences as notes."""
        path = self.expectation.snapshot
        if not path or not Path(path).is_file():
            return Findings()
        before, now = stored_schema(Path(path)), schema_of(self.panel.frame)
        notes = [f"column {name} ({kind}) is new" for name, kind in now.items() if name not in before]
        notes += [f"column {name} ({kind}) is gone" for name, kind in before.items() if name not in now]
        notes += [
            f"column {name} was {before[name]} and is {kind}"
            for name, kind in now.items()
            if name in before and before[name] != kind
        ]
        return Findings(notes=tuple(notes))


class ExpectSchemaUnchanged(FrameExpectation):
    """Expect the columns and kinds of values of the last accepted snapshot."""

    snapshot: str | None = pydantic.Field(
        None, description="File of the last accepted prices; the gate fills it in, not asked when null."
    )

    sentence: ClassVar[str] = "Columns and the kinds of their values are those of the last accepted snapshot."
    walker: ClassVar[type[Walker]] = SchemaWalker
