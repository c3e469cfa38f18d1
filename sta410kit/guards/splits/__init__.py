"""The split check: training rows must not know what the test asks.

========  =============================================================
`check`   the story: read the folds, look at each
`report`  the evidence: findings, HTML
`folds`   splitters, indices, masks and dates, as rows of train and test
`windows` which target windows reach where
========  =============================================================
"""

from sta410kit.guards.splits.check import check_splits
from sta410kit.guards.splits.report import SplitFinding, SplitReport

__all__ = ["SplitFinding", "SplitReport", "check_splits"]
