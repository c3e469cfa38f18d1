"""Results of earlier runs, used again: checked against their digests, and linked instead of copied."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.manifest import StepRecord, read_manifest
from sta410kit.runner.registry import content_digest
from sta410kit.runner.runs import DATA_DOCS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sta410kit.runner.registry import Registry


def find_result(identity: str, step: str, runs: Path, registry: Registry) -> tuple[Path, StepRecord] | None:
    """Return the newest run folder that holds a whole result of this identity, and its record.

    A result whose files are gone, or are no longer what the manifest says, does not count.
    """
    for name in registry.runs_with(identity):
        folder = runs / name
        try:
            record = read_manifest(folder).step(step)
        except ConfigurationError:
            continue
        if record is not None and record.identity == identity and is_whole(record, folder, registry):
            return folder, record
    return None


def is_whole(record: StepRecord, folder: Path, registry: Registry) -> bool:
    """Tell whether a step has passed and all it left in its run folder is there, unaltered."""
    return (
        record.outcome == ExitCode.PASSED.name
        and (folder / record.notebook).is_file()
        and all(_unchanged(folder / file, digest, registry) for file, digest in record.artifacts.items())
    )


def take_over(record: StepRecord, source: Path, folder: Path) -> None:
    """Bring a step's files from the run folder `source` into `folder`: artifacts, notebook, data docs."""
    for name in [*record.artifacts, record.notebook]:
        _link(source / name, folder / name)
    pages = [*source.glob(f"{DATA_DOCS}/validations/*/{record.name}/*/*")]
    pages += [*source.glob(f"{DATA_DOCS}/expectations/*")]
    for page in pages:
        _link(page, folder / page.relative_to(source))


def spoilt(records: Iterable[StepRecord], folder: Path, registry: Registry) -> list[str]:
    """Return the artifacts in a run folder that are not as the steps of these records left them."""
    return [
        f"{file} of step {record.name}"
        for record in records
        for file, digest in record.artifacts.items()
        if not _unchanged(folder / file, digest, registry)
    ]


def own(path: Path) -> None:
    """Part a file from the run it was taken over from: a notebook may write into what it is handed."""
    if path.stat().st_nlink > 1:
        with replacing(path) as aside:
            shutil.copy2(path, aside)


def _unchanged(path: Path, digest: str, registry: Registry) -> bool:
    try:
        return path.is_file() and registry.remembered(path, content_digest) == digest
    except OSError:  # removed at this moment, or unreadable
        return False


def _link(source: Path, target: Path) -> None:
    """Give a file a second name: the kit changes none in place; for what notebooks are handed see `own`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    aside.unlink(missing_ok=True)  # left by a run that was killed here
    try:
        os.link(source, aside)
        aside.replace(target)
        aside.unlink(missing_ok=True)  # a rename between two names of one file does nothing
    except OSError:  # another file system, or one without links
        shutil.copy2(source, aside)
        aside.replace(target)
