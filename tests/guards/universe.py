"""A universe as vendors deliver it: heavy-tailed series of one market, real events, and a few wrong bars."""

from functools import cache

import numpy as np
import pandas as pd

from sta410kit._internal.calendars import sessions

SYMBOLS = [f"S{number:02d}" for number in range(1, 32)]
MISSING, FLASH_CRASH, WILD_OPENING = "2010-04-01", "2010-05-06", "2008-09-19"
COLUMNS = ["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"]


@cache
def clean_universe(seed=0, symbols=31, start="2006-01-03", end="2017-12-29"):
    """Give 31 symbols over 12 years: a common factor, GARCH, Student-t shocks, dividends, a few splits.

    The frame is shared by all who ask for it; copy it before changing it.
    """
    rng = np.random.default_rng(seed)
    first, last = (int(np.datetime64(day, "D").astype(int)) for day in (start, end))
    days = sessions("XNYS", first, last).astype("datetime64[D]").astype("datetime64[us]")
    count = len(days)
    market = _garch(rng, count, 0.009)
    parts = []
    for symbol in [f"S{number:02d}" for number in range(1, symbols + 1)]:
        moves = 0.0002 + rng.uniform(0.7, 1.3) * market + _garch(rng, count, rng.uniform(0.008, 0.016))
        close = rng.uniform(20, 150) * np.exp(np.cumsum(moves))
        before = np.r_[close[0], close[:-1]]
        opened = before * np.exp(0.4 * moves + 0.003 * rng.standard_t(4, count))
        ends = 0.4 * np.abs(rng.standard_t(5, (2, count))) * np.std(moves) + 0.0005
        high, low = np.maximum(opened, close) * np.exp(ends[0]), np.minimum(opened, close) * np.exp(-ends[1])
        level = np.empty(count)
        for day, shock in enumerate(rng.normal(0, 0.12, count)):
            level[day] = 0.95 * level[day - 1] + shock if day else 0.0
        busy = 6 * np.minimum(np.abs(moves), 0.1)
        volume = np.exp(rng.uniform(14, 17) + level + busy + rng.normal(0, 0.2, count)).astype(np.int64)
        factor = np.ones(count)
        factor[rng.integers(1, 60) :: 63] *= rng.uniform(1.002, 1.008)
        adjust = np.cumprod(factor)
        bar = {"open": opened, "high": high, "low": low, "close": close}
        if rng.random() < 0.2:  # a split: earlier prices as they were traded, adj_close knows
            split = int(rng.integers(400, count - 400))
            bar = {
                name: np.where(np.arange(count) < split, 2 * values, values) for name, values in bar.items()
            }
            adjust = adjust * np.where(np.arange(count) < split, 0.5, 1.0)
            volume = np.where(np.arange(count) < split, volume // 2, volume)
        bar = {name: np.round(values, 2) for name, values in bar.items()}
        adjusted = np.round(bar["close"] * adjust / adjust[-1], 6)
        parts.append(
            pd.DataFrame({"symbol": symbol, "date": days, **bar, "adj_close": adjusted, "volume": volume})
        )
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def faulty_universe(seed=0):
    """Give the universe with events and faults in it, and the list of both.

    Returns
    -------
    DataFrame
        Prices of `clean_universe` with opens outside of 149 bars by cents, a session that all symbols lack,
        a low of zero, two closes above the high; with an earnings jump, a flash crash, a wild opening of the
        whole market, and one symbol whose volume the vendor rounds.
    DataFrame
        ``symbol, date, what, real`` of each: ``real`` events are no faults.
    """
    rng = np.random.default_rng([seed, 1])
    frame = clean_universe(seed).copy()
    planted = []
    at = pd.Series(np.arange(len(frame)), index=pd.MultiIndex.from_frame(frame[["symbol", "date"]]))
    columns = {name: frame[name].to_numpy(copy=True) for name in COLUMNS[2:]}

    def add(row, what, *, real=False):
        planted.append((frame["symbol"].iloc[row], frame["date"].iloc[row], what, real))

    _earnings_jump(columns, frame, at[("S05", pd.Timestamp("2012-04-27"))])
    add(at[("S05", pd.Timestamp("2012-04-27"))], "earnings jump", real=True)
    for symbol in SYMBOLS:
        row = at[(symbol, pd.Timestamp(FLASH_CRASH))]
        deep = 0.37 if symbol in {"S07", "S19"} else rng.uniform(0.07, 0.12)
        columns["low"][row] = np.round(columns["low"][row] * (1 - deep), 2)
        columns["volume"][row] *= 2
        add(row, "flash crash", real=True)
        row = at[(symbol, pd.Timestamp(WILD_OPENING))]
        higher = np.exp(rng.uniform(0.05, 0.12))
        columns["open"][row] = np.round(columns["close"][row] * higher, 2)
        columns["high"][row] = max(columns["high"][row], columns["open"][row])
        add(row, "wild opening", real=True)

    rows = np.flatnonzero((frame["date"] > "2006-02-01") & (frame["date"] < "2017-11-30"))
    odd = {str(day) for day in (MISSING, FLASH_CRASH, WILD_OPENING, "2012-04-27")}
    rows = rows[~frame["date"].iloc[rows].dt.strftime("%Y-%m-%d").isin(odd).to_numpy()]
    picked = rng.choice(rows, 152, replace=False)
    for row in picked[:149]:
        cents = rng.integers(1, 4) / 100
        up = rng.random() < 0.5
        columns["open"][row] = np.round(
            columns["high"][row] + cents if up else columns["low"][row] - cents, 2
        )
        add(row, "open outside the bar")
    columns["low"][picked[149]] = 0.0
    add(picked[149], "low of zero")
    for row in picked[150:]:
        columns["close"][row] = np.round(1.004 * columns["high"][row], 2)
        columns["adj_close"][row] *= columns["close"][row] / frame["close"].iloc[row]
        add(row, "close above the high")
    rounded = (frame["symbol"] == "S11").to_numpy()
    columns["volume"][rounded] = columns["volume"][rounded] // 100 * 100
    planted.append(("S11", pd.NaT, "volume rounded by the vendor", True))
    gone = frame["date"] == MISSING
    planted += [(symbol, pd.Timestamp(MISSING), "session missing", False) for symbol in SYMBOLS]
    frame = frame.assign(**columns)[~gone].reset_index(drop=True)
    return frame, pd.DataFrame(planted, columns=["symbol", "date", "what", "real"])


def _garch(rng, count, sigma):
    """Give returns with clustered volatility and Student-t(5) shocks."""
    moves, variance = np.empty(count), sigma**2
    for day, shock in enumerate(rng.standard_t(5, count) / np.sqrt(5 / 3)):
        moves[day] = np.sqrt(variance) * shock
        variance = 0.02 * sigma**2 + 0.06 * min(moves[day] ** 2, 25 * variance) + 0.92 * variance
    return moves


def _earnings_jump(columns, frame, row):
    """Raise all later prices of the symbol by 27 %, on five times the usual volume."""
    later = np.arange(row, len(frame))[frame["symbol"].iloc[row:].to_numpy() == frame["symbol"].iloc[row]]
    for name in ("open", "high", "low", "close", "adj_close"):
        digits = 6 if name == "adj_close" else 2
        columns[name][later] = np.round(columns[name][later] * 1.27, digits)
    columns["volume"][row] *= 5
