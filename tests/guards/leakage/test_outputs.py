"""In every layout of an output, a value is identified by its symbol and date."""

import numpy as np
import pandas as pd
import pytest

from sta410kit.guards import probe_leaks

pytestmark = pytest.mark.unit

KEYS = ["symbol", "date"]


def wide(prices, values="close"):
    return prices.set_index(["date", "symbol"])[values].unstack()  # noqa: PD010 - a wide frame, nothing to average


LAYOUTS = {
    "series on the index": lambda p, k: p.groupby("symbol")["close"].shift(k),
    "rows left out": lambda p, k: p.groupby("symbol")["close"].shift(k).dropna(),
    "array": lambda p, k: p.groupby("symbol")["close"].shift(k).to_numpy(),
    "array of two columns": lambda p, k: p.groupby("symbol")[["open", "close"]].shift(k).to_numpy(),
    "list": lambda p, k: list(p.groupby("symbol")["close"].shift(k)),
    "wide": lambda p, k: wide(p).shift(k),
    "wide, two names": lambda p, k: wide(p, ["close", "volume"]).shift(k),
    "two levels": lambda p, k: p.set_index(KEYS).groupby(level=0)[["close"]].shift(k),
    "dates as index, a row a price row": lambda p, k: p.set_index("date").groupby("symbol")["close"].shift(k),
    "the market": lambda p, k: p.groupby("date")["close"].mean().shift(k),
    "one array a session": lambda p, k: wide(p).mean(axis=1).shift(k).to_numpy(),
    "long": lambda p, k: p[KEYS].assign(a=p.groupby("symbol")["close"].shift(k), b=p["close"]).melt(KEYS),
    "sorted by date": lambda p, k: (
        p[KEYS].assign(x=p.groupby("symbol")["close"].shift(k)).sort_values(["date", "symbol"])
    ),
    "a mapping": lambda p, k: {"a": p["close"], "b": p.groupby("symbol")["close"].shift(k)},
    "a pair": lambda p, k: (p[["close"]], p.groupby("symbol")["close"].shift(k)),
    "nullable whole numbers": lambda p, k: p[KEYS].assign(
        x=p.groupby("symbol")["volume"].shift(k).astype("Int64")
    ),
    "dates": lambda p, k: p[KEYS].assign(x=p.groupby("symbol")["date"].shift(k)),
    "labels": lambda p, k: p[KEYS].assign(
        x=pd.cut(p.groupby("symbol")["close"].shift(k), [0, 40, 60, 1000], labels=["low", "mid", "high"])
    ),
    "numbers as objects": lambda p, k: p[KEYS].assign(x=p.groupby("symbol")["close"].shift(k).astype(object)),
    "two columns of one name": lambda p, k: pd.concat(
        [p[[*KEYS, "close"]], p.groupby("symbol")["close"].shift(k)], axis=1
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_yesterday_passes_and_tomorrow_does_not(walks, layout):
    """In every layout."""
    build = LAYOUTS[layout]
    assert probe_leaks(lambda p: build(p, 1), walks, 6).findings == ()
    assert not probe_leaks(lambda p: build(p, -1), walks, 6).passed


@pytest.mark.parametrize(
    "prices",
    [
        lambda w: w.set_index(KEYS),
        lambda w: w.sample(frac=1, random_state=0),
        lambda w: w.rename(columns={"symbol": "Ticker", "date": "Date"}),
        lambda w: w.assign(date=w["date"].dt.tz_localize("America/New_York")),
        lambda w: w.assign(date=w["date"].dt.strftime("%Y-%m-%d")),
    ],
    ids=["two levels", "shuffled", "other names", "time zone", "dates as texts"],
)
def test_prices_come_in_other_layouts(walks, prices):
    """They are handed over in the layout they came in."""
    given = prices(walks)

    def build(p, k):
        keyed = p.reset_index().rename(columns={"Ticker": "symbol", "Date": "date"})
        keyed = keyed.sort_values(KEYS)
        return keyed[KEYS].assign(x=keyed.groupby("symbol")["close"].shift(k))

    assert probe_leaks(lambda p: build(p, 1), given, 6).passed
    assert not probe_leaks(lambda p: build(p, -1), given, 6).passed


@pytest.mark.parametrize("levels", [["symbol", "date", "regime"], ["regime", "date", "symbol"]])
def test_a_named_level_of_the_index_is_judged(walks, levels):
    """At any position; row numbers that pandas leaves in the index are not."""

    def build(p, k):
        close = p.groupby("symbol")["close"]
        regime = np.where(close.shift(k) > p["close"], "up", "down")
        return p[KEYS].assign(x=close.pct_change(), regime=regime).set_index(levels)

    def numbered(p):
        late = p.sort_values(["date", "symbol"], ignore_index=True)
        return late.set_index(["symbol", "date"], append=True)[["close"]]

    assert [one.column for one in probe_leaks(lambda p: build(p, -1), walks, 6).findings] == ["regime"]
    assert probe_leaks(lambda p: build(p, 1), walks, 6).passed
    assert probe_leaks(numbered, walks, 6).passed


def test_a_wide_frame_of_prices_is_probed(walks):
    """Dates as the index, a column a symbol, no other keys."""
    closes = wide(walks)
    assert probe_leaks(lambda w: w.pct_change(), closes, 6).passed
    assert not probe_leaks(lambda w: w.rank(), closes, 6).passed


def test_columns_that_come_with_the_future(walks):
    """A column of zeros that only a later month brings tells nothing; one chosen by the future does."""

    def months(prices):
        return pd.concat([prices[KEYS], pd.get_dummies(prices["date"].dt.month, prefix="m")], axis=1)

    def best(prices):
        columns = {"up": prices["close"], "down": -prices["close"]}
        name = "up" if prices["close"].iloc[-1] > prices["close"].iloc[0] else "down"
        return prices[KEYS].assign(**{name: columns[name]})

    assert probe_leaks(months, walks, 6).passed
    assert not probe_leaks(best, walks).passed


def test_extra_columns_of_the_prices_change_too(walks):
    """A sector, a flag, a signed number: tomorrow's show."""
    rng = np.random.default_rng(0)
    given = walks.assign(
        mood=rng.choice(["good", "bad"], len(walks)),
        flag=rng.random(len(walks)) > 0.5,
        score=rng.normal(size=len(walks)),
    )
    for name in ("mood", "flag", "score"):
        report = probe_leaks(lambda p, n=name: p.groupby("symbol")[n].shift(-1), given, 6)
        assert report.findings[0].offset == "uses t+1"
        assert probe_leaks(lambda p, n=name: p.groupby("symbol")[n].shift(1), given, 6).passed
