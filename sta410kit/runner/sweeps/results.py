"""What a sweep came to, as one table: a row a unit, its parameters, what it recorded, how it ended."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.atomic_files import write_text
from sta410kit._internal.redaction import redact
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.pages import render
from sta410kit.runner.runs import REPORT
from sta410kit.runner.sweeps.plots import Plot, small_plots
from sta410kit.runner.warm.client import ServerUnavailableError, run_job

if TYPE_CHECKING:
    from sta410kit.runner.sweeps.sweep import Sweep

TABLE = "results.parquet"
NOT_RUN = "NOT_RUN"
_MEBIBYTE = 1024**2
_LARGEST = 2**63
_ENDING = ("outcome", "seconds", "peak_mib", "message", "notebook")


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
    _write_parquet(table, sweep.folder / TABLE)
    _write_page(sweep, table)


def _write_parquet(table: dict[str, list[Any]], path: Path) -> None:
    """Write the table in a process that has loaded what it takes, or else here."""
    columns = {name: _uniform(values) for name, values in table.items()}
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "columns.json"
        content.write_text(redact(json.dumps(columns)), encoding="utf-8")
        arguments = [str(content), str(path)]
        try:
            if run_job("sta410kit.runner.sweeps.table:write", arguments):
                return
        except ServerUnavailableError:
            pass  # no warm process: loading takes a second, then
        from sta410kit.runner.sweeps.table import write

        write(arguments)


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
    failed = [record for record in manifest.steps if record.outcome != ExitCode.PASSED.name]
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


def shown(value: Any) -> str:  # noqa: ANN401 - whatever a cell of the table holds
    """Return a value as people read it: numbers with up to six digits, lists as JSON, nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else json.dumps(value)  # noqa: PLR2004 - years keep their look
