"""The leak probe: what is computed for *t* must not change when what comes after *t* does.

============  ==========================================================================
`probe`       the story: run, change the future, run again, compare
`arguments`   what is asked of the probe
`report`      the evidence: findings, notes, HTML
`panel`       the prices, by symbol and session
`futures`     the ways in which the future is changed
`cutoffs`     after which sessions it is changed
`outputs`     whatever a function returns, as columns by symbol and session
`compare`     which of the past values differ
`gather`      differences of many runs, as one finding a column
`state`       what a function remembers from one call to the next
`sensitivity` the questions beside the verdict: warm-up, and revisions of `adj_close`
`corpus`      planted leaks and their honest twins
============  ==========================================================================
"""

from sta410kit.guards.leakage.probe import probe_leaks
from sta410kit.guards.leakage.report import LeakFinding, LeakReport, Sensitivity

__all__ = ["LeakFinding", "LeakReport", "Sensitivity", "probe_leaks"]
