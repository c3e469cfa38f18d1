"""What must hold: data contracts, parameters, leaks, secrets, trading limits.

Checks return evidence; raising is a layer above.

Great Expectations takes seconds to import, so it is loaded by the first call that needs it, never here.
"""

from sta410kit.guards.acceptance import accept, read_accepted
from sta410kit.guards.gate import validate
from sta410kit.guards.leakage import LeakFinding, LeakReport, probe_leaks
from sta410kit.guards.mutation import Mutant, MutationReport, mutate
from sta410kit.guards.result import Failure, GuardResult
from sta410kit.guards.snapshots import keep_snapshot
from sta410kit.guards.splits import SplitFinding, SplitReport, check_splits
from sta410kit.guards.suites import list_suites
from sta410kit.guards.trading import OrderReport, approve_orders, check_orders, read_sectors

__all__ = [
    "Failure",
    "GuardResult",
    "LeakFinding",
    "LeakReport",
    "Mutant",
    "MutationReport",
    "OrderReport",
    "SplitFinding",
    "SplitReport",
    "accept",
    "approve_orders",
    "check_orders",
    "check_splits",
    "keep_snapshot",
    "list_suites",
    "mutate",
    "probe_leaks",
    "read_accepted",
    "read_sectors",
    "validate",
]
