"""The gate: a frame and the name of a suite in, evidence out. Any frame, and never a traceback."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import STA410Exception
from sta410kit.guards.digest import frame_digest
from sta410kit.guards.events import read_events
from sta410kit.guards.plan import plan_checks, with_run
from sta410kit.guards.repairs import emptied_bars, in_words
from sta410kit.guards.result import Check, GuardResult
from sta410kit.guards.reviewed import read_reviewed
from sta410kit.guards.suites import STOP, read_suite

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    from sta410kit._internal.universe import Universe


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
        A suite's name (``prices``, ``features``, ``training``, ``predictions``, ``forecasts`` or one of the
        project's own), or the path of a suite file.
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
        The suite does not exist or cannot be loaded. What is wrong with the frame is never raised.
    """
    contract = read_suite(suite)
    rows = len(frame) if hasattr(frame, "__len__") else 0
    repaired = () if repairs is None else in_words(repairs)
    result = GuardResult(
        contract.name,
        rows,
        suite_file=str(contract.path),
        repairs=repaired,
        judges_prices=contract.judges_prices,
    )
    if problem := structure_problem(frame):
        return replace(result, checks=(problem,))
    asked = with_run(contract.expectations, snapshot, max_age, exchange, prices, universe)
    if strict:
        asked = [_stopping(item) for item in asked]
    planned, skipped = plan_checks(asked, frame, [symbols] if isinstance(symbols, str) else symbols)
    from sta410kit.guards.evaluation import evaluate
    from sta410kit.guards.expectations import EXPECTATIONS
    from sta410kit.guards.quarantine import leave_out

    folder, known = contract.path.parent, {item["type"] for item in (*contract.expectations, *planned)}
    reviewed = read_reviewed(folder, contract.name, known | set(EXPECTATIONS))
    reviewed += read_events(folder, contract.name)
    reviewed += [] if repairs is None else emptied_bars(repairs, frame, contract)

    try:
        checks, ill_typed = evaluate(contract.name, planned, frame, reviewed)
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
