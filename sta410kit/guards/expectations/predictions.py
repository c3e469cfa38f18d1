"""Predictions and forecasts: constant, out of scale, too good, with useless intervals or rows missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from sta410kit._internal.text import percent, pluralize
from sta410kit.guards.evidence import Evidence, at_positions
from sta410kit.guards.expectations.base import Expectation, Share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sta410kit.guards.panel import Panel

_ENDS = ("lower", "upper")
Names = Annotated[list[str], Field(min_length=1)]


class GroupedExpectation(Expectation):
    """An expectation about groups of rows, such as all of one model and horizon."""

    groups: Names = ["model", "horizon"]  # columns that make a group

    def applies(self, panel: Panel) -> bool:
        """Whether the frame has what is judged, and the columns that make a group."""
        return super().applies(panel) and set(self.groups).issubset(panel.frame.columns)

    def judge(self, panel: Panel) -> Evidence:
        """Return what is wrong with each group, as notes."""
        groups = panel.frame.groupby(self.groups, observed=True, dropna=False)
        return Evidence(
            notes=tuple(
                f"{_named(self.groups, key)}: {words}"
                for key, group in groups
                for words in self.wrong(group, panel)
            )
        )

    def wrong(self, group: pd.DataFrame, panel: Panel) -> Iterator[str]:
        """Yield what is wrong with the rows of one group."""
        raise NotImplementedError


class ExpectPredictionsToVary(GroupedExpectation):
    """Expect a model to predict different values at different times, unless it is meant not to."""

    constant_models: list[str] = ["naive"]  # models that always say the same
    least: NonNegativeFloat = 1e-12  # standard deviation that counts as none
    min_rows: int = Field(20, ge=2)  # predictions a model needs to be judged
    still: int = Field(60, ge=2)  # sessions for which no symbol keeps a prediction while another's change

    needs: ClassVar[tuple[str, ...]] = ("predicted",)
    sentence: ClassVar[str] = (
        "The predictions of each of {groups} vary, and no symbol keeps one for {still} sessions and several "
        "folds while another's change, but for the models {constant_models}."
    )

    def wrong(self, group: pd.DataFrame, panel: Panel) -> Iterator[str]:  # noqa: ARG002 - the base's signature
        """Yield that the predictions, or those of a symbol, do not vary."""
        model = str(group[self.groups[0]].iloc[0])
        relative = "target" in group and group["target"].isin(["market_excess", "rank"]).all()
        # The mean over symbols of what compares them is zero by construction.
        constant = model in self.constant_models or (relative and model == "mean")
        if constant or len(group) < self.min_rows:
            return
        if group["predicted"].astype(float).std() <= self.least:
            yield f"{len(group)} predictions, all the same"
            return
        keys = ["symbol", "date"]
        rows = group.dropna(subset=keys).sort_values(keys, kind="stable").reset_index(drop=True)
        same = (rows["symbol"] == rows["symbol"].shift()) & (rows["predicted"] == rows["predicted"].shift())
        run = (~same).cumsum()
        long = run.groupby(run).transform("size") >= self.still
        for _, still in rows[long].groupby(run[long]):
            # A model that found nothing says the same until it is fitted again.
            if "fold" in still and (still["fold"] == still["fold"].iloc[0]).all():
                continue
            symbol = still["symbol"].iloc[0]
            meanwhile = rows[rows["date"].between(still["date"].iloc[0], still["date"].iloc[-1])]
            others = meanwhile[meanwhile["symbol"] != symbol].groupby("symbol", observed=True)["predicted"]
            if (others.std() > self.least).any():
                yield f"{symbol} has the same prediction {len(still)} sessions in a row"


class ExpectEverySymbolInEachGroup(GroupedExpectation):
    """Expect every symbol of the frame in each group of rows, such as each horizon of each model."""

    sentence: ClassVar[str] = "Every symbol has a row for each of {groups}."

    def wrong(self, group: pd.DataFrame, panel: Panel) -> Iterator[str]:
        """Yield which symbols are missing."""
        missing = sorted(set(panel.symbols) - set(group["symbol"].dropna().astype(str)))
        if missing:
            yield f"nothing for {', '.join(missing)}"


class ExpectEnoughRowsInEachGroup(GroupedExpectation):
    """Expect no group, such as a horizon of a model, of so few rows that nothing could be said of it."""

    min_rows: PositiveInt = 20  # rows that each group has at least

    sentence: ClassVar[str] = "There are at least {min_rows} rows for each of {groups}."

    def wrong(self, group: pd.DataFrame, panel: Panel) -> Iterator[str]:  # noqa: ARG002 - the base's signature
        """Yield that there are too few."""
        if len(group) < self.min_rows:
            yield pluralize(len(group), "row")


class ExpectOutcomesNotForeseen(GroupedExpectation):
    """Expect predictions to err: those that hardly do have seen what they predict."""

    max_correlation: Share = 0.95  # with the actual values
    min_rows: int = Field(60, ge=3)  # predictions a group needs to be judged

    needs: ClassVar[tuple[str, ...]] = ("predicted", "actual")
    sentence: ClassVar[str] = (
        "The predictions of each of {groups} correlate with the actual values by at most {max_correlation}."
    )

    def wrong(self, group: pd.DataFrame, panel: Panel) -> Iterator[str]:  # noqa: ARG002 - the base's signature
        """Yield that the predictions know too much."""
        pair = group[["predicted", "actual"]].astype(float).to_numpy()
        pair = pair[np.isfinite(pair).all(axis=1)]
        if len(pair) < self.min_rows or not pair.std(axis=0).all():
            return
        correlation = np.corrcoef(pair.T)[0, 1]
        if correlation > self.max_correlation:
            yield f"a correlation of {correlation:.3f} with the actual values"


class ExpectIntervalsToHoldOutcomes(GroupedExpectation):
    """Expect intervals to hold a fair share of the actual values."""

    least: float = Field(0.3, ge=0, le=1)  # share of actual values within their interval
    min_rows: PositiveInt = 60  # predictions a group needs to be judged

    needs: ClassVar[tuple[str, ...]] = ("lower", "upper", "actual")
    sentence: ClassVar[str] = "The intervals of each of {groups} hold at least {least} of the actual values."

    def wrong(self, group: pd.DataFrame, panel: Panel) -> Iterator[str]:  # noqa: ARG002 - the base's signature
        """Yield that the intervals hold too few."""
        low, high, actual = (group[name].astype(float) for name in (*_ENDS, "actual"))
        held = float(((actual >= low) & (actual <= high)).mean())
        if len(group) >= self.min_rows and held < self.least:
            yield f"{percent(held)} of the actual values lie within their interval"


class ExpectOneDateInEachGroup(GroupedExpectation):
    """Expect the rows of a group to be made on one day: a forecast from an older one is stale."""

    shows: ClassVar[tuple[str, ...]] = ("horizon", "predicted")
    sentence: ClassVar[str] = "All rows of each of {groups} have the same date."

    def judge(self, panel: Panel) -> Evidence:
        """Return the rows that are older than the newest of their group."""
        groups = panel.frame.groupby(self.groups, observed=True, dropna=False)
        old = panel.frame["date"] < groups["date"].transform("max")
        return at_positions(panel.frame, np.flatnonzero(old.to_numpy()))


class ExpectPredictionsInScale(Expectation):
    """Expect predictions of the size of what is predicted."""

    sigmas: PositiveFloat = 10.0  # standard deviations of the actual values
    end_sigmas: PositiveFloat = 60.0  # the same, for the ends of an interval
    spread: PositiveFloat = 2.0  # standard deviation of a fold's predictions over that of the actual values
    min_rows: int = Field(20, ge=2)  # actual values needed to know their scale

    needs: ClassVar[tuple[str, ...]] = ("predicted", "actual")
    shows: ClassVar[tuple[str, ...]] = ("predicted", "actual", "lower", "upper")
    sentence: ClassVar[str] = (
        "No prediction is larger than {sigmas} standard deviations of the actual values, no end of an "
        "interval larger than {end_sigmas}, and the predictions of no fold vary {spread} times as much."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the predictions far beyond anything that happened, and folds that vary more than it did."""
        frame = panel.frame
        far, notes = np.zeros(len(frame), bool), list[str]()
        horizons = frame["horizon"] if "horizon" in frame else pd.Series(0, index=frame.index)
        for rows in frame.groupby(horizons, dropna=False).indices.values():
            actual = panel.floats("actual")[rows]
            actual = actual[np.isfinite(actual)]
            usual = actual.std() if len(actual) >= self.min_rows else 0.0
            if not usual:
                continue
            for name, sigmas in (("predicted", self.sigmas), *((end, self.end_sigmas) for end in _ENDS)):
                if panel.raw(name) is not None:
                    far[rows] |= np.abs(panel.floats(name)[rows]) > sigmas * usual
            notes += self._wild(frame.iloc[rows], usual)
        return at_positions(frame, np.flatnonzero(far), notes)

    def _wild(self, rows: pd.DataFrame, usual: float) -> Iterator[str]:
        """Yield which folds vary more than the actual values; what can be known of them varies less."""
        keys = [name for name in ("model", "horizon", "fold") if name in rows]
        groups = rows.groupby(keys, observed=True, dropna=False) if keys else [((), rows)]
        for key, group in groups:
            spread = float(group["predicted"].astype(float).std())
            if len(group) >= self.min_rows and spread > self.spread * usual:
                ratio = spread / usual
                yield f"{_named(keys, key)}: predictions vary {ratio:.1f} times as much as the actual values"


