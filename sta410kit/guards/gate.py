"""The gate: a frame and the name of a suite in, evidence out. Any frame, and never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import STA410Exception
from sta410kit.guards.accepted import read_accepted_findings
from sta410kit.guards.digest import frame_digest
from sta410kit.guards.plan import columns_of, plan_checks, with_run
from sta410kit.guards.result import CRITICAL, Failure, GuardResult
from sta410kit.guards.suites import read_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from sta410kit.guards.accepted import AcceptedFinding

_TYPE_CHECKS = {"expect_column_values_to_be_in_type_list", "expect_column_values_to_be_of_type"}


def validate(
    frame: pd.DataFrame,
    suite: str | Path = "prices",
    *,
    symbols: Iterable[str] | None = None,
    snapshot: str | Path | None = None,
    max_age: int | None = None,
) -> GuardResult:
    """Judge `frame` by a suite and return what was found.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame, however broken; it is not changed.
    suite : str or Path
        A suite's name (``prices``, ``features``, ``training``, ``predictions``, ``forecasts`` or one of the
        project's own), or the path of a suite file.
    symbols : iterable of str, optional
        Symbols that were asked for; each must have rows.
    snapshot : str or Path, optional
        The last accepted prices, kept by `keep_snapshot`: past sessions and columns must be as they were
        then. A file that does not exist yet has nothing to compare with.
    max_age : int, optional
        Whole sessions of the exchange that may have passed since each symbol's last row.

    Returns
    -------
    GuardResult
        ``.passed`` is false when any critical expectation failed; ``.require()`` raises then.

    Raises
    ------
    ConfigurationError
        The suite does not exist or cannot be loaded. What is wrong with the frame is never raised.
    """
    contract = read_suite(suite)
    broken = structure(frame)
    if broken:
        rows = len(frame) if hasattr(frame, "__len__") else 0
        return GuardResult(contract.name, rows, len(broken), tuple(broken), suite_file=str(contract.path))
    wanted = [symbols] if isinstance(symbols, str) else symbols
    asked = with_run(contract.expectations, snapshot, max_age)
    checks, skipped = plan_checks(asked, frame, wanted)
    findings = read_accepted_findings(contract.path.parent, contract.name)
    from sta410kit.guards.contracts import (  # a broken installation is no fault of the frame
        NOT_ASKED,
        evaluate,
    )

    try:
        record = evaluate(contract.name, checks, frame, [one for one in findings if not one.expired])
    except STA410Exception:
        raise
    except Exception as error:  # noqa: BLE001 - a gate that cannot judge must refuse, not crash
        failure = Failure("gate", "", 0, message=f"the frame could not be judged: {_one_line(error)}")
        return GuardResult(
            contract.name,
            len(frame),
            len(checks),
            (failure,),
            tuple(skipped),
            suite_file=str(contract.path),
        )
    expired = {one.expectation: one for one in findings if one.expired}
    failures, unasked = _failures(record["results"], expired)
    unasked += [
        f"{item['expectation_config']['type']}: {NOT_ASKED}"
        for item in record["results"]
        if item["result"].get("observed_value") == NOT_ASKED
    ]
    return GuardResult(
        suite=contract.name,
        row_count=len(frame),
        evaluated=len(checks),
        failures=tuple(failures),
        skipped=(*skipped, *unasked),
        accepted=tuple(_accepted(record["results"])),
        suite_file=str(contract.path),
        rules=contract.digest,
        frame=frame_digest(frame),
        record=record,
    )


def structure(frame: object) -> list[Failure]:
    """Return what keeps a frame from being asked anything at all."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        return [Failure("frame", "", 0, message=f"expected a pandas DataFrame, got {type(frame).__name__}")]
    if isinstance(frame.columns, pd.MultiIndex):
        return [Failure("frame", "", 0, message="columns have several levels; one row of names is expected")]
    odd = [repr(name) for name in frame.columns if not isinstance(name, str)]
    if odd:
        text = f"column names must be text; these are not: {', '.join(odd[:5])}"
        return [Failure("frame", "", 0, message=text)]
    twice = [str(name) for name in frame.columns[frame.columns.duplicated()].unique()]
    if twice:
        text = f"columns appear twice: {', '.join(twice)}"
        return [Failure("frame", ", ".join(twice), 0, message=text)]
    return []


