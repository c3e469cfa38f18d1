"""The verdict: whether a notebook that raised nothing has also done everything it should have.

A notebook can end early without an error (``sys.exit(0)`` in a cell), close its figures before anyone sees
them, go on after a gate has refused its data, or leave an empty file. None of these is a success.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sta410kit._internal.redaction import redact
from sta410kit._internal.text import pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import summaries
from sta410kit.runner.plotting import NO_FIGURE, pictures_missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

SKIP = "skip-execution"  # the tag by which papermill and nbclient leave a cell out
_SHOWN = 60  # characters of a cell's code in a message
_MOST = 5  # warnings of one notebook that are named; its cells have them all
# A line of the kit's console, one of Python's own warnings, and the end of a thread, which fails no cell.
_WARNED = re.compile(
    r"^\d{4}-\d\d-\d\d [\d:.]+ \| (?:WARNING|ERROR|CRITICAL) *\| \d+ \| \S+ - "
    r"(?P<logged>.*?)(?: \(\S+:\d+\))?$"
    r"|^\S.*:\d+: \w*Warning: (?P<shown>.*)$"
    r"|^(?P<lost>Exception in thread .*):\n(?:Traceback .*\n)(?:[ ].*\n)+(?P<error>\w.*)$",
    re.MULTILINE,
)


def judge(notebook: Mapping[str, Any], artifacts: Iterable[Path]) -> tuple[str, int | None]:
    """Return what is missing from an executed notebook, and the position of the cell it is about.

    Parameters
    ----------
    notebook : mapping
        Its JSON, as it was after it ran without an error.
    artifacts : iterable of Path
        Files it must have left.

    Returns
    -------
    tuple of str and int or None
        The message is empty when nothing is missing.
    """
    left_out = _not_executed(notebook)
    if left_out:
        before = notebook["cells"][: left_out[0]]
        ended = max((position for position, cell in enumerate(before) if _ran(cell)), default=None)
        by = "" if ended is None else f"; {_spoken(notebook, ended)} ended the notebook without an error"
        cells = ", ".join(str(position + 1) for position in left_out)
        return f"cells that were never executed: {cells}{by}", left_out[0]
    blank = pictures_missing(notebook)
    if blank:
        cells = ", ".join(_spoken(notebook, position) for position in blank)
        message = (
            f"cells that draw but show no image: {cells}. Leave the figure open until the cell ends, or tag "
            f"the cell '{NO_FIGURE}'"
        )
        return message, blank[0]
    return _lacking(artifacts), None


def remarks(notebook: Mapping[str, Any]) -> list[str]:
    """Return what did not stop an executed notebook and still has to be known."""
    found = [
        f"cell {number} is tagged '{SKIP}' and was not executed"
        for number, cell in enumerate(notebook["cells"], 1)
        if cell["cell_type"] == "code" and SKIP in cell["metadata"].get("tags", [])
    ]
    found += [
        f"cell {number} ended with SystemExit before its end"
        for number, cell in enumerate(notebook["cells"], 1)
        for output in cell.get("outputs", [])
        if output.get("ename") == "SystemExit"
    ]
    if not any(map(_ran, notebook["cells"])):
        found.append("it has no code that was executed")
    return found + _warned(notebook)


def _warned(notebook: Mapping[str, Any]) -> list[str]:
    """Return what the cells warned of on standard error, each text once."""
    said: dict[str, int] = {}
    for number, cell in enumerate(notebook["cells"], 1):
        outputs = cell.get("outputs", [])
        if any(output.get("ename") == "SystemExit" for output in outputs):
            continue  # IPython's advice on how to leave it is no warning of the cell's
        for output in outputs:
            if output.get("name") == "stderr":
                for match in _WARNED.finditer("".join(output["text"])):
                    said.setdefault(redact(_words_of(match)), number)
    found = [f"cell {number} warned: {text}" for text, number in list(said.items())[:_MOST]]
    return [*found, f"and {pluralize(len(said) - _MOST, 'warning')} more"] if len(said) > _MOST else found


def _words_of(match: re.Match[str]) -> str:
    """Return what was warned of; of a thread that died, which one and of what."""
    return match["logged"] or match["shown"] or f"{match['lost']}: {match['error']}"


def refused_gates(docs: Path, step: str, others: Iterable[str], since: datetime) -> list[str]:
    """Return the suites whose gate refused data of `step` since then, whatever the notebook made of it.

    Parameters
    ----------
    docs : Path
        The run's data docs.
    step : str
        The step that has run.
    others : iterable of str
        The run's other steps; what they published is theirs.
    since : datetime
        When the step began; pages of an earlier try in the same folder do not count.
    """
    began, theirs = f"{since:%Y%m%dT%H%M%S%fZ}", set(others) - {step}
    return [
        entry["suite"]
        for entry in summaries(docs)
        if not entry["passed"] and entry["step"] not in theirs and entry["page"].split("/")[-2] >= began
    ]


def gate_outcome(suites: list[str]) -> tuple[ExitCode, str]:
    """Return the outcome and message of a step whose gates refused data, while the notebook went on."""
    names = ", ".join(f"'{name}'" for name in suites)
    return ExitCode.DATA_REJECTED, f"the gate {names} refused the data, see the data docs; nothing may go on"


def _not_executed(notebook: Mapping[str, Any]) -> list[int]:
    return [
        position
        for position, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code"
        and cell["source"].strip()
        and SKIP not in cell["metadata"].get("tags", [])
        and not _ran(cell)
    ]


def _ran(cell: Mapping[str, Any]) -> bool:
    return bool(cell["cell_type"] == "code" and cell.get("execution_count") is not None)


def _spoken(notebook: Mapping[str, Any], position: int) -> str:
    """Name a cell by its number and the beginning of its code."""
    line = next(iter(notebook["cells"][position]["source"].strip().splitlines()), "")
    return f"cell {position + 1} ({line[:_SHOWN]}{'...' if len(line) > _SHOWN else ''})"


def _lacking(artifacts: Iterable[Path]) -> str:
    wanted = list(artifacts)
    absent = [path.name for path in wanted if not path.is_file()]
    if absent:
        return f"it ran but did not write {', '.join(absent)}"
    empty = [path.name for path in wanted if not path.stat().st_size]
    return f"it ran but left {', '.join(empty)} empty" if empty else ""
