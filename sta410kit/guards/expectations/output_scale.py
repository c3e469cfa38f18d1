"""Predictions and forecasts that run away, foresee what came true, or bear intervals that say nothing."""

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
from sta410kit.guards.expectations.model_output import GroupedExpectation, GroupWalker, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_ENDS = ("lower", "upper")


class ScaleWalker(PanelWalker):
    """Compares predictions with what came true at the same horizon."""

    expectation: ExpectPredictionsInScale

    def findings(self) -> Findings:
        """Return the predictions far beyond anything that happened, and folds that vary more than it did."""
        asked, frame = self.expectation, self.panel.frame
        number = frame.groupby("horizon", dropna=False).ngroup().to_numpy() if "horizon" in frame else None
        groups = np.zeros(len(frame), np.int64) if number is None else number
        far = np.zeros(len(frame), bool)
        notes: list[str] = []
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            actual = self.panel.floats("actual")[rows]
            usual = actual[np.isfinite(actual)].std() if np.isfinite(actual).sum() >= asked.min_rows else 0.0
            if not usual:
                continue
            far[rows] |= np.abs(self.panel.floats("predicted")[rows]) > asked.sigmas * usual
            for name in _ENDS:
                if self.panel.raw(name) is not None:
                    far[rows] |= np.abs(self.panel.floats(name)[rows]) > asked.end_sigmas * usual
            notes += self._wild(frame.iloc[rows], usual)
        return of_frame(self.panel, np.flatnonzero(far), notes)

    def _wild(self, rows: pd.DataFrame, usual: float) -> Iterator[str]:
        """Say which folds vary more than what came true; what can be known of it varies less."""
        keys = [name for name in ("model", "horizon", "fold") if name in rows]
        groups = rows.groupby(keys, observed=True, dropna=False) if keys else [((), rows)]
        for key, group in groups:
            spread = float(group["predicted"].astype(float).std())
            if len(group) >= self.expectation.min_rows and spread > self.expectation.spread * usual:
                ratio = spread / usual
                yield f"{named(keys, key)}: predictions vary {ratio:.1f} times as much as what came true"


class ExpectPredictionsInScale(FrameExpectation):
    """Expect predictions of the size of what is predicted."""

    sigmas: float = pydantic.Field(10.0, gt=0, description="Standard deviations of the actual values.")
    end_sigmas: float = pydantic.Field(60.0, gt=0, description="The same, for the ends of an interval.")
    spread: float = pydantic.Field(
        2.0, gt=0, description="Standard deviation of a fold's predictions over that of the actual values."
    )
    min_rows: int = pydantic.Field(20, ge=2, description="Actual values needed to know their scale.")

    needs: ClassVar[tuple[str, ...]] = ("predicted", "actual")
    shows: ClassVar[tuple[str, ...]] = ("predicted", "actual", "lower", "upper")
    sentence: ClassVar[str] = (
        "No prediction is larger than {sigmas} standard deviations of what came true, no end of an interval "
        "larger than {end_sigmas}, and the predictions of no fold vary {spread} times as much."
    )
    walker: ClassVar[type[Walker]] = ScaleWalker


class ForesightWalker(GroupWalker):
    """Correlates the predictions of each group with what came true."""

    expectation: ExpectOutcomesNotForeseen

    def wrong(self, group: pd.DataFrame) -> Iterator[str]:
        """Say that the predictions know too much."""
        pair = group[["predicted", "actual"]].astype(float).to_numpy()
        pair = pair[np.isfinite(pair).all(axis=1)]
        if len(pair) < self.expectation.min_rows or not pair.std(axis=0).all():
            return
        correlation = np.corrcoef(pair.T)[0, 1]
        if correlation > self.expectation.max_correlation:
            yield f"a correlation of {correlation:.3f} with what came true"


class ExpectOutcomesNotForeseen(GroupedExpectation):
    """Expect predictions to err: those that hardly do have seen what they predict."""

    max_correlation: float = pydantic.Field(0.95, gt=0, le=1, description="Correlation with what came true.")
    min_rows: int = pydantic.Field(60, ge=3, description="Predictions a group needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("predicted", "actual")
    sentence: ClassVar[str] = (
        "The predictions of each of {groups} correlate with what came true by at most {max_correlation}."
    )
    walker: ClassVar[type[Walker]] = ForesightWalker


class CoverageWalker(GroupWalker):
    """Counts how many outcomes lie within their interval."""

    expectation: ExpectIntervalsToHoldOutcomes

    def wrong(self, group: pd.DataFrame) -> Iterator[str]:
        """Say that the intervals hold too few."""
        low, high, actual = (group[name].astype(float) for name in (*_ENDS, "actual"))
        held = float(((actual >= low) & (actual <= high)).mean())
        if len(group) >= self.expectation.min_rows and held < self.expectation.least:
            yield f"{held:.0%} of the outcomes lie within their interval"


class ExpectIntervalsToHoldOutcomes(GroupedExpectation):
    """Expect intervals to hold a fair share of what came true."""

    least: float = pydantic.Field(0.3, ge=0, le=1, description="Share of outcomes within their interval.")
    min_rows: int = pydantic.Field(60, ge=1, description="Predictions a group needs to be judged.")

    needs: ClassVar[tuple[str, ...]] = ("lower", "upper", "actual")
    sentence: ClassVar[str] = "The intervals of each of {groups} hold at least {least} of what came true."
    walker: ClassVar[type[Walker]] = CoverageWalker


class ForecastScaleWalker(PanelWalker):
    """Compares forecasts with what prices can do within their horizon."""

    expectation: ExpectForecastsInScale

    def findings(self) -> Findings:
        """Return the forecasts that are too large or whose interval has no width."""
        asked = self.expectation
        predicted, horizon = (self.panel.floats(name) for name in ("predicted", "horizon"))
        low, high = (self.panel.floats(name) for name in _ENDS)
        sessions = np.sqrt(np.maximum(horizon, 1))
        bad = np.abs(predicted) > asked.daily * sessions
        bad |= np.maximum(np.abs(low), np.abs(high)) > asked.daily_end * sessions
        bad |= np.abs(high - low) < asked.narrowest
        return of_frame(self.panel, np.flatnonzero(bad))


class ExpectForecastsInScale(FrameExpectation):
    """Expect forecasts of a size that prices can move within their horizon, and intervals with a width."""

    daily: float = pydantic.Field(
        0.15, gt=0, description="Log return of one session; with the root of the horizon for several."
    )
    daily_end: float = pydantic.Field(0.6, gt=0, description="The same, for the ends of an interval.")
    narrowest: float = pydantic.Field(1e-6, ge=0, description="Width below which an interval says nothing.")

    needs: ClassVar[tuple[str, ...]] = ("predicted", "horizon", "lower", "upper")
    sentence: ClassVar[str] = (
        "No forecast is larger than {daily} times the root of its horizon, no end of an interval larger than "
        "{daily_end} times it, and no interval narrower than {narrowest}."
    )
    walker: ClassVar[type[Walker]] = ForecastScaleWalker
