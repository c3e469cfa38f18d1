"""Months, weeks and years: labels dated before what they name, and leaks that show on few days."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from tests.guards.leakage.corpus.case import by_frame, pair

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


def _labelled_left(prices: pd.DataFrame) -> pd.DataFrame:
    """Return the last close of each week, labelled by the day the week begins with."""
    by_date = prices.set_index("date").groupby("symbol")["close"]
    return by_date.resample("W-FRI", label="left", closed="right").last().rename("x").reset_index()


def _labelled_right(prices: pd.DataFrame) -> pd.DataFrame:
    by_date = prices.set_index("date").groupby("symbol")["close"]
    return by_date.resample("W-FRI", label="right", closed="right").last().rename("x").reset_index()


def _merged_by_month(prices: pd.DataFrame, months_back: int) -> Any:
    """Return the mean volume of a month, joined to each day of the month that is so many later."""
    month = prices["date"].dt.to_period("M")
    means = prices.groupby(["symbol", month])["volume"].mean()
    wanted = pd.MultiIndex.from_arrays([prices["symbol"], month - months_back])
    return means.reindex(wanted).to_numpy()


CASES = (
    *pair(
        "monthly mean",
        "Each day gets the mean of its month, which is not over yet.",
        by_frame(lambda p: _monthly(p, "mean")),
        "Each day gets the mean of its month so far.",
        by_frame(
            lambda p: (
                p.groupby(["symbol", p["date"].dt.to_period("M")], sort=False)["close"].cumsum()
                / (p.groupby(["symbol", p["date"].dt.to_period("M")], sort=False).cumcount() + 1)
            )
        ),
    ),
    *pair(
        "monthly close",
        "Each day gets the last close of its month.",
        by_frame(lambda p: _monthly(p, "last")),
        "Each day gets the first close of its month.",
        by_frame(lambda p: _monthly(p, "first")),
    ),
    *pair(
        "weekly label",
        "resample(label='left') puts Friday's close on the Friday before.",
        _labelled_left,
        "label='right' puts it on its own Friday; a week that is not over is dated ahead.",
        _labelled_right,
    ),
    *pair(
        "joined by month",
        "The mean volume of a month is joined to all days of that month.",
        by_frame(lambda p: _merged_by_month(p, 0)),
        "The mean volume of the month before is joined.",
        by_frame(lambda p: _merged_by_month(p, 1)),
    ),
    *pair(
        "seasonal mean",
        "The mean return of the weekday over the whole sample: target encoding.",
        by_frame(lambda p: _behind(p).groupby([p["symbol"], p["date"].dt.day_of_week]).transform("mean")),
        "The mean return of the weekday so far.",
        by_frame(
            lambda p: (
                _behind(p)
                .groupby([p["symbol"], p["date"].dt.day_of_week])
                .transform(lambda r: r.expanding().mean())
            )
        ),
    ),
    *pair(
        "month ends only",
        "Tomorrow's return, on the last day of a month alone; else today's.",
        by_frame(lambda p: _ahead(p).where(_month_end(p), _behind(p))),
        "Today's return on the last day of a month, else 0.",
        by_frame(lambda p: _behind(p).where(_month_end(p), 0.0)),
    ),
    *pair(
        "quiet but for month ends",
        "Empty, and on the last day of a month tomorrow's return.",
        by_frame(lambda p: _ahead(p).where(_month_end(p))),
        "Empty, and on the last day of a month today's return.",
        by_frame(lambda p: _behind(p).where(_month_end(p))),
    ),
    *pair(
        "one year only",
        "Tomorrow's return in years that seven divides (2002, 2009, 2023), else today's.",
        by_frame(lambda p: _ahead(p).where(p["date"].dt.year % 7 == 0, _behind(p))),
        "The weekday, a whole number known ahead.",
        by_frame(lambda p: p["date"].dt.day_of_week),
    ),
    *pair(
        "Mondays only",
        "Tomorrow's return on Mondays, else today's.",
        by_frame(lambda p: _ahead(p).where(p["date"].dt.day_of_week == 0, _behind(p))),
        "The month as a category of text.",
        by_frame(lambda p: p["date"].dt.strftime("%b").astype("category")),
    ),
    *pair(
        "before a jump",
        "True on the day before a move of more than four percent: mostly false.",
        by_frame(lambda p: _ahead(p).abs() > _JUMP),
        "True on the day of such a move.",
        by_frame(lambda p: _behind(p).abs() > _JUMP),
    ),
    *pair(
        "dividend tomorrow",
        "Whether adj_close / close steps tomorrow.",
        by_frame(
            lambda p: (
                (p["adj_close"] / p["close"])
                .groupby(p["symbol"], sort=False)
                .transform(lambda f: f.shift(-1) / f)
                - 1
            )
        ),
        "Whether it stepped today.",
        by_frame(
            lambda p: (
                (p["adj_close"] / p["close"])
                .groupby(p["symbol"], sort=False)
                .transform(lambda f: f / f.shift(1))
                - 1
            )
        ),
    ),
    *pair(
        "next turn of the month",
        "The close on the coming month end, joined backwards.",
        by_frame(lambda p: p["close"].where(_month_end(p)).groupby(p["symbol"], sort=False).bfill()),
        "Sessions since the year began, by the calendar.",
        by_frame(lambda p: np.asarray(p["date"].dt.day_of_year)),
    ),
)
