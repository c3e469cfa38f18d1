"""Magics: ``%run_chain``, ``%%gate``, ``%leaks`` and ``%start_over``."""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.error import TryNext
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from sta410kit._internal.project import find_project, project_folder, require_project
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from sta410kit.guards import GuardResult, LeakReport
    from sta410kit.lab.chain import ChainResult
    from sta410kit.lab.exploration import Exploration
    from sta410kit.runner.parameters import Parameter


def register(shell: Any, exploration: Exploration | None) -> None:  # noqa: ANN401 - an InteractiveShell
    """Add the magics and their completion to a shell."""
    magics = KitMagics(shell)
    magics.exploration = exploration
    shell.register_magics(magics)
    for name, offer in (("%run_chain", _parameters), ("%%gate", _suites), ("%leaks", magics.functions)):
        shell.set_hook("complete_command", _completer(offer), str_key=name)


@magics_class
class KitMagics(Magics):  # type: ignore[misc,unused-ignore]
    """The kit's magics."""

    shell: Any
    exploration: Exploration | None = None

    @no_var_expand
    @line_magic
    def run_chain(self, line: str) -> ChainResult:
        """Run the chain of the project headless: ``%run_chain [-p NAME=VALUE ...] [--fresh]``."""
        from sta410kit.lab.chain import run_chain

        words, given, fresh = shlex.split(line), {}, False
        while words:
            word = words.pop(0)
            name, equals, value = (words.pop(0) if word == "-p" and words else "").partition("=")
            if word == "--fresh":
                fresh = True
            elif equals:
                given[name.strip()] = value
            else:
                message = f"%run_chain takes -p NAME=VALUE and --fresh, got {line!r}"
                raise ConfigurationError(message)
        return run_chain(require_project("; open a notebook in one"), given, fresh=fresh)

    @no_var_expand
    @cell_magic
    def gate(self, line: str, cell: str) -> GuardResult:
        """Judge the frame that a cell ends with: ``%%gate [SUITE]``, by default the suite ``prices``."""
        from sta410kit.guards import data_docs, validate

        suite = line.strip() or "prices"
        frame = self._last_value(cell)
        result = validate(frame, suite)
        folder = self.exploration.folder if self.exploration else project_folder() / "runs" / "alone"
        data_docs.publish(result, folder / "gate" / "data_docs", "gate", frame=frame)
        return result

    @no_var_expand
    @line_magic
    def leaks(self, line: str) -> LeakReport:
        """Find out whether a function of prices looks ahead: ``%leaks [FUNCTION]``.

        Without a function, the registered features.
        """
        from sta410kit import steps
        from sta410kit.guards import probe_leaks
        from sta410kit.research.features import build_features

        name = line.strip()
        build = self.shell.user_ns.get(name) if name else build_features
        if not callable(build):
            message = f"no function {name!r} in this notebook.{did_you_mean(name, self.functions())}"
            raise ConfigurationError(message)
        return probe_leaks(build, steps.prices(None), warmup=True, revisions=True)

    @line_magic
    def start_over(self, line: str) -> None:
        """Forget what notebooks have handed over, so that each runs on its defaults again."""
        del line
        if self.exploration is None:
            message = "notebooks are not connected here: this kernel was not started by JupyterLab"
            raise ConfigurationError(message)
        self.exploration.start_over()

    def functions(self) -> list[str]:
        """Return the names of the functions that the notebook has defined or imported."""
        names = self.shell.user_ns.items()
        return [name for name, value in names if callable(value) and hasattr(value, "__code__")]

    def _last_value(self, cell: str) -> pd.DataFrame:
        """Run a cell in the notebook and return the value of its last expression."""
        shell = self.shell
        tree = ast.parse(shell.transform_cell(cell))
        if not tree.body or not isinstance(tree.body[-1], ast.Expr):
            message = "%%gate judges the frame that the cell ends with; end it with an expression"
            raise ConfigurationError(message)
        last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, "<gate>", "exec"), shell.user_ns)  # noqa: S102 - the user's cell
        value: pd.DataFrame = eval(compile(last, "<gate>", "eval"), shell.user_ns)  # noqa: S307 - as above
        return value


def _completer(offer: Callable[[], list[str]]) -> Callable[[Any, Any], list[str]]:
    def complete(_: Any, event: Any) -> list[str]:  # noqa: ANN401 - IPython's
        try:
            return [word for word in offer() if word.startswith(event.symbol)]
        except Exception as error:
            raise TryNext from error

    return complete


def _suites() -> list[str]:
    from sta410kit.guards.suites import list_suites

    return list_suites()


def _parameters() -> list[str]:
    """Return ``-p``, and NAME= of each parameter of the chain, with each value where there are few."""
    from sta410kit.runner.pipeline import RUN_FOLDER, read_pipeline

    project = find_project()
    steps = read_pipeline(project) if project else []
    handed = {RUN_FOLDER, *(name for step in steps for name in step.produces)}
    found: dict[str, Parameter] = {one.name: one for step in steps for one in step.parameters}
    words = ["-p", "--fresh"]
    for name, parameter in found.items():
        if name not in handed:
            words += [f"{name}={choice}" for choice in parameter.choices] or [f"{name}="]
    return words
