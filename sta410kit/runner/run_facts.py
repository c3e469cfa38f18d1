"""What metrics need of each run in a store, read once per change of its manifest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.data_docs import gates_of
from sta410kit.runner.listing import look_at
from sta410kit.runner.manifest import RUNNING, read_manifest
from sta410kit.runner.registry import Registry
from sta410kit.runner.runs import DATA_DOCS, MANIFEST

_Stamp = tuple[int, int, int, int]


class RunFacts(NamedTuple):
    """One run: its folder's name, and what its manifest says, see `_facts`."""

    run: str
    facts: dict[str, Any]


class FactsOfRuns:
    """The facts of all runs in a folder; thousands are looked through in some milliseconds.

    A manifest that has not changed is not read again: neither by this process, which keeps the facts, nor by
    another one, for they are in the index of the store.
    """

    def __init__(self, runs: Path, index: Registry) -> None:
        self.runs, self._index = runs, index
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[_Stamp, dict[str, Any]]] = {}

    def read(self) -> list[RunFacts]:
        """Return the facts of each run that has a manifest, the newest first."""
        found = []
        with self._index.together():
            for name in sorted(self._names(), reverse=True):
                facts = self._remembered(name, _facts)
                if facts is not None:
                    if facts["outcome"] == RUNNING:  # or killed
                        facts = {**facts, "outcome": look_at(self.runs / name).outcome}
                    found.append(RunFacts(name, facts))
        known = {one.run for one in found}
        with self._lock:
            for key in [key for key in self._known if key[0] not in known]:
                del self._known[key]
        return found

    def details(self, run: str) -> dict[str, Any]:
        """Return what only the newest runs are asked for, see `_details`; nothing where it is gone."""
        return self._remembered(run, _details) or {}

    def _names(self) -> list[str]:
        # `os.scandir` and not `pathlib`, which takes some ten times as long.
        try:
            with os.scandir(self.runs) as entries:
                return [
                    one.name
                    for one in entries
                    if one.name[:1].isdigit() and one.is_dir(follow_symlinks=False)
                ]
        except OSError:
            return []

    def _remembered(self, run: str, compute: Callable[[Path], dict[str, Any]]) -> dict[str, Any] | None:
        path = f"{self.runs}/{run}/{MANIFEST}"
        try:
            found = os.stat(path)  # noqa: PTH116 - as above
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            key = (run, compute.__name__)
            held = self._known.get(key)
            if held is None or held[0] != stamp:
                held = stamp, self._index.remembered(Path(path), compute)
                with self._lock:
                    self._known[key] = held
        except OSError:  # it is being made, or was removed
            return None
        return held[1]


def _facts(path: Path) -> dict[str, Any]:
    """Return kind, outcome and source of a run, whether stored prices stood in, what its gates found."""
    try:
        manifest, found = read_manifest(path.parent), gates_of(path.parent / DATA_DOCS)
    except ConfigurationError:
        return {"kind": "unknown", "outcome": look_at(path.parent).outcome}
    sources = [str(step.parameters["source"]) for step in manifest.steps if "source" in step.parameters]
    gates = [
        (gate["suite"], one["expectation"], one["severity"]) for gate in found for one in gate["failures"]
    ]
    origin = manifest.results.get("origin", {})
    return {
        "kind": manifest.kind,
        "outcome": manifest.outcome,
        "source": sources[0] if sources else "",
        "degraded": bool(origin.get("source_failure")),
        "gates": sorted(set(gates)),
        "forecasts": bool(manifest.results.get("forecasts")),
        "scored": bool(manifest.results.get("scorecard")),
    }


def _details(path: Path) -> dict[str, Any]:
    """Return times, steps, data and scores of a run."""
    manifest = read_manifest(path.parent)
    results = manifest.results
    return {
        "started": manifest.started,
        "seconds": manifest.seconds,
        "steps": [(step.name, step.seconds, step.peak_memory) for step in manifest.steps],
        "last_session": results.get("data", {}).get("last", ""),
        "behind": results.get("origin", {}).get("sessions_behind", 0),
        "source": results.get("origin", {}).get("source", ""),
        "scorecard": results.get("scorecard", []),
        "drift": results.get("drift", []),
    }
