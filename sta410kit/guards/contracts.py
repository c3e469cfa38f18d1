"""The one place that evaluates: the kit's expectations in one pass, Great Expectations for the rest.

What a suite asks goes three ways. The kit's own expectations look at the frame together, a block of symbols
at a time. Of the generic ones, those that plainly hold are proven by `screen` without a copy of the frame.
All others, and with them everything that fails, are evaluated by Great Expectations itself, which names
the rows.
The record is the same whichever way was taken, and the same suite gives the same verdict in bare Great
Expectations.
"""

from __future__ import annotations

import json
import threading
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError, STA410Exception
from sta410kit.guards.expectations import Findings, FrameExpectation, find_all
from sta410kit.guards.fast_checks import EXAMPLE_ROWS, Screen
from sta410kit.guards.library import great_expectations
from sta410kit.guards.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sta410kit.guards.accepted import AcceptedFinding

NOT_ASKED = "not asked: the frame lacks what it looks at"
_LOCK = threading.Lock()  # a Great Expectations context is not made for several threads
_NO_EXCEPTION = {"raised_exception": False, "exception_traceback": None, "exception_message": None}


def evaluate(
    name: str,
    expectations: Sequence[dict[str, Any]],
    frame: pd.DataFrame,
    accepted: Sequence[AcceptedFinding] = (),
) -> dict[str, Any]:
    """Evaluate `expectations` on `frame` and return the validation result as JSON values.

    Parameters
    ----------
    name : str
        Name of the suite, used in messages and in the data docs.
    expectations : sequence of dict
        In Great Expectations' own JSON form.
    frame : pandas.DataFrame
        Any frame with unique, textual column names; it is not changed.
    accepted : sequence of AcceptedFinding
        Findings a reviewer has accepted and that have not expired; they are left out of what fails, and
        stand in the result of their expectation as ``accepted``.

    Raises
    ------
    ConfigurationError
        An expectation cannot be loaded. Great Expectations drops such ones without a word; they are counted.
    """
    with _LOCK:
        loaded = load(name, expectations).expectations
        panel = Panel(frame)
        results: dict[int, dict[str, Any]] = _own(expectations, loaded, panel, accepted)
        screen = Screen(frame, panel)
        asked: list[int] = []
        for number, item in enumerate(expectations):
            if number in results:
                continue
            if screen.proves(item):
                results[number] = _entry(item, success=True, result=screen.result(item))
            else:
                asked.append(number)
        for number, result in zip(asked, _ask(name, [expectations[n] for n in asked], frame), strict=True):
            results[number] = _excused(name, expectations[number], result, frame, accepted)
    return _record(name, [results[number] for number in range(len(expectations))])


def load(name: str, expectations: Sequence[dict[str, Any]]) -> Any:  # noqa: ANN401 - an ExpectationSuite
    """Return the Great Expectations suite; an expectation that cannot be loaded is a `ConfigurationError`."""
    try:
        return _load(name, json.dumps(list(expectations)))
    except TypeError as error:
        message = f"suite '{name}' holds a value that JSON does not have: {error}"
        raise ConfigurationError(message) from error


@lru_cache(maxsize=32)
def _load(name: str, expectations: str) -> Any:  # noqa: ANN401 - an ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    loaded = []
    for item in json.loads(expectations):
        try:
            loaded.append(ExpectationConfiguration(**item).to_domain_obj())
        except Exception as error:  # whatever the library says of it, it could not be loaded
            reason = " ".join(str(error).split()) or type(error).__name__
            message = (
                f"suite '{name}': {item['type']} with {item['kwargs']} cannot be loaded ({reason}); "
                "correct its type or arguments in the suite file"
            )
            raise ConfigurationError(message) from error
    suite = great_expectations().ExpectationSuite(name=name, expectations=loaded)
    if len(suite.expectations) != len(loaded):
        message = f"suite '{name}': Great Expectations dropped an expectation while loading"
        raise ConfigurationError(message)
    return suite


def _own(
    expectations: Sequence[dict[str, Any]],
    loaded: Sequence[Any],
    panel: Panel,
    accepted: Sequence[AcceptedFinding],
) -> dict[int, dict[str, Any]]:
    """Return the results of the kit's own expectations, by their number in the suite."""
    own = [number for number, one in enumerate(loaded) if isinstance(one, FrameExpectation)]
    entries = {}
    for number, found in zip(own, find_all([loaded[n] for n in own], panel), strict=True):
        item = expectations[number]
        if isinstance(found, STA410Exception):
            raise found
        if isinstance(found, Exception):
            entries[number] = _entry(item, success=False, result={}, error=found)
            continue
        if not loaded[number].asked(panel):
            entries[number] = _entry(item, success=True, result={"observed_value": NOT_ASKED})
            continue
        left, excused = _without(item, found, accepted)
        outcome = loaded[number].outcome(panel, left)
        if excused:
            outcome["result"]["accepted"] = excused
        entries[number] = _entry(item, **outcome)
    return entries


