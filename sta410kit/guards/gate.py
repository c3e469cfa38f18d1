"""The gate: a frame and the name of a suite in, evidence out. Any frame, and never a traceback.

Great Expectations passes every row check on an empty frame, raises inside a check whose column is missing,
and accepts an all-null column. Besides the suite's expectations, every gate therefore checks that there are
rows, that each column the suite names exists and holds something, and that no number is infinite.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError, STA410Exception
from sta410kit.guards.declarations import read_events, read_reviewed
from sta410kit.guards.digest import frame_digest
from sta410kit.guards.repairs import emptied_bars, in_words
from sta410kit.guards.result import CRITICAL, Check, GuardResult
from sta410kit.guards.suites import STOP, columns_of, read_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from sta410kit._internal.universe import Universe

LARGEST = 1e300  # anything beyond is infinite for all practical purposes
_ALMOST_NONE = 1e-9  # `mostly` at this share fails only when every value is null
_ROWS, _EXISTS = "expect_table_row_count_to_be_between", "expect_column_to_exist"
_PRESENT, _BETWEEN = "expect_column_values_to_not_be_null", "expect_column_values_to_be_between"
_OF_EXCHANGES = ("expect_sessions_to_match_calendar", "expect_last_session_to_be_recent")
_OF_A_RUN = {
    "expect_history_unrevised": "Sessions accepted before have the values they had then.",
    "expect_schema_unchanged": "Columns are those of the last accepted snapshot.",
    "expect_last_session_to_be_recent": "The last row of each symbol is recent.",
}


def validate(  # noqa: PLR0913 - what a gate can be asked
    frame: pd.DataFrame,
    suite: str | Path = "prices",
    *,
    symbols: Iterable[str] | None = None,
    snapshot: str | Path | None = None,
    max_age: int | None = None,
    exchange: str | None = None,
    prices: pd.DataFrame | None = None,
    repairs: pd.DataFrame | None = None,
    universe: Universe | None = None,
    strict: bool = False,
) -> GuardResult:
    """Judge `frame` by a suite and return what was found.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame, however broken; it is not changed.
    suite : str or Path
        A suite's name (``prices``, ``minute_bars``, ``features``, ``training``, ``predictions``,
        ``forecasts`` or one of the project's own), or the path of a suite file.
    symbols : iterable of str, optional
        Symbols that were asked for; each must have rows.
    snapshot : str or Path, optional
        The last accepted prices, kept by `keep_snapshot`: past sessions and columns must be as they were
        then. A file that does not exist yet has nothing to compare with.
    max_age : int, optional
        Whole sessions of the exchange that may have passed since each symbol's last row.
    exchange : str, optional
        Calendar of all symbols, e.g. ``XLON`` or ``24/7``; by each symbol's suffix when left out.
    prices : pandas.DataFrame, optional
        The accepted prices that `frame` was made of: its gaps explain what is missing there.
    repairs : DataFrame, optional
        What `apply_repairs` changed in `frame`; shown with the result.
    universe : Universe, optional
        From `read_universe`: sessions on which a symbol is no member may be missing.
    strict : bool
        Whether any critical finding refuses the frame, as if the suite quarantined nothing.

    Returns
    -------
    GuardResult
        ``.usable`` is the frame without what is ``.quarantined``. ``.passed`` is false when anything critical
        cannot be left out, or too much would be; ``.require()`` raises then.

    Raises
    ------
    ConfigurationError
        The suite does not exist or cannot be loaded, or judges intraday bars and is asked about sessions.
        What is wrong with the frame is never raised.
    """
    contract = read_suite(suite)
    of_sessions = {"snapshot": snapshot, "max_age": max_age, "exchange": exchange, "universe": universe}
    odd = ", ".join(name for name, value in of_sessions.items() if value is not None)
    if contract.intraday and odd:
        message = f"the suite '{contract.name}' judges intraday bars, not sessions: leave out {odd}"
        raise ConfigurationError(message)
    rows = len(frame) if hasattr(frame, "__len__") else 0
    repaired = () if repairs is None else in_words(repairs)
    result = GuardResult(
        contract.name,
        rows,
        suite_file=str(contract.path),
        repairs=repaired,
        judges_prices=contract.judges_prices,
        intraday=contract.intraday,
    )
    if problem := structure_problem(frame):
        return replace(result, checks=(problem,))
    result = replace(result, judged=frame)
    asked = with_run(contract.expectations, snapshot, max_age, exchange, prices, universe)
    if strict:
        asked = [_stopping(item) for item in asked]
    planned, skipped = plan_checks(asked, frame, [symbols] if isinstance(symbols, str) else symbols)
    from sta410kit.guards.evaluation import evaluate
    from sta410kit.guards.expectations import registered
    from sta410kit.guards.quarantine import leave_out

    folder, known = contract.path.parent, {item["type"] for item in (*contract.expectations, *planned)}
    reviewed = read_reviewed(folder, contract.name, known | set(registered()))
    reviewed += read_events(folder, contract.name)
    reviewed += [] if repairs is None else emptied_bars(repairs, frame, contract)

    try:
        checks, ill_typed = evaluate(contract.name, planned, frame, reviewed, intraday=contract.intraday)
        checks, quarantine = leave_out(contract, planned, frame, checks, reviewed)
    except STA410Exception:
        raise
    except Exception as error:  # noqa: BLE001 - a gate that cannot judge must refuse, not crash
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return replace(result, checks=(Check("gate", message=f"the frame could not be judged: {reason}"),))
    not_asked = [
        f"{one.expectation}: the frame lacks the columns it looks at" for one in checks if one.not_asked
    ]
    return replace(
        result,
        checks=tuple(checks),
        skipped=(*skipped, *ill_typed, *not_asked),
        rules=contract.digest,
        frame=frame_digest(frame),
        quarantine=quarantine,
    )


def _stopping(item: dict[str, Any]) -> dict[str, Any]:
    """Return an expectation whose findings stop; marked where that is by request."""
    meta = item["meta"]
    marks = {} if meta.get("on_failure", STOP) == STOP else {"strict": True}
    return {**item, "meta": {**meta, "on_failure": STOP, **marks}}


def structure_problem(frame: object) -> Check | None:
    """Return what prevents a frame from being evaluated at all, if anything."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        return Check("frame", message=f"expected a pandas DataFrame, got {type(frame).__name__}")
    if isinstance(frame.columns, pd.MultiIndex):
        return Check("frame", message="columns have several levels; one row of names is expected")
    odd = [repr(name) for name in frame.columns if not isinstance(name, str)]
    if odd:
        return Check("frame", message=f"column names must be text; these are not: {', '.join(odd[:5])}")
    twice = ", ".join(frame.columns[frame.columns.duplicated()].unique())
    return Check("frame", column=twice, message=f"columns appear twice: {twice}") if twice else None


