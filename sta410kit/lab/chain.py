"""The chain, run headless from a notebook, and how it ended."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from time import monotonic
from typing import TYPE_CHECKING, Any

from sta410kit.lab.display import address, show, show_progress
from sta410kit.runner.chain import Run, run_plan
from sta410kit.runner.plan import Options, plan_chain
from sta410kit.runner.progress import Progress
from sta410kit.runner.runs import DATA_DOCS, REPORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sta410kit.runner.pipeline import Step


def run_chain(project: Path, given: dict[str, str], *, fresh: bool = False) -> ChainResult:
    """Run the chain as ``sta410 run`` does, with its progress in the notebook."""
    return ChainResult(run_plan(plan_chain(project, given, Options(fresh=fresh)), _NotebookProgress()))


class _NotebookProgress(Progress):
    """Progress as one line of a notebook; methods may be called from any thread."""

    @contextmanager
    def of(self, steps: Sequence[Step]) -> Iterator[None]:
        """Show the line while `steps` run."""
        self._began, self._done, self._of = monotonic(), 0, len(steps)
        self._line = show("starting", "starting")
        yield
        self._show(f"{self._of} steps")

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Show that a step runs."""
        self._running.append(name)
        self._show(f"running {', '.join(self._running)}")
        try:
            yield
        finally:
            self._running.remove(name)
            self._done += 1

    def skip(self, name: str) -> None:
        """Count a step that is unchanged."""
        del name
        self._done += 1

    def _show(self, words: str) -> None:
        text = f"{words}, {monotonic() - self._began:.0f} s"
        show_progress(self._done, self._of, text, update=self._line)


class ChainResult:
    """A finished run, as a notebook shows it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.folder, self.outcome, self.results = run.folder, run.outcome, run.manifest.results

    def _lines(self) -> list[str]:
        verdict: dict[str, Any] = self.results.get("verdict", {})
        failed = [f"{step.name}: {step.message}" for step in self.run.steps if not step.passed]
        return failed or [verdict.get("sentence", ""), *self.run.manifest.warnings]

    def __repr__(self) -> str:
        return "\n".join(filter(None, [f"run {self.folder.name}: {self.outcome.name}", *self._lines()]))

    def _repr_html_(self) -> str:
        passed = self.run.manifest.passed
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(step.name)}</td>"
            f"<td style='text-align:left'>{'unchanged' if step.reused else escape(step.outcome.lower())}</td>"
            f"<td>{'' if step.reused else f'{step.seconds:.1f} s'}</td></tr>"
            for step in self.run.steps
        )
        pages = {"report": self.folder / REPORT, "data docs": self.folder / DATA_DOCS / "index.html"}
        links = " &middot; ".join(
            f'<a href="{escape(address(page))}" target="_blank" rel="noopener">{name}</a>'
            for name, page in pages.items()
            if page.is_file()
        )
        lines = "".join(f"<div>{escape(line)}</div>" for line in self._lines() if line)
        return (
            f'<div style="border-left:6px solid {"#00734d" if passed else "#b3261e"};padding:4px 12px">'
            f"<b>run {escape(self.folder.name)}</b>: <b>{escape(self.outcome.name.lower())}</b>"
            f"{lines}<table>{rows}</table>{links}</div>"
        )
