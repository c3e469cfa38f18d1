"""The one place that evaluates a suite: every expectation's evidence is computed once, and becomes a `Check`.

The kit's own expectations look at the frame together, a block of symbols at a time; the generic ones that the
kit's suites use are evaluated in numpy. All others are left to Great Expectations. The verdict of each is the
one that bare Great Expectations gives.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import STA410Exception
from sta410kit.guards import generic
from sta410kit.guards.evidence import with_times
from sta410kit.guards.expectations import EXPECTATIONS, Expectation, judge_all, registered
from sta410kit.guards.panel import Panel
from sta410kit.guards.result import CRITICAL, Check
from sta410kit.guards.suites import cannot_be_loaded, columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from sta410kit.guards.declarations import ReviewedFinding
    from sta410kit.guards.evidence import Evidence

_NOTES = 10
_TYPES = ("expect_column_values_to_be_in_type_list", "expect_column_values_to_be_of_type")


def evaluate(
    name: str,
    expectations: Sequence[dict[str, Any]],
    frame: pd.DataFrame,
    reviewed: Sequence[ReviewedFinding] = (),
    *,
    intraday: bool = False,
) -> tuple[list[Check], list[str]]:
    """Evaluate `expectations` on `frame`.

    Parameters
    ----------
    name : str
        Name of the suite, for messages.
    expectations : sequence of dict
        In Great Expectations' JSON form.
    frame : pandas.DataFrame
        Any frame with unique, textual column names that has the columns they name; it is not changed.
    reviewed : sequence of ReviewedFinding
        Findings a reviewer has accepted; they are left out of the evidence until they expire.
    intraday : bool
        Whether rows are bars within the day, which follow each other by their times.

    Returns
    -------
    list of Check
        What was found of each, in their order.
    list of str
        Those that cannot be evaluated because a column has the wrong type, which is a failure already.

    Raises
    ------
    ConfigurationError
        An expectation does not exist or has wrong arguments.
    """
    panel = Panel(frame, intraday=intraday)
    checks = _of_the_kit(name, expectations, panel, reviewed)
    for number, item in enumerate(expectations):
        evidence = None if number in checks else generic.evaluate(panel, item["type"], item["kwargs"])
        if evidence is not None:
            checks[number] = _check(item, evidence, panel, reviewed)
    ill_typed = {
        check.column
        for check in checks.values()
        if check.expectation in _TYPES and not check.held and check.severity == CRITICAL
    }
    left = {number: item for number, item in enumerate(expectations) if number not in checks}
    skipped = [number for number, item in left.items() if ill_typed.intersection(columns_of(item["kwargs"]))]
    words = [f"{_of(left.pop(number)).name}: wrong type" for number in skipped]
    if left:
        checks |= _foreign(name, left, frame, reviewed)
    return [checks[number] for number in sorted(checks)], words


def _of_the_kit(
    name: str, expectations: Sequence[dict[str, Any]], panel: Panel, reviewed: Sequence[ReviewedFinding]
) -> dict[int, Check]:
    """Evaluate the kit's own expectations together; return the checks by their number."""
    known = registered()
    own = {n: build(name, item) for n, item in enumerate(expectations) if item["type"] in known}
    checks = {}
    for (number, rule), found in zip(own.items(), judge_all(list(own.values()), panel), strict=True):
        item = expectations[number]
        if isinstance(found, STA410Exception):
            raise found
        if isinstance(found, Exception):
            checks[number] = _unanswered(item, f"{type(found).__name__}: {found}")
        elif found is None:
            checks[number] = replace(_of(item), held=True, not_asked=True)
        else:
            shown = replace(found, columns=rule.shows or rule.needs, judged=len(panel.frame))
            checks[number] = _check(item, shown, panel, reviewed)
    return checks


def build(name: str, item: Mapping[str, Any]) -> Expectation:
    """Return an expectation of the kit as a suite file has it.

    Raises
    ------
    ConfigurationError
        Its arguments do not fit.
    """
    try:
        return EXPECTATIONS[item["type"]](**item["kwargs"])
    except (ValidationError, TypeError) as error:
        reason = str(error)
        if isinstance(error, ValidationError):
            reason = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise cannot_be_loaded(name, item, reason) from error


