"""What must hold: data contracts, parameters and leaks. Checks return evidence; raising is a layer above.

Great Expectations takes seconds to import, so it is loaded by the first call that needs it, never here.
"""

from sta410kit.guards.acceptance import accept, read_accepted
from sta410kit.guards.gate import validate
from sta410kit.guards.leakage import LeakFinding, LeakReport, probe_leaks
from sta410kit.guards.result import Failure, GuardResult
from sta410kit.guards.splits import SplitFinding, SplitReport, check_splits
from sta410kit.guards.suites import list_suites

__all__ = [
    "Failure",
    "GuardResult",
    "LeakFinding",
    "LeakReport",
    "SplitFinding",
    "SplitReport",
    "accept",
    "check_splits",
    "list_suites",
    "probe_leaks",
    "read_accepted",
    "validate",
]
