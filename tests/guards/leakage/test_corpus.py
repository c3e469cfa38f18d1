"""The planted leaks are all found, and no honest twin is accused."""

import pytest

from sta410kit.guards import probe_leaks
from sta410kit.market import load_prices
from tests.guards.leakage.corpus import CASES
from tests.guards.leakage.corpus.synthetic import synthetic_prices

# The kinds of leak that the probe promises to find, and the case that plants each.
PROMISED = {
    "shift(-k)": "shift by a month",
    "centred windows": "centred window",
    "full-sample scaling": "z score",
    "ranking": "rank",
    "PCA": "principal component",
    "imputation": "imputation",
    "back-fill": "back fill",
    "interpolation": "interpolation",
    "resample labels": "weekly label",
    "smoothing": "zero phase filter",
    "cross-sectional statistics over future rows": "cross section over time",
    "target inside features": "target inside a feature",
    "same-close execution": "same-close execution",
}


def misjudged(cases, prices, cutoffs, seed):
    """Return the names of the leaks that were missed and of the twins that were accused."""
    missed, accused = [], []
    for case in cases:
        report = probe_leaks(case.build, prices, cutoffs, seed, **case.arguments)
        if case.leaks and not report.leaks:
            missed.append(case.name)
        elif not case.leaks and not report.passed:
            accused.append(case.name)
    return missed, accused


@pytest.mark.unit
def test_each_promised_kind_is_found_and_its_twin_left_alone(walks):
    """A quick subset: the leak and the honest twin of each kind that the documentation names."""
    cases = [case for case in CASES if case.name in PROMISED.values()]
    assert misjudged(cases, walks, 5, 1) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prices", "cutoffs", "seed"),
    [(lambda: synthetic_prices(seed=1), 6, 1), (lambda: load_prices(start="2009-01-01"), 6, 2)],
    ids=["made-up prices", "embedded prices"],
)
def test_every_leak_is_found_and_no_twin_accused(prices, cutoffs, seed):
    """72 of 72 leaks, 0 of 75 twins: the whole corpus, which takes minutes."""
    assert misjudged(CASES, prices(), cutoffs, seed) == ([], [])


@pytest.mark.unit
def test_the_corpus_holds_what_is_promised():
    """72 leaks, each with an honest twin, 75 twins, and a case for each promised kind."""
    leaks = {case.name for case in CASES if case.leaks}
    twins = {case.name for case in CASES if not case.leaks}
    assert (len(leaks), len(twins)) == (72, 75)
    assert leaks <= twins
    assert set(PROMISED.values()) <= leaks
