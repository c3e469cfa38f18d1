"""Whether a notebook that raised nothing has also done everything it should have.

A notebook can end early without an error (``sys.exit(0)`` in a cell), close its figures before they are
shown, go on after a gate has refused its data, or leave an empty file. None of these is a success.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sta410kit._internal.redaction import redact
from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import summaries
from sta410kit.runner.figures import unshown_figures
from sta410kit.runner.notebook import SKIP, cell_name, tags_of

FIGURE, NO_FIGURE = "figure", "no-figure"  # tags: this cell must show a picture; this one need not
_CODE_SHOWN = 60  # characters of a cell's code in a message
_MOST_WARNINGS = 5  # of one notebook; its cells have them all
_RICH = {"application/vnd.plotly.v1+json", "application/vnd.bokehjs_exec.v0+json", "application/pdf"}
_VEGA = "application/vnd.vega"
_IN_HTML = re.compile(r"<(img|svg|canvas)\b|plotly|bokeh|vega", re.IGNORECASE)
# A line of the kit's console, one of Python's own warnings, and the end of a thread, which fails no cell.
_WARNED = re.compile(
    r"^\d{4}-\d\d-\d\d [\d:.]+ \| (?:WARNING|ERROR|CRITICAL) *\| \d+ \| \S+ - "
    r"(?P<logged>.*?)(?: \(\S+:\d+\))?$"
    r"|^\S.*:\d+: \w*Warning: (?P<shown>.*)$"
    r"|^(?P<lost>Exception in thread .*):\n(?:Traceback .*\n)(?:[ ].*\n)+(?P<error>\w.*)$",
    re.MULTILINE,
)


def judge(notebook: Mapping[str, Any], artifacts: Iterable[Path]) -> tuple[str, int | None]:
    """Return what is missing from an executed notebook, and the position of the cell it is about."""
    cells = notebook["cells"]
    left_out = [position for position, cell in enumerate(cells) if _should_run(cell) and not _ran(cell)]
    if left_out:
        ended = max((position for position in range(left_out[0]) if _ran(cells[position])), default=None)
        by = "" if ended is None else f"; {_described(cells, ended)} ended the notebook without an error"
        names = ", ".join(cell_name(cells, position) for position in left_out)
        return f"cells that were never executed: {names}{by}", left_out[0]
    blank = _without_figure(notebook)
    if blank:
        names = ", ".join(_described(cells, position) for position in blank)
        message = (
            f"cells whose figure is not shown: {names}. Leave the figure open until the cell ends, or tag "
            f"the cell '{NO_FIGURE}'"
        )
        return message, blank[0]
    return _lacking(artifacts), None


def _should_run(cell: Mapping[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code" and cell["source"].strip() and SKIP not in tags_of(cell))


def _ran(cell: Mapping[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code" and cell.get("execution_count") is not None)


def _described(cells: list[Mapping[str, Any]], position: int) -> str:
    """Name a cell by its number and the beginning of its code."""
    line = next(iter(cells[position]["source"].strip().splitlines()), "")
    return f"{cell_name(cells, position)} ({line[:_CODE_SHOWN]}{'...' if len(line) > _CODE_SHOWN else ''})"


def _without_figure(notebook: Mapping[str, Any]) -> list[int]:
    """Return the positions of cells that drew a figure and did not show it, or are tagged ``figure``."""
    unshown, found = set(unshown_figures(notebook)), []
    for position, cell in enumerate(notebook["cells"]):
        tags = tags_of(cell)
        expected = FIGURE in tags and _ran(cell) and not shows_picture(cell)
        if NO_FIGURE not in tags and (expected or position in unshown):
            found.append(position)
    return found


def shows_picture(cell: Mapping[str, Any]) -> bool:
    """Tell whether the outputs of a cell hold a picture of any kind that a notebook can show."""
    return any(
        kind.startswith(("image/", _VEGA))
        or kind in _RICH
        or (kind == "text/html" and _IN_HTML.search("".join(content)) is not None)
        for output in cell.get("outputs", [])
        for kind, content in output.get("data", {}).items()
    )


def _lacking(artifacts: Iterable[Path]) -> str:
    wanted = list(artifacts)
    absent = [path.name for path in wanted if not path.is_file()]
    if absent:
        return f"it ran but did not write {', '.join(absent)}"
    empty = [path.name for path in wanted if not path.stat().st_size]
    return f"it ran but left {', '.join(empty)} empty" if empty else ""


def remarks(notebook: Mapping[str, Any]) -> list[str]:
    """Return what did not fail an executed notebook and still has to be known."""
    cells = notebook["cells"]
    found = [
        f"{cell_name(cells, position)} is tagged '{SKIP}' and was not executed"
        for position, cell in enumerate(cells)
        if cell["cell_type"] == "code" and SKIP in tags_of(cell)
    ]
    found += [
        f"{cell_name(cells, position)} ended with SystemExit before its end"
        for position, cell in enumerate(cells)
        if _left_early(cell)
    ]
    if not any(map(_ran, cells)):
        found.append("it has no code that was executed")
    return found + _warned(cells)


def _left_early(cell: Mapping[str, Any]) -> bool:
    return any(output.get("ename") == "SystemExit" for output in cell.get("outputs", []))


def _warned(cells: list[Mapping[str, Any]]) -> list[str]:
    """Return the warnings that the cells wrote to standard error, each text once."""
    said: dict[str, str] = {}
    for position, cell in enumerate(cells):
        if _left_early(cell):
            continue  # IPython's advice on how to leave is no warning of the cell's
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                for match in _WARNED.finditer("".join(output["text"])):
                    text = match["logged"] or match["shown"] or f"{match['lost']}: {match['error']}"
                    said.setdefault(redact(text), cell_name(cells, position))
    found = [f"{name} warned: {text}" for text, name in list(said.items())[:_MOST_WARNINGS]]
    more = len(said) - _MOST_WARNINGS
    return [*found, f"and {pluralize(more, 'warning')} more"] if more > 0 else found


def refused_gates(docs: Path, step: str, others: Iterable[str], since: datetime) -> list[str]:
    """Return the suites whose gate refused data of `step` since then, even if the notebook went on."""
    began, theirs = f"{since:%Y%m%dT%H%M%S%fZ}", set(others) - {step}
    return [
        entry["suite"]
        for entry in summaries(docs)
        if not entry["passed"] and entry["step"] not in theirs and entry["page"].split("/")[-2] >= began
    ]


def gate_outcome(suites: list[str]) -> tuple[str, str]:
    """Return the outcome and message of a step whose gates refused data while the notebook went on."""
    names = ", ".join(f"'{name}'" for name in suites)
    return ExitCode.DATA_REJECTED.name, f"the gate {names} refused the data; see the data docs"
