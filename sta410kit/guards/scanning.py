"""Scan files for secrets that are on the disk already: notebooks by cell, other text by line."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.redaction import find, holds_secret, redact
from sta410kit._internal.secret_files import file_holds_secret
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.secret_detectors import suspects
from sta410kit.secrets import learn_configured_secrets, mask_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SKIPPED_FOLDERS = {
    ".git": "git's own store; scan a checkout of each commit instead",
    "node_modules": "packages of others",
    **dict.fromkeys((".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"), "a cache"),
    **dict.fromkeys((".tox", ".nox"), "environments"),
}
_COMPRESSED = {".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".whl", ".npz"}
_ALLOWED = re.compile(r"pragma:\s*allowlist[ -]secret")
_NEXT_ALLOWED = re.compile(r"pragma:\s*allowlist[ -]nextline[ -]secret")
_KNOWN = "registered secret"


@dataclass(frozen=True)
class SecretFinding:
    """One secret in one place.

    Attributes
    ----------
    path : str
        The file, relative to what was scanned.
    place : str
        ``line 12``, ``cell In [5], output, line 2`` or ``its bytes``.
    detector : str
        What it is, or looks like.
    masked : str
        Stars, and at most its last four characters.
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


def scan(root: str | Path = ".") -> ScanReport:
    """Scan a file, or everything below a folder whether git ignores it or not.

    The secrets of the configuration are found in text, in the bytes of binary files and in Parquet. What
    looks like a key, or is random enough, is found in text, unless its line says
    ``pragma: allowlist secret``, or the line above ``pragma: allowlist nextline secret``. A known secret is
    never allowed. Links are not followed and compressed files are not read. ``.env`` files are read only if
    git tracks them.

    Raises
    ------
    ConfigurationError
        Nothing is at `root`, or the one file there is not read.
    """
    root = Path(root)
    if not root.exists():
        message = f"there is no file or folder {root}; sta410 scan takes a path, or the current folder"
        raise ConfigurationError(message)
    if root.is_file():
        root = root.resolve()  # a link that was named is meant
    learn_configured_secrets(root)
    report = ScanReport(str(root))
    for path, name in _files(root, report):
        shown = redact(name)
        if holds_secret(name):
            report.findings.append(SecretFinding(shown, "its name", _KNOWN, "***"))
        try:
            reason = _why_skipped(path)
            if reason:
                report.skipped[shown] = reason
            else:
                report.findings += dict.fromkeys(_findings(path, shown))
                report.files += 1
        except OSError as error:
            report.unreadable[shown] = error.strerror or type(error).__name__
    left_out = {**report.unreadable, **report.skipped}
    if not report.files and not report.findings and (not root.is_dir() or "." in left_out):
        message = f"{root} was not scanned: {next(iter(left_out.values()), 'neither a file nor a folder')}"
        raise ConfigurationError(message)
    return report


def _files(root: Path, report: ScanReport) -> Iterator[tuple[Path, str]]:
    if root.is_file():
        yield root, root.name
        return

    def note(error: OSError) -> None:
        report.unreadable[redact(os.path.relpath(error.filename, root))] = error.strerror or "unreadable"

    for folder, inside, files in os.walk(root, onerror=note):
        here = Path(folder)
        for name in sorted(inside):
            reason = _SKIPPED_FOLDERS.get(name)
            if (here / name / "pyvenv.cfg").is_file():
                reason = "a Python environment"
            if (here / name).is_symlink():
                reason = "a link"
            if reason:
                report.skipped[redact((here / name).relative_to(root).as_posix())] = reason
                inside.remove(name)
        inside.sort()
        for name in sorted(files):
            yield here / name, (here / name).relative_to(root).as_posix()


def _why_skipped(path: Path) -> str:
    if path.is_symlink():
        return "a link"
    if not path.is_file():
        return "not a file"
    if path.suffix in _COMPRESSED:
        return "compressed"
    if _belongs_there(path) and not _tracked(path):
        return "where secrets belong; git does not track it"
    return ""


def _belongs_there(path: Path) -> bool:
    env = path.name == ".env" or (path.name.startswith(".env.") and path.name != ".env.example")
    named = {os.environ.get(f"{name}_FILE") for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY")}
    return env or str(path.resolve()) in {str(Path(name).resolve()) for name in named if name}


def _tracked(path: Path) -> bool:
    words = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        return subprocess.run(words, capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False


def _findings(path: Path, name: str) -> Iterator[SecretFinding]:
    with path.open("rb") as file:
        head = file.read(8192)
    known = False
    utf_16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if utf_16 or b"\0" not in head:
        for finding in _in_text(path, name, "utf-16" if utf_16 else "utf-8"):
            known |= finding.detector == _KNOWN
            yield finding
    if not known and file_holds_secret(path):
        yield SecretFinding(name, "its bytes", _KNOWN, "***")


def _in_text(path: Path, name: str, encoding: str) -> Iterator[SecretFinding]:
    if path.suffix == ".ipynb":
        try:
            pieces = list(_notebook_pieces(json.loads(path.read_text(encoding="utf-8"))))
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            pass  # not a notebook: read as any text
        else:
            for place, text in pieces:
                yield from _in_lines(text.splitlines(), name, f"{place}, ")
            return
    with path.open(encoding=encoding, errors="replace") as file:
        yield from _in_lines(file, name, "")


def _in_lines(lines: Iterable[str], name: str, place: str) -> Iterator[SecretFinding]:
    before = ""
    for number, line in enumerate(lines, 1):
        where = f"{place}line {number}"
        for start, end in find(line):
            yield SecretFinding(name, where, _KNOWN, mask_secret(line[start:end]))
        if not _ALLOWED.search(line) and not _NEXT_ALLOWED.search(before):
            for one in suspects(line, name):
                if not holds_secret(one.value):
                    yield SecretFinding(name, where, one.detector, mask_secret(one.value))
        before = line


def _notebook_pieces(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield place and text of each source, output and metadata of a notebook; pictures are left out."""
    for number, cell in enumerate(content["cells"], 1):
        where = f"cell In [{cell['execution_count']}]" if cell.get("execution_count") else f"cell {number}"
        yield f"{where}, source", _text(cell["source"])
        for output in cell.get("outputs", []):
            shown = [output.get("text", ""), *output.get("data", {}).items()]
            for one in shown:
                kind, payload = one if isinstance(one, tuple) else ("", one)
                if not kind.startswith(
                    ("image/p", "image/j", "image/g", "application/pdf", "audio/", "video/")
                ):
                    yield f"{where}, output", _text(payload)
            error = [output.get("evalue", ""), *output.get("traceback", [])]
            yield f"{where}, output", "\n".join(error)
            yield f"{where}, output metadata", _text(output.get("metadata", {}))
        others = {key: value for key, value in cell.items() if key not in {"source", "outputs"}}
        yield f"{where}, metadata", _text(others)
    yield "notebook metadata", _text({key: value for key, value in content.items() if key != "cells"})


def _text(value: Any) -> str:  # noqa: ANN401 - JSON values
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else json.dumps(value, indent=1)
