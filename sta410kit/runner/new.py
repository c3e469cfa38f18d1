"""Make a project, or a notebook, feature, model, expectation or price source in one, each ready to run."""

from __future__ import annotations

import json
import keyword
import re
import shlex
import shutil
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple

from sta410kit import __version__
from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.project import MARKER
from sta410kit.exceptions import ConfigurationError

_PACKAGE = Path(__file__).resolve().parents[1]
_PROJECT_FILES = {
    "README.md": "README.md", "Makefile": "Makefile", ".gitignore": "gitignore",
    "tests/test_chain.py": "test_chain.py", ".github/workflows/ci.yml": "ci.yml",
}  # fmt: skip
_COPIED = {"notebooks": "notebooks", "expectations": "expectations", ".env.example": "env.example"}
_MINIMAL = ("01_prices", "02_forecast")
_LIKE = "return_5"  # the feature whose expectations a new one gets


class Made(NamedTuple):
    """The files that were made or changed, and what to do next."""

    files: list[Path]
    next_steps: list[str]


def new_project(folder: Path, *, minimal: bool = False) -> Made:
    """Make a project in a folder that is empty or not there yet; a minimal one has two notebooks.

    Raises
    ------
    ConfigurationError
        The folder holds something.
    """
    folder = folder.absolute()
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        message = f"{folder} is not empty; name a new folder"
        raise ConfigurationError(message)
    for name, shipped in _COPIED.items():
        if not (minimal and name == "notebooks"):
            _copy(_shipped(name, shipped), folder / name)
    for path in sorted((folder / "notebooks").glob("*.ipynb")):
        _strip_outputs(path)
    if minimal:
        for name in _MINIMAL:
            path = folder / "notebooks" / f"{name}.ipynb"
            _write_notebook(path, _notebook(_rendered(f"minimal/{name}.py")))
        _write(folder / MARKER, _rendered("minimal/pipeline.toml"))
    for name, template in _PROJECT_FILES.items():
        _write(folder / name, _rendered(template, name=folder.name))
    _write(folder / "requirements.txt", f"{_requirement()}\npytest\n")
    return Made([folder], [f"cd {_shown(folder)}", "sta410 run", "python -m pytest"])


def new_notebook(project: Path, name: str) -> Made:
    """Make a notebook with parameters, prices, a figure and a recorded value, and a test."""
    path = project / "notebooks" / f"{_name(name, 'a notebook')}.ipynb"
    if path.exists():
        message = f"{path} exists; choose another name"
        raise ConfigurationError(message)
    title = name.replace("_", " ").capitalize()
    _write_notebook(path, _notebook(_rendered("notebook.py", name=name, title=title)))
    tests = _add_definition(project / "tests" / "test_my_notebooks.py", name=name)
    where = path.relative_to(project)
    return Made(
        [path, tests],
        [
            f"edit {where}",
            f"python -m pytest {tests.relative_to(project)}",
            f"sta410 run {where}",
            f"sta410 sweep {where} -g window=21,63",
            "to make it a step of the chain, add a [[step]] to notebooks/pipeline.toml",
        ],
    )


def new_feature(project: Path, name: str) -> Made:
    """Add a feature to ``my_features.py``, to the suites of features and training tables, and a test."""
    from sta410kit.research.features import FEATURES

    _name(name, "a feature")
    if name in FEATURES:
        message = f"there is a feature {name!r} in {FEATURES[name].__module__}; choose another name"
        raise ConfigurationError(message)
    module = project / "my_features.py"
    already = module.read_text(encoding="utf-8").count("@feature") if module.exists() else 0
    sessions = str(12 + 5 * already)  # two examples alike would be refused as collinear
    files = _with_test(project, "my_features", name=name, sessions=sessions)
    files += _declare(project, 'modules = ["my_features"]', "my_features")
    for suite in ("features", "training"):
        files.append(_expect_like(project, suite, name))
    return Made(
        files,
        [
            f"edit {name} in my_features.py",
            "python -m pytest tests/test_my_features.py",
            "sta410 run   # every notebook that builds features uses it",
        ],
    )


def new_expectation(project: Path, name: str) -> Made:
    """Add an expectation to ``my_expectations.py`` and, as a warning, to the suite ``prices``, and a test."""
    from sta410kit.guards.expectations import EXPECTATIONS

    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _name(name, "an expectation")).lower()
    kind = "Expect" + "".join(part.capitalize() for part in words.removeprefix("expect_").split("_"))
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
    if name in EXPECTATIONS:
        message = f"there is an expectation {name!r} in {EXPECTATIONS[name].__module__}; choose another name"
        raise ConfigurationError(message)
    files = _with_test(project, "my_expectations", defines=kind, name=name, kind=kind)
    files += _declare(project, 'modules = ["my_expectations"]', "my_expectations")
    path, content = _suite(project, "prices")
    content["expectations"].append({"type": name, "kwargs": {}, "meta": {"severity": "warning"}})
    _write(path, json.dumps(content, indent=2) + "\n")
    return Made(
        [*files, path],
        [
            f"edit {kind} in my_expectations.py",
            "python -m pytest tests/test_my_expectations.py",
            "sta410 validate PRICES.csv   # shows what it finds, as a warning",
            f"to let it stop a run, set the severity of {name} to critical in {path.relative_to(project)}",
        ],
    )


def new_model(project: Path, name: str) -> Made:
    """Add a model class to ``my_models.py``, and a test."""
    _name(name, "a model")
    files = _with_test(project, "my_models", name=name)
    return Made(
        files,
        [
            f"edit {name} in my_models.py",
            "python -m pytest tests/test_my_models.py",
            f"sta410 run -p model=my_models:{name}",
        ],
    )


