"""Two sweeps side by side: a unit of one and a unit of the other that had the same of what was swept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sta410kit.runner.sweeps.results import shown
from sta410kit.runner.sweeps.sweep import KIND, read_units

if TYPE_CHECKING:
    from pathlib import Path

    from sta410kit.runner.manifest import Manifest


def are_sweeps(before: Manifest, after: Manifest) -> bool:
    """Tell whether both are manifests of sweeps."""
    return before.kind == after.kind == KIND


def named_by_values(folder: Path, manifest: Manifest, swept: list[str]) -> Manifest:
    """Return the manifest of a sweep with its units named by their values of `swept`: ``n=1, model=ridge``.

    Numbers say where a combination stood in its own sweep and nothing of another. Of a sweep that was killed
    the units are there that had ended.
    """
    names = {unit: _name(values, swept) for unit, values in manifest.parameters.items()}
    ended = manifest.steps or [record for record, _ in read_units(folder).values()]
    steps = [replace(record, name=names[record.name]) for record in ended]
    not_run = [names[unit] for unit in manifest.not_run]
    return replace(manifest, steps=steps, not_run=not_run)


def swept_in(before: Manifest, after: Manifest) -> list[str]:
    """Return the parameters that were swept in one of two sweeps."""
    return list(dict.fromkeys(name for one in (before, after) for name in one.results["sweep"]["grid"]))


def recorded_apart(first: Path, second: Path, before: Manifest, after: Manifest) -> list[str]:
    """Return what units of two sweeps with the same values have recorded differently."""
    swept = swept_in(before, after)
    one, other = (
        {
            _name(manifest.parameters[unit], swept): recorded
            for unit, (_, recorded) in read_units(folder).items()
            if unit in manifest.parameters
        }
        for folder, manifest in ((first, before), (second, after))
    )
    return [
        f"{unit}: {name}: {_said(ours, name)} and {_said(other[unit], name)}"
        for unit, ours in one.items()
        if unit in other
        for name in dict.fromkeys([*ours, *other[unit]])
        if ours.get(name) != other[unit].get(name)
    ]


def _said(recorded: dict[str, Any], name: str) -> str:
    return shown(recorded[name]) if name in recorded else "not recorded"


def _name(values: dict[str, Any], swept: list[str]) -> str:
    had = {name: values[name] for name in swept if name in values}
    return ", ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in had.items()
    )
