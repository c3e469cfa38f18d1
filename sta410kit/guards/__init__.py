"""Checks of data, leaks, splits and orders. They return evidence; raising is a layer above.

`validate` judges a frame by a suite in ``expectations/``. Great Expectations takes seconds to import; it
is loaded by the first call that needs it.
"""

from sta410kit._internal.sectors import read_sectors
from sta410kit._internal.universe import read_universe, survivorship
from sta410kit.guards.acceptance import accept, keep_snapshot, read_accepted, read_quarantined
from sta410kit.guards.gate import validate
from sta410kit.guards.leakage import LeakFinding, LeakReport, probe_leaks
from sta410kit.guards.mutation import Mutant, MutationReport, mutate
from sta410kit.guards.repairs import apply_repairs
from sta410kit.guards.result import Check, GuardResult
from sta410kit.guards.splits import SplitFinding, SplitReport, check_splits
from sta410kit.guards.suites import list_suites
from sta410kit.guards.trading import OrderReport, approve_orders, check_orders

__all__ = [
    "Check",
    "GuardResult",
    "LeakFinding",
    "LeakReport",
    "Mutant",
    "MutationReport",
    "OrderReport",
    "SplitFinding",
    "SplitReport",
    "accept",
    "apply_repairs",
    "approve_orders",
    "check_orders",
    "check_splits",
    "keep_snapshot",
    "list_suites",
    "mutate",
    "probe_leaks",
    "read_accepted",
    "read_quarantined",
    "read_sectors",
    "read_universe",
    "survivorship",
    "validate",
]
