"""Predictions that never vary or run away, and symbols without a forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from great_expectations.compatibility import pydantic

from sta410kit.guards.expectations.frame_expectation import (
    Findings,
    FrameExpectation,
    PanelWalker,
    Walker,
    of_frame,
)

if TYPE_CHECKING:
    import pandas as pd


class VariationWalker(PanelWalker):
    """Looks at the predictions of each model."""

    expectation: ExpectPredictionsToVary

    def findings(self) -> Findings:
        """Return the models whose predictions do not vary, as notes."""
        asked, notes = self.expectation, []
        for key, group in self.panel.frame.groupby(asked.groups, observed=True, dropna=False):
            varies = group["predicted"].astype(float).std()
            if (
                str(key[0]) not in asked.constant_models
                and len(group) >= asked.min_rows
                and varies <= asked.least
            ):
                notes.append(f"{_named(asked.groups, key)}: {len(group)} predictions, all the same")
        return Findings(notes=tuple(notes))


class ExpectPredictionsToVary(FrameExpectation):
    """Expect a model to predict different things at different times, unless it is meant not to."""

    groups: list[str] = pydantic.Field(["model", "horizon"], min_items=1, description="What makes one model.")
    constant_models: list[str] = pydantic.Field(["naive"], description="Models that always say the same.")
    least: float = pydantic.Field(1e-12, ge=0, description="Standard deviation that counts as none.")
    min_rows: int = pydantic.Field(20, ge=2, description="Predictions a model needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("predicted",)
    sentence: ClassVar[str] = (
        "The predictions of each of {groups} vary, but for the models {constant_models}."
    )
    walker: ClassVar[type[Walker]] = VariationWalker

    def asked(self, panel: object) -> bool:
        """Whether the frame has predictions and the columns that make a model."""
        return super().asked(panel) and set(self.groups).issubset(panel.frame.columns)  # type: ignore[arg-type,attr-defined]


class ScaleWalker(PanelWalker):
    """Compares predictions with what came true."""

    expectation: ExpectPredictionsInScale

    def findings(self) -> Findings:
        """Return the predictions far beyond anything that happened."""
        frame = self.panel.frame
        actual, predicted = (frame[name].astype(float).to_numpy() for name in ("actual", "predicted"))
        finite = actual[np.isfinite(actual)]
        if len(finite) < self.expectation.min_rows or not finite.std():
            return Findings()
        return of_frame(
            self.panel, np.flatnonzero(np.abs(predicted) > self.expectation.sigmas * finite.std())
        )


class ExpectPredictionsInScale(FrameExpectation):
    """Expect predictions of the size of what is predicted."""

    sigmas: float = pydantic.Field(10.0, gt=0, description="Standard deviations of the actual values.")
    min_rows: int = pydantic.Field(20, ge=2, description="Actual values needed to know their scale.")

    needs: ClassVar[tuple[str, ...]] = ("predicted", "actual")
    sentence: ClassVar[str] = "No prediction is larger than {sigmas} standard deviations of what came true."
    walker: ClassVar[type[Walker]] = ScaleWalker


class EverySymbolWalker(PanelWalker):
    """Looks which symbols each model and horizon has."""

    expectation: ExpectEverySymbolInEachGroup

    def findings(self) -> Findings:
        """Return the missing symbols, as notes."""
        frame: pd.DataFrame = self.panel.frame
        groups, every, notes = self.expectation.groups, set(frame["symbol"].dropna()), []
        for key, group in frame.groupby(groups, observed=True, dropna=False):
            missing = sorted(map(str, every - set(group["symbol"])))
            if missing:
                notes.append(f"{_named(groups, key)}: nothing for {', '.join(missing)}")
        return Findings(notes=tuple(notes))


class ExpectEverySymbolInEachGroup(FrameExpectation):
    """Expect every symbol of the frame in each group of rows, such as each horizon of each model."""

    groups: list[str] = pydantic.Field(["model", "horizon"], min_items=1, description="What makes a group.")

    sentence: ClassVar[str] = "Every symbol has a row for each of {groups}."
    walker: ClassVar[type[Walker]] = EverySymbolWalker

    def asked(self, panel: object) -> bool:
        """Whether the frame has the columns that make a group."""
        return super().asked(panel) and set(self.groups).issubset(panel.frame.columns)  # type: ignore[arg-type,attr-defined]


def _named(groups: list[str], key: object) -> str:
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{name} {value}" for name, value in zip(groups, values, strict=True))
