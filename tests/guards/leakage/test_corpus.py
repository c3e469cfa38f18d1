"""The planted leaks are all found, and no honest twin is accused."""

import re

import pytest

from sta410kit.guards.leakage.corpus.measure import CASES, Measured, measure
from sta410kit.guards.leakage.corpus.synthetic import synthetic_prices
from sta410kit.market import load_prices

pytestmark = pytest.mark.slow

# The kinds of leak that the probe promises to find, and the case that plants each.
NAMED = {
    "shift(-k)": "shift by a month",
    "centred windows": "centred window",
    "full-sample scaling": "z-score",
    "ranking": "rank",
    "PCA": "principal component",
    "imputation": "imputation",
    "back-fill": "back-fill",
    "interpolation": "interpolation",
    "resample labels": "weekly label",
    "smoothing": "zero-phase filter",
    "cross-sectional statistics over future rows": "cross-section over time",
    "target inside features": "target inside a feature",
    "same-close execution": "same-close execution",
}


@pytest.mark.parametrize(
    ("where", "prices", "cutoffs", "seed"),
    [
        ("made-up prices", lambda: synthetic_prices(seed=1), 6, 1),
        ("embedded prices from 2009 on", lambda: load_prices(start="2009-01-01"), 6, 2),
    ],
)
def test_every_leak_is_found_and_no_twin_accused(where, prices, cutoffs, seed, tell):
    """Recall 100 %, no false alarm; both are printed at the end of the run."""
    measured = measure(prices(), cutoffs, seed)
    tell(f"{measured.summary()} ({where}, {cutoffs} cutoffs, seed {seed})")
    assert measured.missed == ()
    assert measured.accused == ()
    assert measured.leaks >= 30
    assert measured.twins >= 30


def test_the_corpus_holds_what_is_promised():
    """Each kind of leak has a case, each leak an honest twin, each case a sentence of its own."""
    leaks = {case.name for case in CASES if case.leaks}
    twins = {case.name for case in CASES if not case.leaks}
    assert set(NAMED.values()) <= leaks
    assert leaks <= twins
    assert len({case.sentence for case in CASES}) == len(CASES)
    assert all(re.fullmatch(r"[A-Z]?.*\.", case.sentence) for case in CASES)


def test_a_probe_that_saw_nothing_would_be_noticed():
    """The measure counts what is missed and who is accused wrongly."""
    swapped = [type(case)(case.name, not case.leaks, case.sentence, case.build) for case in CASES[:4]]
    measured = measure(synthetic_prices(sessions=60), 5, 0, swapped)
    assert measured == Measured(
        2, 2, ("shift by one", "shift by a month"), ("shift by one", "shift by a month")
    )
    assert not measured.perfect
    assert (measured.recall, measured.false_alarms) == (0.0, 1.0)
    assert measured.summary() == "leak corpus: recall 0.0% of 2 leaks, false alarms 100.0% of 2 twins"
    assert (measured + measured).leaks == 4
