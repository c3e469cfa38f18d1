"""What a scan for secrets found, without the secrets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class SecretFinding:
    """One secret in one place.

    Attributes
    ----------
    path : str
        The file, relative to what was scanned.
    place : str
        ``line 12``, ``cell In [5], output, line 2`` or ``column note, row 7``.
    detector : str
        What it is, or looks like.
    masked : str
        Stars, but for its last characters at the most.
    """

    path: str
    place: str
    detector: str
    masked: str

    def __str__(self) -> str:
        return f"{self.path}: {self.place}: {self.detector}: {self.masked}"


@dataclass
class ScanReport:
    """What was found, how much was read, and what was not.

    Attributes
    ----------
    root : str
        What was scanned.
    findings : list of SecretFinding
        Every secret found.
    files : int
        How many files were read.
    skipped, unreadable : dict of str to str
        Files and folders that were left out on purpose, or could not be read, and why.
    """

    root: str
    findings: list[SecretFinding] = field(default_factory=list)
    files: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {"passed": self.passed, **asdict(self)}