def _check(
    item: dict[str, Any], evidence: Evidence, panel: Panel, reviewed: Sequence[ReviewedFinding]
) -> Check:
    accepted, evidence = [], with_times(evidence, panel)
    for finding in reviewed:
        if finding.expectation == item["type"] and not finding.expired and not evidence.holds:
            hit = finding.covers(evidence.symbols, evidence.dates)
            if hit.any() or (finding.covers_table and not evidence.count):
                if not finding.emptied:
                    accepted.append(finding.in_words(int(hit.sum())))
                evidence = evidence.without(hit)
    check = _of(item)
    return replace(
        check,
        held=evidence.holds,
        column=check.column or ", ".join(evidence.columns),
        rows=tuple(evidence.rows(panel.frame)),
        message="" if evidence.holds else _message(item, _found(item, evidence), reviewed),
        evidence=evidence,
        accepted=tuple(accepted),
    )


def _of(item: dict[str, Any]) -> Check:
    column, severity = ", ".join(columns_of(item["kwargs"])), item["meta"].get("severity", CRITICAL)
    return Check(item["type"], column=column, severity=severity, config=item)


def _found(item: Mapping[str, Any], evidence: Evidence) -> str:
    if item["type"] in EXPECTATIONS or not evidence.count:
        words = list(evidence.notes) or list(evidence.stretches())
        return f"Found: {'; '.join(words[:_NOTES])}." if words else "It does not hold."
    return _break(evidence.count)


def _break(count: int) -> str:
    return f"{pluralize(count, 'row')} {'breaks' if count == 1 else 'break'} this."


def _message(item: dict[str, Any], found: str, reviewed: Sequence[ReviewedFinding]) -> str:
    message = f"{_of(item).expected} {found}"
    for one in reviewed:
        if one.expectation == item["type"] and one.expired:
            message += (
                f" A finding of this kind was accepted until {one.expires} ({one.reason}); it counts again."
            )
    return message


def _unanswered(item: dict[str, Any], reason: str) -> Check:
    message = _message(item, f"It could not be checked: {reason}", ())
    return replace(_of(item), message=message, error=reason)


def _foreign(
    name: str, items: Mapping[int, dict[str, Any]], frame: pd.DataFrame, reviewed: Sequence[ReviewedFinding]
) -> dict[int, Check]:
    """Let Great Expectations evaluate; rows that a reviewer has accepted are left out for a second answer."""
    from sta410kit.guards.great_expectations import ask

    checks = {}
    for (number, item), answer in zip(items.items(), ask(name, list(items.values()), frame), strict=True):
        excused, rest = [], frame
        for finding in reviewed:
            if finding.expectation == item["type"] and not finding.expired and not answer["success"]:
                hit = finding.covers_rows(rest)
                if hit.any() and not hit.all():
                    excused.append(finding.in_words(int(hit.sum())))
                    rest = rest[~hit]
        answered = ask(name, [item], rest)[0] if excused else answer
        reason = _exception(answered)
        if reason:
            checks[number] = _unanswered(item, reason)
            continue
        result = answered["result"]
        count = int(result.get("unexpected_count") or 0)
        found = _break(count) if count else f"Found: {result.get('observed_value')}."
        checks[number] = replace(
            _of(item),
            held=answered["success"],
            rows=tuple(_short_dates(row) for row in result.get("partial_unexpected_index_list") or ()),
            message="" if answered["success"] else _message(item, found, reviewed),
            accepted=tuple(excused),
            found=result,
        )
    return checks


def _exception(answer: Mapping[str, Any]) -> str:
    """Return the first exception message of an answer; Great Expectations nests them by metric."""
    info = answer.get("exception_info") or {}
    entries = [info, *(value for value in info.values() if isinstance(value, dict))]
    return next((str(e["exception_message"]) for e in entries if e.get("exception_message")), "")


def _short_dates(row: Any) -> dict[str, Any]:  # noqa: ANN401 - without symbol and date a row is a number
    """Sessions have no time of day; Great Expectations' ISO stamps carry an empty one."""
    if not isinstance(row, dict):
        return {"row": row}
    return {
        key: value.removesuffix("T00:00:00") if isinstance(value, str) else value
        for key, value in row.items()
    }