def _without(
    item: dict[str, Any], found: Findings, accepted: Sequence[AcceptedFinding]
) -> tuple[Findings, list[str]]:
    """Return the findings that nobody accepted, and in words those that somebody did."""
    excused = []
    for finding in accepted:
        if finding.expectation != item["type"] or not found.any:
            continue
        hit = finding.covers(found.symbols, found.days)
        whole_table = not len(found) and finding.covers_table
        if hit.any() or whole_table:
            excused.append(finding.in_words(int(hit.sum())))
            found = Findings() if whole_table else found.only(~hit)
    return found, excused


def _ask(name: str, expectations: list[dict[str, Any]], frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Let Great Expectations evaluate, and return its results in the order of the question."""
    if not expectations:
        return []
    form = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": EXAMPLE_ROWS,
        "unexpected_index_column_names": [key for key in ("symbol", "date") if key in frame.columns],
    }
    numbered = [{**item, "meta": {**item["meta"], "_number": n}} for n, item in enumerate(expectations)]
    batch = _batch_definition().get_batch({"dataframe": _plain_dtypes(frame)})
    record = batch.validate(load(name, numbered), result_format=form).to_json_dict()
    results = {item["expectation_config"]["meta"].pop("_number"): item for item in record["results"]}
    if len(results) != len(expectations):
        message = f"suite '{name}': {len(expectations)} expectations were asked, {len(results)} answered"
        raise ConfigurationError(message)
    return [results[number] for number in range(len(expectations))]


def _excused(
    name: str,
    item: dict[str, Any],
    result: dict[str, Any],
    frame: pd.DataFrame,
    accepted: Sequence[AcceptedFinding],
) -> dict[str, Any]:
    """Ask again without the rows that a reviewer has accepted for this expectation."""
    mine = [finding for finding in accepted if finding.expectation == item["type"]]
    if result["success"] or not mine or not {"symbol", "date"}.issubset(frame.columns):
        return result
    excused, left = [], frame
    for finding in mine:
        hit = finding.covers_rows(left)
        if hit.any():
            excused.append(finding.in_words(int(hit.sum())))
            left = left[~hit]
    if not excused or left.empty:
        return result
    again = _ask(name, [item], left)[0]
    again["result"]["accepted"] = excused
    return again


def _entry(
    item: dict[str, Any], *, success: bool, result: dict[str, Any], error: Exception | None = None
) -> dict[str, Any]:
    """Return one result in Great Expectations' own form."""
    failed = {
        "raised_exception": True,
        "exception_traceback": None,
        "exception_message": f"{type(error).__name__}: {error}",
    }
    return {
        "success": success,
        "expectation_config": {**item, "kwargs": {"batch_id": "sta410-frame", **item["kwargs"]}},
        "result": result,
        "meta": {},
        "exception_info": failed if error else dict(_NO_EXCEPTION),
    }


def _record(name: str, results: list[dict[str, Any]]) -> dict[str, Any]:
    held = sum(1 for item in results if item["success"])
    return {
        "success": held == len(results),
        "suite_name": name,
        "suite_parameters": {},
        "results": results,
        "statistics": {
            "evaluated_expectations": len(results),
            "successful_expectations": held,
            "unsuccessful_expectations": len(results) - held,
            "success_percent": 100.0 * held / len(results) if results else None,
        },
        "meta": {"great_expectations_version": version("great-expectations")},
        "id": None,
    }


@cache
def _batch_definition() -> Any:  # noqa: ANN401 - a BatchDefinition
    """One context a process, in memory; nothing is written, nothing is shown, no progress bar."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("sta410").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _plain_dtypes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same values in numpy dtypes, text as objects, on a plain index.

    Great Expectations' type checks know numpy's dtypes only. Text as objects is judged value by value, and so
    the rows are named; nullable, Arrow and categorical columns hold the same values in another layout.
    """
    import pandas as pd
    from pandas.api.types import is_extension_array_dtype

    plain = frame.reset_index(drop=True)
    for name, dtype in frame.dtypes.items():
        if is_extension_array_dtype(dtype) and not isinstance(dtype, pd.DatetimeTZDtype):
            values = plain[name].to_numpy()
            plain[name] = pd.Series(values, dtype=values.dtype)
    return plain