def _accepted(results: list[dict[str, Any]]) -> Iterator[str]:
    for item in results:
        for words in item["result"].get("accepted", ()):
            yield f"{item['expectation_config']['type']}: {words}"


def _failures(
    results: list[dict[str, Any]], expired: Mapping[str, AcceptedFinding]
) -> tuple[list[Failure], list[str]]:
    """Return the failures, critical first, and the checks that a wrong type left unanswerable."""
    failed = [item for item in results if not item["success"]]
    ill_typed = {
        item["expectation_config"]["kwargs"]["column"]
        for item in failed
        if item["expectation_config"]["type"] in _TYPE_CHECKS
    }
    failures, unasked = [], []
    for item in failed:
        config = item["expectation_config"]
        columns = columns_of(config["kwargs"])
        reason = _exception(item)
        if reason and ill_typed.intersection(columns):
            unasked.append(f"{config['type']}({', '.join(columns)}): wrong type")
            continue
        failures.append(_failure(config, item.get("result") or {}, reason, expired.get(config["type"])))
    failures.sort(key=lambda failure: failure.severity != CRITICAL)
    return failures, unasked


def _failure(
    config: dict[str, Any], found: dict[str, Any], reason: str, expired: AcceptedFinding | None
) -> Failure:
    expected = config.get("description") or _in_words(config)
    rows = tuple(found.get("partial_unexpected_index_list") or ())
    count = int(found.get("unexpected_count") or 0)
    if reason:
        message = f"{expected} It could not be checked: {reason}"
    elif "notes" in found:
        message = f"{expected} Found: {'; '.join(found['notes'])}."
    elif count:
        message = f"{expected} {pluralize(count, 'row')} {'breaks' if count == 1 else 'break'} this."
    elif found.get("partial_missing_list"):
        message = f"{expected} Missing: {', '.join(map(str, found['partial_missing_list']))}."
    elif found.get("observed_value") is not None:
        message = f"{expected} Found: {found['observed_value']}."
    elif config["type"] == "expect_column_to_exist":
        message = f"{expected} It is missing."
    else:
        message = f"{expected} It does not hold."
    if expired:
        message += f" A finding of this kind was accepted until {expired.expires} "
        message += f"({expired.reason}); it counts again."
    return Failure(
        expectation=config["type"],
        column=", ".join(columns_of(config["kwargs"]) or found.get("columns", ())),
        count=count,
        rows=tuple(_short_dates(row) for row in rows),
        severity=config["meta"]["severity"],
        message=message,
    )


def _short_dates(row: Any) -> dict[str, Any]:  # noqa: ANN401 - without symbol and date a row is a number
    """Sessions have no time of day; the record's ISO stamps carry an empty one."""
    if not isinstance(row, dict):
        return {"row": row}
    return {
        key: value.removesuffix("T00:00:00") if isinstance(value, str) else value
        for key, value in row.items()
    }


def _in_words(config: dict[str, Any]) -> str:
    arguments = ", ".join(
        f"{key}={value!r}" for key, value in config["kwargs"].items() if key not in {"batch_id", "column"}
    )
    return f"Expected {config['type'].removeprefix('expect_').replace('_', ' ')} ({arguments})."


def _exception(item: dict[str, Any]) -> str:
    """Return the first exception message of a result; Great Expectations nests them by metric."""
    info = item.get("exception_info") or {}
    entries = [info, *(value for value in info.values() if isinstance(value, dict))]
    return next((str(e["exception_message"]) for e in entries if e.get("exception_message")), "")


def _one_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
