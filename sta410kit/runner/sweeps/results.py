"""A sweep's result as one table: a row per unit with its parameters, recorded values and outcome."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import replacing, write_text
from sta410kit._internal.redaction import redact
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.child import run_in_child
from sta410kit.runner.pages import render
from sta410kit.runner.runs import REPORT
from sta410kit.runner.sweeps.plots import Plot, small_plots

if TYPE_CHECKING:
    from sta410kit.runner.manifest import Manifest

TABLE = "results.parquet"
NOT_RUN = "NOT_RUN"
_MEBIBYTE = 1024**2
_LARGEST = 2**63
_PATIENCE = 600.0  # seconds to write the table
_ENDING = ("outcome", "seconds", "peak_mib", "message", "notebook")


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

    First ``unit``, then the parameters, then what was recorded, then ``outcome``, ``seconds``, ``peak_mib``,
    ``message`` and ``notebook``. A recorded name that is taken already becomes ``recorded.<name>``. Where
    there is no value it is ``None``.
    """
    manifest = sweep.manifest
    steps = {record.name: record for record in manifest.steps}
    units = list(manifest.parameters)
    names = list(dict.fromkeys([*sweep.swept, *manifest.results["sweep"]["fixed"]]))
    table: dict[str, list[Any]] = {"unit": units}
    table |= {_free(name, table): [manifest.parameters[unit].get(name) for unit in units] for name in names}
    for name in dict.fromkeys(name for unit in units for name in sweep.recorded.get(unit, {})):
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


def _free(name: str, table: dict[str, list[Any]]) -> str:
    return f"parameter.{name}" if name in table or name in _ENDING else name


def recorded_column(name: str, table: dict[str, list[Any]]) -> str:
    """Return the column of a recorded name beside those that are there."""
    return f"recorded.{name}" if name in table or name in _ENDING else name


def write_results(sweep: Sweep) -> None:
    """Write ``results.parquet`` and ``report.html`` into the run folder, secrets redacted."""
    table = results_table(sweep)
    columns = json.loads(redact(json.dumps({name: _uniform(values) for name, values in table.items()})))
    # In a child that has pyarrow loaded already: importing it takes longer than a small sweep.
    order = {"columns": columns, "target": str(sweep.folder / TABLE)}
    write = f"{write_parquet.__module__}:{write_parquet.__name__}"
    run_in_child(write, order, folder=sweep.folder, timeout=_PATIENCE, start=False)
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
    manifest = sweep.manifest
    failed = [record for record in manifest.steps if not record.passed]
    page = render(
        "sweep.html",
        manifest=manifest,
        sweep=manifest.results["sweep"],
        failed=failed,
        passed=len(manifest.steps) - len(failed),
        columns=[name for name in table if name not in {"message", "notebook"}],
        rows=[dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
        show=shown,
        plots=plots_of(sweep, table),
        table_file=TABLE,
    )
    write_text(sweep.folder / REPORT, page)


def plots_of(sweep: Sweep, table: dict[str, list[Any]]) -> list[Plot]:
    """Return a small plot for each recorded number, and for the seconds, over each parameter that differs."""
    first = list(table).index("outcome")
    fixed = len(sweep.manifest.results["sweep"]["fixed"])
    recorded = list(table)[1 + len(sweep.swept) + fixed : first]
    swept = [_free(name, {"unit": []}) for name in sweep.swept]
    return small_plots(table, [name for name in swept if len(set(map(repr, table[name]))) > 1],
                       [*recorded, "seconds"])  # fmt: skip


def shown(value: Any) -> str:  # noqa: ANN401 - any cell of the table
    """Return a value as people read it: numbers with up to six digits, lists as JSON, nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else json.dumps(value)  # noqa: PLR2004 - years keep their look