def plan_checks(
    expectations: Sequence[dict[str, Any]], frame: pd.DataFrame, symbols: Iterable[str] | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the expectations to evaluate on `frame`, and names of those a missing column rules out.

    The suite's own come first; what every gate adds follows, and never repeats what the suite already has.
    """
    columns = list(dict.fromkeys(name for item in expectations for name in columns_of(item["kwargs"])))
    added = [_added(_ROWS, "The frame holds at least one row.", min_value=1)]
    for name in columns:
        added.append(_added(_EXISTS, f"There is a column {name}.", column=name))
        words = f"Column {name} is not empty throughout."
        added.append(_added(_PRESENT, words, column=name, mostly=_ALMOST_NONE))
    for name in map(str, frame.select_dtypes("number").columns):  # a feature that a user added, too
        words = f"Column {name} is finite."
        added.append(_added(_BETWEEN, words, column=name, min_value=-LARGEST, max_value=LARGEST))
    if symbols is not None:
        wanted = sorted({str(symbol) for symbol in symbols})
        kind = "expect_column_distinct_values_to_contain_set"
        added.append(_added(kind, "Every symbol asked for has rows.", column="symbol", value_set=wanted))
    every = [*expectations, *(item for item in added if not any(_covers(own, item) for own in expectations))]
    possible, skipped = [], []
    for item in every:
        named = columns_of(item["kwargs"])
        missing = [name for name in named if name not in frame.columns]
        if missing and item["type"] != _EXISTS:
            skipped.append(f"{item['type']}({', '.join(named)}): no {', '.join(missing)}")
        else:
            possible.append(item)
    return possible, skipped


def with_run(  # noqa: PLR0913, PLR0917 - what only a run knows
    expectations: Sequence[dict[str, Any]],
    snapshot: str | Path | None,
    max_age: int | None,
    exchange: str | None = None,
    prices: pd.DataFrame | None = None,
    universe: Universe | None = None,
) -> list[dict[str, Any]]:
    """Return the expectations with what only this run knows filled in; what the suite lacks is added."""
    market: dict[str, Any] = {"calendar": exchange, "calendars": {}} if exchange else {}
    if universe:
        market["members"] = {
            symbol: [[f"{first}", f"{last}"] for first, last in periods]
            for symbol, periods in universe.periods.items()
        }
    filled = [
        {**item, "kwargs": {**item["kwargs"], **market}} if item["type"] in _OF_EXCHANGES else item
        for item in expectations
    ]
    values: dict[str, tuple[str, Any]] = {
        "expect_history_unrevised": ("snapshot", snapshot and str(snapshot)),
        "expect_schema_unchanged": ("snapshot", snapshot and str(snapshot)),
        "expect_last_session_to_be_recent": ("max_age", max_age),
        "expect_missing_only_in_warm_up": ("gaps", None if prices is None else gaps_of(prices)),
    }
    for kind, (name, value) in values.items():
        if value is None:
            continue
        places = [number for number, item in enumerate(filled) if item["type"] == kind]
        if not places and kind in _OF_A_RUN:
            filled.append(_added(kind, _OF_A_RUN[kind], **{name: value}))
        for number in places:
            filled[number] = {**filled[number], "kwargs": {**filled[number]["kwargs"], name: value}}
    return filled


def gaps_of(prices: pd.DataFrame) -> dict[str, list[str]]:
    """Return the sessions without a close, by symbol."""
    gaps = prices.loc[prices["close"].isna(), ["symbol", "date"]]
    days = gaps["date"].dt.strftime("%Y-%m-%d")
    return {
        str(symbol): days[rows].tolist()
        for symbol, rows in gaps.groupby("symbol", observed=True).groups.items()
    }


def _covers(own: Mapping[str, Any], added: Mapping[str, Any]) -> bool:
    """Return whether an expectation of the suite already demands at least what the gate would add."""
    asks, wants = own["kwargs"], added["kwargs"]
    if own["type"] != added["type"] or own["meta"]["severity"] != CRITICAL or asks.get("row_condition"):
        return False
    if own["type"] == _ROWS:
        return _at_least(asks.get("min_value"), 1)
    if asks.get("column") != wants.get("column"):
        return False
    if own["type"] == _PRESENT:
        return _at_least(asks.get("mostly", 1), _ALMOST_NONE)
    if own["type"] == _BETWEEN:
        bounded = None not in (asks.get("min_value"), asks.get("max_value"))
        return bounded and _at_least(asks.get("mostly", 1), 1)
    return bool(own["type"] == _EXISTS)


def _at_least(asked: object, bound: float) -> bool:
    return isinstance(asked, int | float) and asked >= bound


def _added(kind: str, description: str, **kwargs: object) -> dict[str, Any]:
    meta = {"severity": CRITICAL, "added_by": "gate"}
    return {"type": kind, "kwargs": kwargs, "meta": meta, "description": description}
