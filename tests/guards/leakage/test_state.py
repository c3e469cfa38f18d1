"""What a function remembers is put back between calls."""

import functools

import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from sta410kit.guards import probe_leaks

pytestmark = pytest.mark.unit

KEYS = ["symbol", "date"]
MEANS = {}
MEAN = None


def over(prices, mean):
    return prices[KEYS].assign(x=prices["close"] / mean)


def by_dict(prices):
    if "mean" not in MEANS:
        MEANS["mean"] = prices["close"].mean()
    return over(prices, MEANS["mean"])


def by_global(prices):
    global MEAN  # noqa: PLW0603 - what this is about
    MEAN = MEAN or prices["close"].mean()
    return over(prices, MEAN)


def by_new_global(prices):
    space = globals()
    space.setdefault("NEW", prices["close"].mean())
    return over(prices, NEW)  # noqa: F821 - set a line above


def by_closure():
    mean = None

    def build(prices):
        nonlocal mean
        mean = mean or prices["close"].mean()
        return over(prices, mean)

    return build


def by_default(prices, kept=[]):  # noqa: B006 - what this is about
    kept.append(prices["close"].mean())
    return over(prices, kept[0])


def by_attribute(prices):
    by_attribute.mean = getattr(by_attribute, "mean", None) or prices["close"].mean()
    return over(prices, by_attribute.mean)


class Scale:
    mean = None

    @classmethod
    def of(cls, prices):
        cls.mean = cls.mean or prices["close"].mean()
        cls.fitted = True
        return cls.mean


def by_class(prices):
    return over(prices, Scale.of(prices))


SCALER = StandardScaler()


def by_scaler(prices):
    if not hasattr(SCALER, "mean_"):
        SCALER.fit(prices[["close"]].to_numpy())
    return prices[KEYS].assign(x=SCALER.transform(prices[["close"]].to_numpy())[:, 0])


class ByInstance:
    def __init__(self):
        self.seen = set()

    def __call__(self, prices):
        self.seen.add(float(prices["close"].mean()))
        if not hasattr(self, "mean"):
            self.mean = prices["close"].mean()
        return over(prices, self.mean)

    def method(self, prices, *, unit):
        return self(prices).assign(y=unit)


def by_cache():
    frames = []

    @functools.cache
    def mean():
        return frames[-1]["close"].mean()

    def build(prices):
        frames.append(prices)
        return over(prices, mean())

    return build


@pytest.mark.parametrize(
    "build",
    [
        by_dict,
        by_global,
        by_new_global,
        by_closure(),
        by_default,
        by_attribute,
        by_class,
        by_scaler,
        ByInstance(),
        functools.partial(ByInstance().method, unit=1.0),
        by_cache(),
    ],
    ids=[
        "dict",
        "global",
        "new-global",
        "closure",
        "default",
        "attribute",
        "class",
        "scaler",
        "instance",
        "partial",
        "cache",
    ],
)
def test_a_scaler_fitted_once_and_kept_is_found(walks, build):
    """Wherever it is kept; the second probe finds it as well, since the first puts everything back."""
    for _ in range(2):
        report = probe_leaks(build, walks, 5)
        assert [finding.offset for finding in report.leaks] == ["uses the whole sample"]
        assert any("keeps state between calls" in note for note in report.notes)


def test_what_depends_on_the_call_before_is_not_deterministic(walks):
    """The last prices seen are no future; two calls on the same prices still differ."""
    last = {}

    def build(prices):
        before = last.get("mean", 0.0)
        last["mean"] = prices["close"].mean()
        return prices[KEYS].assign(x=prices["close"] - before)

    assert [finding.is_leak for finding in probe_leaks(build, walks, 5).findings] == [False]
    assert last == {}


def test_a_function_without_state_has_none_to_restore(walks):
    """Neither what it closes over nor the objects of other packages count as state unless they change."""
    table = {"a": [1, 2], "b": {3}}
    report = probe_leaks(lambda p: p[KEYS].assign(x=p["close"] * len(table)), walks, 5)
    assert report.notes == ()
    assert probe_leaks(pd.DataFrame.copy, walks, 5).notes == ()
