"""The leak probe: the value of *t* must not change when prices after *t* do.

===============  ======================================================================
`probe`          run, change the future, run again, compare
`panel`          the prices by symbol and session
`cutoffs`        after which sessions the future is changed
`perturbations`  how it is changed
`runs`, `state`  calls of the function, each as if it were the first, and which past values differ
`outputs`        what the function returns, as columns by symbol and session
`sightings`      differences of many runs, condensed to one finding per column
`report`         findings with evidence
===============  ======================================================================
"""

from sta410kit.guards.leakage.probe import probe_leaks
from sta410kit.guards.leakage.report import LeakFinding, LeakReport

__all__ = ["LeakFinding", "LeakReport", "probe_leaks"]
