"""Months, weeks and years: labels dated before what they name, and leaks that show on few days."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import pair, pairs_by_frame

_JUMP = 0.04


def _ahead(prices: pd.DataFrame) -> pd.Series[Any]:
    """Return tomorrow's return."""
    close = prices.groupby("symbol", sort=False)["close"]
    return close.shift(-1) / prices["close"] - 1


def _behind(prices: pd.DataFrame) -> pd.Series[Any]:
    """Return today's return."""
    return prices["close"] / prices.groupby("symbol", sort=False)["close"].shift(1) - 1


def _month_end(prices: pd.DataFrame) -> Any:
    """Mark the last business day of a month by the calendar, which is known ahead."""
    following = prices["date"] + pd.offsets.BDay(1)
    return following.dt.month != prices["date"].dt.month


def _monthly(prices: pd.DataFrame, how: Literal["mean", "first", "last"]) -> Any:
    months = prices["date"].dt.to_period("M").dt.start_time
    return prices.groupby(["symbol", months], sort=False)["close"].transform(how)


def _labelled(prices: pd.DataFrame, label: Literal["left", "right"]) -> pd.DataFrame:
    """Return the last close of each week, labelled by the day the week begins or ends with."""
    by_date = prices.set_index("date").groupby("symbol")["close"]
    return by_date.resample("W-FRI", label=label, closed="right").last().rename("x").reset_index()


def _merged_by_month(prices: pd.DataFrame, months_back: int) -> Any:
    """Return the mean volume of a month, joined to each day of the month that is so many later."""
    month = prices["date"].dt.to_period("M")
    means = prices.groupby(["symbol", month])["volume"].mean()
    wanted = pd.MultiIndex.from_arrays([prices["symbol"], month - months_back])
    return means.reindex(wanted).to_numpy()


def _adjustment(prices: pd.DataFrame, sessions: int) -> Any:
    """Return by how much adj_close / close steps, today or tomorrow."""
    factor = (prices["adj_close"] / prices["close"]).groupby(prices["symbol"], sort=False)
    return factor.transform(lambda f: f.shift(sessions) / f.shift(sessions + 1)) - 1


CASES = (
    # label='left' puts Friday's close on the Friday before; a week that is not over is dated ahead.
    *pair("weekly label", lambda p: _labelled(p, "left"), lambda p: _labelled(p, "right")),
    *pairs_by_frame(
        # Of a month that is not over yet; of the month so far.
        monthly_mean=(
            lambda p: _monthly(p, "mean"),
            lambda p: (
                p.groupby(["symbol", p["date"].dt.to_period("M")], sort=False)["close"].cumsum()
                / (p.groupby(["symbol", p["date"].dt.to_period("M")], sort=False).cumcount() + 1)
            ),
        ),
        monthly_close=(lambda p: _monthly(p, "last"), lambda p: _monthly(p, "first")),
        joined_by_month=(lambda p: _merged_by_month(p, 0), lambda p: _merged_by_month(p, 1)),
        # Target encoding: the mean return of the weekday over the whole sample, or so far.
        seasonal_mean=(
            lambda p: _behind(p).groupby([p["symbol"], p["date"].dt.day_of_week]).transform("mean"),
            lambda p: (
                _behind(p)
                .groupby([p["symbol"], p["date"].dt.day_of_week])
                .transform(lambda r: r.expanding().mean())
            ),
        ),
        month_ends_only=(
            lambda p: _ahead(p).where(_month_end(p), _behind(p)),
            lambda p: _behind(p).where(_month_end(p), 0.0),
        ),
        quiet_but_for_month_ends=(
            lambda p: _ahead(p).where(_month_end(p)),
            lambda p: _behind(p).where(_month_end(p)),
        ),
        # In 2002, 2009 and 2023; the twin is the weekday, a whole number known ahead.
        one_year_only=(
            lambda p: _ahead(p).where(p["date"].dt.year % 7 == 0, _behind(p)),
            lambda p: p["date"].dt.day_of_week,
        ),
        # The twin is the month as a category of text.
        mondays_only=(
            lambda p: _ahead(p).where(p["date"].dt.day_of_week == 0, _behind(p)),
            lambda p: p["date"].dt.strftime("%b").astype("category"),
        ),
        # Mostly false.
        before_a_jump=(lambda p: _ahead(p).abs() > _JUMP, lambda p: _behind(p).abs() > _JUMP),
        dividend_tomorrow=(lambda p: _adjustment(p, -1), lambda p: _adjustment(p, 0)),
        # The close on the coming month end, joined backwards; days since the year began.
        next_turn_of_the_month=(
            lambda p: p["close"].where(_month_end(p)).groupby(p["symbol"], sort=False).bfill(),
            lambda p: np.asarray(p["date"].dt.day_of_year),
        ),
    ),
)