def new_source(project: Path, name: str) -> Made:
    """Add a price source to ``my_sources.py``, declare it, and add a test."""
    key = _name(name, "a source").lower()
    kind = "".join(part.capitalize() for part in key.split("_"))
    files = _with_test(project, "my_sources", name=kind, key=key)
    files += _declare(project, f'[sources]\n{key} = "my_sources:{kind}"', f"my_sources:{kind}")
    return Made(
        files,
        [
            f"edit {kind} in my_sources.py",
            "python -m pytest tests/test_my_sources.py",
            f"sta410 fetch AAPL --source {key} --from 2020",
            f"sta410 run -p source={key} -p symbols=AAPL",
        ],
    )


def _notebook(text: str) -> dict[str, Any]:
    """Return the notebook of a text: ``# %%`` begins a cell, its tag or ``[markdown]`` follows."""
    cells: list[dict[str, Any]] = []
    for number, part in enumerate(re.split(r"^# %%", text, flags=re.MULTILINE)[1:]):
        head, _, source = part.partition("\n")
        cell: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}, "source": source.strip("\n")}
        if head.strip() == "[markdown]":
            cells.append({"cell_type": "markdown", **cell})
        else:
            cell["metadata"] = {"tags": [head.strip()]} if head.strip() else {}
            cells.append({"cell_type": "code", **cell, "execution_count": None, "outputs": []})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _shown(path: Path) -> str:
    """Return a path as it is typed here."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _name(name: str, what: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        message = f"{name!r} cannot name {what}; use letters, digits and underscores, a letter first"
        raise ConfigurationError(message)
    return name


def _with_test(project: Path, module: str, *, name: str, defines: str = "", **values: str) -> list[Path]:
    """Add a definition to a module of the project and a test to its tests, making what is missing."""
    defines = defines or name
    source, tests = project / f"{module}.py", project / "tests" / f"test_{module}.py"
    before = source.read_text(encoding="utf-8") if source.exists() else ""
    if re.search(rf"^(def|class) {defines}\b", before, re.MULTILINE):
        message = f"{source} defines {defines} already; choose another name"
        raise ConfigurationError(message)
    return [_add_definition(path, name=name, **values) for path in (source, tests)]


def _add_definition(path: Path, **values: str) -> Path:
    """Add what the template of that name defines to a module, making it with its imports if it is missing."""
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    more = _rendered(path.name, first=not there, **values)
    _write(path, f"{there.rstrip()}\n\n\n{more.lstrip()}" if there else more)
    return path


def _declare(project: Path, lines: str, already: str) -> list[Path]:
    """Add a declaration to the project's ``pipeline.toml`` unless it is there; its comments stay."""
    path = project / MARKER
    text = path.read_text(encoding="utf-8")
    if f'"{already}"' in text:
        return []
    key, _, entry = lines.partition("\n")
    if entry and key in text:
        text = text.replace(key, lines, 1)
    elif not entry and (found := re.search(r"^modules\s*=\s*\[", text, re.MULTILINE)):
        text = f'{text[: found.end()]}"{already}", {text[found.end() :]}'
    else:
        # A key of its own comes before the first table, a table after the last.
        text = f"{text.rstrip()}\n\n{lines}\n" if entry else f"{lines}\n\n{text}"
    _write(path, text)
    return [path]


def _expect_like(project: Path, suite: str, name: str) -> Path:
    """Give a feature the expectations that another has in a suite of the project."""
    path, content = _suite(project, suite)
    there: list[dict[str, Any]] = content["expectations"]
    if not any(one["kwargs"].get("column") == name for one in there):
        last = max(at for at, one in enumerate(there) if "column" in one["kwargs"])
        like = [one for one in there if one["kwargs"].get("column") == _LIKE]
        there[last + 1 : last + 1] = json.loads(json.dumps(like).replace(_LIKE, name))
        _write(path, json.dumps(content, indent=2) + "\n")
    return path


def _suite(project: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """Return the file of a suite in the project, copied there if it is the kit's so far, and its content."""
    path = project / "expectations" / f"{name}.json"
    if not path.exists():
        _copy(_shipped("expectations", "expectations") / path.name, path)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return path, content


def _requirement() -> str:
    """Return what installs this version of the kit: a checkout where it came from one."""
    url = json.loads(distribution("sta410kit").read_text("direct_url.json") or "{}")
    if url.get("dir_info", {}).get("editable"):
        return f"-e {url['url'].removeprefix('file://')}"
    return f"sta410kit @ {url['url']}" if url.get("url") else f"sta410kit=={__version__}"


def _shipped(name: str, copy: str) -> Path:
    """Return what the package ships under the name `copy`; in a checkout it lies at the top as `name`."""
    packaged = _PACKAGE / copy
    return packaged if packaged.exists() else _PACKAGE.parent / name


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    else:
        shutil.copyfile(source, target)


def _strip_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    _write_notebook(path, notebook)


def _write_notebook(path: Path, notebook: dict[str, Any]) -> None:
    _write(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


def _rendered(template: str, **values: Any) -> str:  # noqa: ANN401 - any value a template can show
    return str(_environment().get_template(f"new/{template}.jinja").render(**values))


@cache
def _environment() -> Any:  # noqa: ANN401 - a Jinja environment
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("sta410kit.runner")
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)  # noqa: S701 - no HTML
