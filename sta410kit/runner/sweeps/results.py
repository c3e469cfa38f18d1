"""A sweep's result as one table: a row per unit with its parameters, recorded values and outcome."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import replacing, write_text
from sta410kit._internal.pages import render
from sta410kit._internal.redaction import redact
from sta410kit._internal.text import percent, pluralize
from sta410kit.exit_codes import ExitCode
from sta410kit.research.verdict import NO_SKILL, SKILL, TOO_FEW
from sta410kit.runner.child import run_in_child
from sta410kit.runner.key_metrics import METRICS
from sta410kit.runner.notebook_pages import Pages, link_to
from sta410kit.runner.runs import REPORT
from sta410kit.runner.sweeps.plots import HeatMap, Plot, heat_maps, small_plots
from sta410kit.runner.terminal import say, show_table

if TYPE_CHECKING:
    from sta410kit.runner.manifest import Manifest, StepRecord

TABLE, CSV = "results.parquet", "results.csv"
CHAIN = "chain"  # title of a sweep that is not of one notebook
NOT_RUN = "NOT_RUN"
_MEBIBYTE = 1024**2
_LARGEST = 2**63
_PATIENCE = 600.0  # seconds to write the table
_ENDING = ("outcome", "seconds", "peak_mib", "message", "notebook")
_FORMATS = {
    "r2": METRICS["r2"].form,
    "p_value": ".3f",
    "rank_ic": METRICS["rank_ic"].form,
    "sharpe_after_costs": METRICS["sharpe"].form,
    "deflated_sharpe": ".1%",
}
_COMPARED = ("verdict", *_FORMATS, "trials")  # of a combination of the chain, see `chains.count_trials`
_VERDICTS = (SKILL, NO_SKILL, TOO_FEW)
_MOST_ROWS = 40
_MOST_PAGES = 20  # units whose notebooks are written as pages


@dataclass
class Sweep:
    """A sweep that has ended."""

    folder: Path
    manifest: Manifest  # also written there; one step for each unit that was executed
    notes: list[str] = field(default_factory=list)  # remarks on the whole sweep

    @property
    def recorded(self) -> dict[str, dict[str, Any]]:
        """What each unit recorded, by its name."""
        return {record.name: record.recorded for record in self.manifest.steps}

    @property
    def outcome(self) -> ExitCode:
        """How it ended."""
        return ExitCode[self.manifest.outcome]

    @property
    def swept(self) -> list[str]:
        """The names of the parameters that differ between units."""
        return list(self.manifest.results["sweep"]["grid"])


def results_table(sweep: Sweep) -> dict[str, list[Any]]:
    """Return the table's columns by name, one value a unit, in the order of the units.

    Combinations of the chain are sorted: the best verdict first, then the highest R²; failed ones last.
    First ``unit``, then the parameters, then what was recorded, then ``outcome``, ``seconds``, ``peak_mib``,
    ``message`` and ``notebook``. A recorded name that is taken already becomes ``recorded.<name>``. Where
    there is no value it is ``None``.
    """
    manifest = sweep.manifest
    steps = {record.name: record for record in manifest.steps}
    units = list(manifest.parameters)
    known: tuple[str, ...] = ()
    if manifest.title == CHAIN:
        units.sort(key=lambda unit: _rank(steps.get(unit)))
        known = tuple(n for n in _COMPARED if any(n in recorded for recorded in sweep.recorded.values()))
    names = list(dict.fromkeys([*sweep.swept, *manifest.results["sweep"]["fixed"]]))
    table: dict[str, list[Any]] = {"unit": units}
    table |= {_free(name, table): [manifest.parameters[unit].get(name) for unit in units] for name in names}
    recorded = (name for unit in units for name in sweep.recorded.get(unit, {}))
    for name in dict.fromkeys([*known, *recorded]):
        table[recorded_column(name, table)] = [sweep.recorded.get(unit, {}).get(name) for unit in units]
    found = [steps.get(unit) for unit in units]
    table["outcome"] = [step.outcome if step else NOT_RUN for step in found]
    table["seconds"] = [step.seconds if step else None for step in found]
    table["peak_mib"] = [
        round(step.peak_memory / _MEBIBYTE, 1) if step and step.peak_memory else None for step in found
    ]
    table["message"] = [step.message if step else "" for step in found]
    table["notebook"] = [step.notebook if step else "" for step in found]
    return table


def _rank(step: StepRecord | None) -> tuple[bool, int, float]:
    found = step.recorded if step else {}
    order = _VERDICTS.index(found["verdict"]) if found.get("verdict") in _VERDICTS else len(_VERDICTS)
    r2 = found.get("r2")
    return step is None or not step.passed, order, math.inf if r2 is None else -r2


def _free(name: str, table: dict[str, list[Any]]) -> str:
    return f"parameter.{name}" if name in table or name in _ENDING else name


def recorded_column(name: str, table: dict[str, list[Any]]) -> str:
    """Return the column of a recorded name beside those that are there."""
    return f"recorded.{name}" if name in table or name in _ENDING else name


def write_results(sweep: Sweep) -> None:
    """Write the table as Parquet and CSV, and ``report.html``, into the run folder, secrets redacted."""
    table = results_table(sweep)
    columns = json.loads(redact(json.dumps({name: _uniform(values) for name, values in table.items()})))
    # In a child that has pyarrow loaded already: importing it takes longer than a small sweep.
    order = {"columns": columns, "target": str(sweep.folder / TABLE)}
    write = f"{write_parquet.__module__}:{write_parquet.__name__}"
    run_in_child(write, order, folder=sweep.folder, timeout=_PATIENCE, start=False)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[*columns], *zip(*columns.values(), strict=True)])
    write_text(sweep.folder / CSV, text.getvalue())
    _write_page(sweep, table)


def write_parquet(order: dict[str, Any]) -> None:
    """Write lists by name as Parquet; a column without any value is one of text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(values, type=pa.string() if all(value is None for value in values) else None)
        for name, values in order["columns"].items()
    }
    with replacing(Path(order["target"])) as aside:
        pq.write_table(pa.table(arrays), aside)