class ExpectForecastsInScale(Expectation):
    """Expect forecasts of a size that prices can move within their horizon, and intervals with a width."""

    daily: PositiveFloat = 0.15  # log return of one session; times the root of the horizon for several
    daily_end: PositiveFloat = 0.6  # the same, for the ends of an interval
    narrowest: NonNegativeFloat = 1e-6  # width below which an interval says nothing

    needs: ClassVar[tuple[str, ...]] = ("predicted", "horizon", "lower", "upper")
    sentence: ClassVar[str] = (
        "No forecast is larger than {daily} times the root of its horizon, no end of an interval larger than "
        "{daily_end} times it (of ranks: 1), and no interval narrower than {narrowest}."
    )

    def judge(self, panel: Panel) -> Evidence:
        """Return the forecasts that are too large or whose interval has no width."""
        predicted, horizon, low, high = (panel.floats(name) for name in self.needs)
        sessions = np.sqrt(np.maximum(horizon, 1))
        bad = np.abs(predicted) > self.daily * sessions
        bad |= np.maximum(np.abs(low), np.abs(high)) > self.daily_end * sessions
        if "target" in panel.frame:  # ranks lie between -1 and 1 at any horizon
            ranks = (panel.frame["target"] == "rank").to_numpy()
            bad[ranks] = (np.abs([predicted, low, high])[:, ranks] > 1).any(axis=0)
        bad |= np.abs(high - low) < self.narrowest
        return at_positions(panel.frame, np.flatnonzero(bad))


class ExpectWholeNumbers(Expectation):
    """Expect whole numbers where parts of one make no sense, in columns of any numeric type."""

    columns: Names = ["horizon", "fold"]

    shows: ClassVar[tuple[str, ...]] = ("horizon", "fold")
    sentence: ClassVar[str] = "The values of {columns} are whole numbers."

    def judge(self, panel: Panel) -> Evidence:
        """Return the rows with a value that is no whole number."""
        bad = np.zeros(len(panel.frame), bool)
        for name in self.columns:
            values = panel.raw(name)
            if values is not None and values.dtype.kind == "f":
                bad |= np.isfinite(values) & (values != np.rint(values))
        return at_positions(panel.frame, np.flatnonzero(bad))


def _named(groups: list[str], key: object) -> str:
    """Return a group in words: ``model ridge, horizon 5``."""
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{name} {value}" for name, value in zip(groups, values, strict=True))
