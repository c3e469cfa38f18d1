"""What a step's result depends on and is known before it runs: code, parameters, inputs, settings, packages.

Two results of the same identity are equal if the user's files that the step read are equal too, see `reads`.
"""

import ast
import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sta410kit._internal.project import project_folder
from sta410kit.config import load_config
from sta410kit.holdout import current_seal
from sta410kit.runner.notebook import Notebook, python_cells, read_notebook
from sta410kit.runner.parameters import TypedValue, plain
from sta410kit.runner.pipeline import Step
from sta410kit.runner.registry import Registry, content_digest, json_digest
from sta410kit.runner.warm.identity import KIT, OUTSIDE_THE_KIT, kit_files, package_folders


def step_parts(
    step: Step,
    values: Mapping[str, Any],
    inputs: Mapping[str, Path],
    registry: Registry,
    notebook: Notebook | None = None,
) -> dict[str, str]:
    """Return what the result of `step` depends on, by name, as short texts."""
    notebook = notebook or read_notebook(step.notebook)
    folder = project_folder(step.notebook.parent)
    parts = code_parts(notebook)
    for name, value in values.items():
        parts[f"parameter {name}"] = json.dumps(plain(value))
        parts |= file_parts({name: value}, partial(_digest_of, registry=registry))
    for name, path in inputs.items():
        parts[f"input {name}"] = _digest_of(path, registry)
    parts["kit"] = registry.once("kit", partial(_kit, registry))
    settings = load_config(os.environ, folder).to_dict()
    for name in ("logging", "night"):  # change no result
        settings.pop(name)
    parts["settings"] = json_digest(settings)
    parts["holdout"] = current_seal(folder).state
    parts["packages"] = registry.once("packages", _packages)
    parts["python"] = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    return parts


def code_parts(notebook: Notebook) -> dict[str, str]:
    """Return what a result depends on of a notebook's own code; comments and blank lines do not count."""
    cells = python_cells(notebook)
    return {"code": hashlib.sha256("".join(map(code_digest, cells)).encode()).hexdigest()}


def named_paths(value: object) -> list[Path]:
    """Return the files and folders that are there of those a parameter names, alone or in a list."""
    return [path for path in value.paths if path.exists()] if isinstance(value, TypedValue) else []


def file_parts(values: Mapping[str, Any], digest: Callable[[Path], str]) -> dict[str, str]:
    """Return what a result depends on of the files and folders that parameters name: their content."""
    parts = {}
    for name, value in values.items():
        found = [digest(path) for path in named_paths(value)]
        if found:
            whole = json_digest(found)
            parts[f"file {name}"] = whole if len(found) > 1 else found[0]
    return parts


def identity_of(parts: Mapping[str, str]) -> str:
    """Return the one short name for all that a result depends on."""
    return json_digest(dict(parts))


def differences(parts: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """Return the names of what has changed, come or gone between two identities."""
    names = dict.fromkeys([*parts, *before])
    return [name for name in names if parts.get(name) != before.get(name)]


def code_digest(source: str) -> str:
    """Return a digest of Python code that comments, blank lines and spacing do not change.

    Where it is not Python, or nested too deeply to be parsed, every character counts.
    """
    try:
        text = ast.dump(ast.parse(source))
    except (SyntaxError, RecursionError):
        text = source
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest_of(path: Path, registry: Registry) -> str:
    return str(registry.remembered(path, content_digest) if path.is_file() else content_digest(path))


def _kit(registry: Registry) -> str:
    """Return a digest of all files of the kit that a notebook can reach: its code, data and suites."""
    outside = tuple(f"{KIT}{os.sep}{name}" for name in OUTSIDE_THE_KIT)
    paths = [Path(path) for path, _, _ in kit_files() if not path.startswith(outside)]
    found = [(str(path.relative_to(KIT)), registry.remembered(path, content_digest)) for path in paths]
    return json_digest(found)


def _packages() -> str:
    """Return a digest of the names and versions of all installed packages but the kit itself."""
    names = sorted(
        entry.name
        for folder in package_folders()
        for entry in os.scandir(folder)
        if entry.name.endswith((".dist-info", ".egg-info")) and not entry.name.startswith("sta410kit-")
    )
    return json_digest(names)
