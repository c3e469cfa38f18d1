"""Predictions that never vary, and groups of rows that are too small, lack a symbol, or mix days."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit._internal.text import pluralize
from sta410kit.guards.expectations.frame_expectation import (
    Findings,
    FrameExpectation,
    PanelWalker,
    Walker,
    of_frame,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from sta410kit.guards.panel import Panel


class GroupedExpectation(FrameExpectation):
    """An expectation about groups of rows, such as all of one model and horizon."""

    groups: list[str] = pydantic.Field(["model", "horizon"], min_items=1, description="What makes a group.")

    def asked(self, panel: Panel) -> bool:
        """Whether the frame has what is looked at, and the columns that make a group."""
        return super().asked(panel) and set(self.groups).issubset(panel.frame.columns)


class GroupWalker(PanelWalker):
    """Looks at the rows of each group on their own."""

    expectation: GroupedExpectation

    def findings(self) -> Findings:
        """Return what is wrong with each group, as notes."""
        groups = self.expectation.groups
        return Findings(
            notes=tuple(
                f"{named(groups, key)}: {words}"
                for key, group in self.panel.frame.groupby(groups, observed=True, dropna=False)
                for words in self.wrong(group)
            )
        )

    @abstractmethod
    def wrong(self, group: pd.DataFrame) -> Iterator[str]:
        """Say what is wrong with the rows of one group."""


class VariationWalker(GroupWalker):
    """Looks at the predictions of each model, and at those of each of its symbols beside the others."""

    expectation: ExpectPredictionsToVary

    def wrong(self, group: pd.DataFrame) -> Iterator[str]:
        """Say that the predictions, or those of a symbol, do not vary."""
        asked = self.expectation
        model = str(group[asked.groups[0]].iloc[0])
        if model in asked.constant_models or len(group) < asked.min_rows:
            return
        if group["predicted"].astype(float).std() <= asked.least:
            yield f"{len(group)} predictions, all the same"
        else:
            yield from self._still(group)

    def _still(self, group: pd.DataFrame) -> Iterator[str]:
        """Say which symbols keep one prediction for long, through several folds, while another's move."""
        keys = ["symbol", "date"]
        rows = group.dropna(subset=keys).sort_values(keys, kind="stable").reset_index(drop=True)
        same = (rows["symbol"] == rows["symbol"].shift()) & (rows["predicted"] == rows["predicted"].shift())
        run = (~same).cumsum()
        long = run.groupby(run).transform("size") >= self.expectation.still
        for _, still in rows[long].groupby(run[long]):
            # A model that found nothing says the same until it is fitted again.
            if "fold" in still and (still["fold"] == still["fold"].iloc[0]).all():
                continue
            symbol = still["symbol"].iloc[0]
            meanwhile = rows[rows["date"].between(still["date"].iloc[0], still["date"].iloc[-1])]
            others = meanwhile[meanwhile["symbol"] != symbol].groupby("symbol", observed=True)["predicted"]
            if (others.std() > self.expectation.least).any():
                yield f"{symbol} has the same prediction {len(still)} sessions in a row"


class ExpectPredictionsToVary(GroupedExpectation):
    """Expect a model to predict different things at different times, unless it is meant not to."""

    constant_models: list[str] = pydantic.Field(["naive"], description="Models that always say the same.")
    least: float = pydantic.Field(1e-12, ge=0, description="Standard deviation that counts as none.")
    min_rows: int = pydantic.Field(20, ge=2, description="Predictions a model needs to be judged.")
    still: int = pydantic.Field(
        60, ge=2, description="Sessions in a row for which no symbol keeps a prediction while another's move."
    )

    needs: ClassVar[tuple[str, ...]] = ("predicted",)
    sentence: ClassVar[str] = (
        "The predictions of each of {groups} vary, and no symbol keeps one for {still} sessions and several "
        "folds while another's move, but for the models {constant_models}."
    )
    walker: ClassVar[type[Walker]] = VariationWalker


class EverySymbolWalker(GroupWalker):
    """Looks which symbols each model and horizon has."""

    expectation: ExpectEverySymbolInEachGroup

    @cached_property
    def _every(self) -> set[object]:
        return set(self.panel.frame["symbol"].dropna())

    def wrong(self, group: pd.DataFrame) -> Iterator[str]:
        """Say which symbols are missing."""
        missing = sorted(map(str, self._every - set(group["symbol"])))
        if missing:
            yield f"nothing for {', '.join(missing)}"


class ExpectEverySymbolInEachGroup(GroupedExpectation):
    """Expect every symbol of the frame in each group of rows, such as each horizon of each model."""

    sentence: ClassVar[str] = "Every symbol has a row for each of {groups}."
    walker: ClassVar[type[Walker]] = EverySymbolWalker


class EnoughRowsWalker(GroupWalker):
    """Counts the rows of each group."""

    expectation: ExpectEnoughRowsInEachGroup

    def wrong(self, group: pd.DataFrame) -> Iterator[str]:
        """Say that there are too few."""
        if len(group) < self.expectation.min_rows:
            yield pluralize(len(group), "row")


class ExpectEnoughRowsInEachGroup(GroupedExpectation):
    """Expect no group, such as a horizon of a model, of so few rows that nothing could be said of it."""

    min_rows: int = pydantic.Field(20, ge=1, description="Rows that each group has at least.")

    sentence: ClassVar[str] = "There are at least {min_rows} rows for each of {groups}."
    walker: ClassVar[type[Walker]] = EnoughRowsWalker


class OneDateWalker(PanelWalker):
    """Compares the dates within each group."""

    expectation: ExpectOneDateInEachGroup

    def findings(self) -> Findings:
        """Return the rows that are older than the newest of their group."""
        newest = self.panel.frame.groupby(self.expectation.groups, observed=True, dropna=False)[
            "date"
        ].transform("max")
        return of_frame(self.panel, np.flatnonzero((self.panel.frame["date"] < newest).to_numpy()))


class ExpectOneDateInEachGroup(GroupedExpectation):
    """Expect the rows of a group to be made on one day: a forecast from an older one is stale."""

    shows: ClassVar[tuple[str, ...]] = ("horizon", "predicted")
    sentence: ClassVar[str] = "All rows of each of {groups} have the same date."
    walker: ClassVar[type[Walker]] = OneDateWalker


class WholeNumbersWalker(PanelWalker):
    """Looks for parts of a number."""

    expectation: ExpectWholeNumbers

    def findings(self) -> Findings:
        """Return the rows with a value that is no whole number."""
        bad = np.zeros(len(self.panel.frame), bool)
        for name in self.expectation.columns:
            values = self.panel.raw(name)
            if values is not None and values.dtype.kind == "f":
                bad |= np.isfinite(values) & (values != np.rint(values))
        return of_frame(self.panel, np.flatnonzero(bad))


class ExpectWholeNumbers(FrameExpectation):
    """Expect whole numbers where parts of one make no sense, whatever type holds them."""

    columns: list[str] = pydantic.Field(
        ["horizon", "fold"], min_items=1, description="Columns that are asked."
    )

    shows: ClassVar[tuple[str, ...]] = ("horizon", "fold")
    sentence: ClassVar[str] = "The values of {columns} are whole numbers."
    walker: ClassVar[type[Walker]] = WholeNumbersWalker


def named(groups: list[str], key: object) -> str:
    """Return a group in words: ``model ridge, horizon 5``."""
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{name} {value}" for name, value in zip(groups, values, strict=True))
