"""Secrets that lie on the disk already: notebooks, runs, logs, tables and any other text.

============  ================================================================
`scan`        walk a folder and report what is found, skipped and unreadable
`contents`    the texts in one file, each with the place it stands in
============  ================================================================
"""

from sta410kit.guards.scanning.report import ScanReport, SecretFinding
from sta410kit.guards.scanning.walk import scan

__all__ = ["ScanReport", "SecretFinding", "scan"]