def _uniform(values: list[Any]) -> list[Any]:
    """Return a column of one type: truth values, whole numbers, numbers, or text; anything else as JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(-_LARGEST <= value < _LARGEST for value in values if value is not None):
        return values
    if kinds in ({int, float}, {float}):
        return [None if value is None else float(value) for value in values]
    if kinds in ({bool}, {str}, set()):
        return values
    return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]


def _write_page(sweep: Sweep, table: dict[str, list[Any]]) -> None:
    values = sweep_values(sweep, table)
    _show_notebooks(sweep, values["failed"])
    page = render("sweep.html", **values, link=lambda name: link_to(sweep.folder, name), table_file=CSV)
    write_text(sweep.folder / REPORT, page)


def sweep_values(sweep: Sweep, table: dict[str, list[Any]]) -> dict[str, Any]:
    """Return what ``sweep_body.html`` shows of a sweep, for its report and for the service."""
    manifest = sweep.manifest
    failed = [record for record in manifest.steps if not record.passed]
    plots, maps = plots_of(sweep, table)
    return {
        "manifest": manifest,
        "sweep": manifest.results["sweep"],
        "failed": failed,
        "passed": len(manifest.steps) - len(failed),
        "columns": _columns(sweep, table),
        "rows": [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
        "show": shown,
        "plots": plots,
        "maps": maps,
        "selection": selection(sweep),
    }


def _show_notebooks(sweep: Sweep, failed: list[StepRecord]) -> None:
    """Write the pages of the notebooks of the units that failed, or of all where they are few."""
    records = sweep.manifest.steps
    few = sweep.manifest.title != CHAIN and len(records) <= _MOST_PAGES
    chosen = records if few else failed[:_MOST_PAGES]
    pages = Pages()
    pages.write(
        path
        for one in chosen
        if one.notebook
        for path in (sweep.folder / one.notebook).parent.glob("*.ipynb")
    )
    pages.finish()


def print_table(sweep: Sweep) -> None:
    """Print the table, failures first where not all rows are shown, and where it lies."""
    from rich.text import Text

    table = results_table(sweep)
    columns = {name: table[name] for name in _columns(sweep, table)}
    numbers = {n for n, values in columns.items() if all(isinstance(v, int | float | None) for v in values)}
    headings = {name: name.replace("_", "_\n") if name in numbers else name for name in columns}
    rows = []
    for row in zip(*columns.values(), strict=True):
        ending = dict(zip(columns, row, strict=True))["outcome"]
        colour = {ExitCode.PASSED.name: "green", NOT_RUN: "dim"}.get(ending, "red")
        cells = [
            Text(shown(v, n), colour if n == "outcome" else "") for n, v in zip(columns, row, strict=True)
        ]
        rows.append((ending == ExitCode.PASSED.name, cells))
    listed = rows if len(rows) <= _MOST_ROWS else sorted(rows, key=itemgetter(0))[:_MOST_ROWS]
    right = {headings[name] for name in numbers}
    show_table(
        [*headings.values()], [cells for _, cells in listed], title=f"sweep {sweep.folder.name}", right=right
    )
    if len(rows) > _MOST_ROWS:
        say(f"and {len(rows) - _MOST_ROWS} more rows in {CSV}")
    if "trials" in sweep.manifest.results["sweep"]:
        say(selection(sweep))


def selection(sweep: Sweep) -> str:
    """Return in words how many combinations of the chain show skill, and what they were corrected for."""
    found, trials = sweep.recorded.values(), sweep.manifest.results["sweep"].get("trials", 0)
    skilled = sum(recorded.get("verdict") == SKILL for recorded in found) or "none"
    return (
        f"Skill in {skilled} of {pluralize(len(found), 'combination')}. Verdicts, p values and deflated "
        f"Sharpe ratios are corrected for all {trials:,} trials on what was predicted here: every "
        "combination, and what was tried before. Skill takes a p value of 0.01 or less; a deflated Sharpe "
        "ratio above 95 % is more than luck."
    )


def _columns(sweep: Sweep, table: dict[str, list[Any]]) -> list[str]:
    """Return the columns that a reader compares units by."""
    if sweep.manifest.title == CHAIN and "r2" in table:
        return [name for name in table if name in {"unit", *sweep.swept, *_COMPARED, "outcome"}]
    hidden = {"message", "notebook", *sweep.manifest.results["sweep"]["fixed"]}
    return [name for name in table if name not in hidden]


def plots_of(sweep: Sweep, table: dict[str, list[Any]]) -> tuple[list[Plot], list[HeatMap]]:
    """Return plots of each recorded number, and of the seconds, over each parameter and pair that differ."""
    first = list(table).index("outcome")
    fixed = len(sweep.manifest.results["sweep"]["fixed"])
    recorded = list(table)[1 + len(sweep.swept) + fixed : first]
    swept = [_free(name, {"unit": []}) for name in sweep.swept]
    varied = [name for name in swept if len(set(map(repr, table[name]))) > 1]
    if sweep.manifest.title == CHAIN and "r2" in table:
        recorded = [name for name in _FORMATS if name in table]
    else:
        recorded.append("seconds")
    return small_plots(table, varied, recorded), heat_maps(table, varied, recorded)


def shown(value: Any, column: str = "") -> str:  # noqa: ANN401 - any cell of the table
    """Return a value as people read it: numbers with up to six digits, lists as JSON, nothing for none."""
    if value is None:
        return ""
    if column in _FORMATS and isinstance(value, float):
        return percent(value, _FORMATS[column])
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else json.dumps(value)  # noqa: PLR2004 - years keep their look
