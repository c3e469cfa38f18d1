"""From a folder to a report: which files are read, and what is looked for in them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit._internal.redaction import find, holds_secret, redact
from sta410kit._internal.secret_encodings import PARTS
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.scanning.contents import Piece, pieces
from sta410kit.guards.scanning.report import ScanReport, SecretFinding
from sta410kit.guards.secret_detectors import suspects
from sta410kit.secrets import learn_configured_secrets, mask_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

_SKIPPED_FOLDERS = {
    ".git": "git's own store; scan a checkout of each commit instead",
    ".hg": "Mercurial's own store",
    "node_modules": "packages of others",
    ".mypy_cache": "a cache",
    ".ruff_cache": "a cache",
    ".pytest_cache": "a cache",
    ".hypothesis": "a cache",
    ".tox": "environments",
    ".nox": "environments",
}
_PACKED = {".zst", ".7z", ".rar", ".tgz"}
_LARGEST_BINARY = 64 * 1024**2
_ALLOWED = re.compile(r"pragma:\s*allowlist[ -]secret")
_NEXT_ALLOWED = re.compile(r"pragma:\s*allowlist[ -]nextline[ -]secret")


def scan(root: str | Path = ".") -> ScanReport:
    """Look for secrets in a file or in everything below a folder, whether git ignores it or not.

    Known values (those of the configuration) are found in every notation; what looks like a key or is
    random enough is found too, unless its line says ``pragma: allowlist secret``, or the line above
    ``pragma: allowlist nextline secret``. A known value is never allowed. Links are not followed.
    ``.env`` files and files of secrets, where secrets belong, are read only if git tracks them.

    Raises
    ------
    ConfigurationError
        There is nothing at `root`.
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
        report.findings += _known(Piece("its name", name, 0), shown)
        try:
            reason = _why_skipped(path)
            if reason:
                report.skipped[shown] = reason
                continue
            report.findings += _whole(list(dict.fromkeys(_findings(path, shown))))
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
    if path.suffix in _PACKED or path.name.endswith(".tar.gz"):
        return "packed"
    if _holds_secrets_on_purpose(path) and not _tracked(path):
        return "where secrets belong; git does not track it"
    size = path.stat().st_size
    if size > _LARGEST_BINARY and path.suffix not in {".parquet", ".pq"} and _binary(path):
        return f"binary, {size / 1024**2:,.0f} MiB"
    return ""


def _holds_secrets_on_purpose(path: Path) -> bool:
    env = path.name == ".env" or (path.name.startswith(".env.") and path.name != ".env.example")
    named = {os.environ.get(f"{name}_FILE") for name in ("ALPACA_API_KEY", "ALPACA_SECRET_KEY")}
    return env or str(path.resolve()) in {str(Path(name).resolve()) for name in named if name}


def _tracked(path: Path) -> bool:
    words = ["git", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        return subprocess.run(words, capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False


def _binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(8192)


def _findings(path: Path, name: str) -> Iterator[SecretFinding]:
    for piece in pieces(path):
        yield from _known(piece, name)
        if piece.readable:
            yield from _suspected(piece, name)


def _whole(found: list[SecretFinding]) -> list[SecretFinding]:
    """Leave out the part of a value at the end of a block that stands as a whole in the next."""
    whole = {one.place for one in found if not one.detector.endswith(PARTS)}
    return [one for one in found if not (one.detector.endswith(PARTS) and one.place in whole)]


def _known(piece: Piece, name: str) -> Iterator[SecretFinding]:
    for start, end, spelling in find(piece.text):
        if end > piece.seen:
            # Only stars: the end of an encoded value would not tell two keys apart, but give some of it away.
            masked = mask_secret(piece.text[start:end]) if spelling == "plain" else "***"
            yield SecretFinding(name, _place(piece, start), f"registered secret, {spelling}", masked)


def _suspected(piece: Piece, name: str) -> Iterator[SecretFinding]:
    at, before = 0, ""
    for line in piece.text.splitlines(keepends=True):
        allowed = _ALLOWED.search(line) or _NEXT_ALLOWED.search(before)
        if at + len(line) > piece.seen and not allowed:
            for one in suspects(line):
                if not holds_secret(one.value):
                    yield SecretFinding(name, _place(piece, at), one.detector, mask_secret(one.value))
        at, before = at + len(line), line


def _place(piece: Piece, offset: int) -> str:
    line = f"line {piece.line + piece.text[:offset].count(chr(10))}" if piece.line else ""
    return ", ".join(filter(None, (piece.place, line))) or "its bytes"
