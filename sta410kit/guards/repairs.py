"""Declared repairs: what a reviewer has decided to do about wrong values, in a file reviewed like code.

``repairs.toml`` lies beside the suites::

    [[repair]]
    symbol = "ACME"          # "*" for every symbol
    date = 2024-03-01        # or first and last; every session when left out
    action = "clamp"
    reason = "The vendor rounds the open."
    by = "R. Eviewer"

Repairs are applied on the way into the gate, in the order of the file. The raw values stay in the source, and
in the table of what was repaired, which result and data docs show.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import as_number
from sta410kit._internal.text import did_you_mean, pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.declarations import ReviewedFinding, read_entries
from sta410kit.guards.suites import BAR, PRICE_COLUMNS, PRICES, read_suite

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sta410kit.guards.suites import Suite

FILE = "repairs.toml"
ACTIONS = {
    "quarantine": (),
    "clamp": (),
    "extend": (),
    "set": ("columns", "value"),
    "scale": ("factor",),
    "drop": (),
    "keep_first": (),
}
"""What can be done, and the keys that it needs."""
LOG = ("symbol", "date", "column", "raw", "repaired", "action", "reason", "by")
_NUMBERS = PRICE_COLUMNS[2:]
_COLUMNS = {"quarantine": _NUMBERS, "clamp": ("open", "close"), "scale": PRICES}


class UnusedRepairWarning(UserWarning):
    """A declared repair found nothing to repair."""


def apply_repairs(frame: pd.DataFrame, suite: str | Path = "prices") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply the repairs declared beside a suite, and return the frame and what was changed in it.

    Parameters
    ----------
    frame : DataFrame
        Prices as `load_prices` gives them; not changed.
    suite : str or Path
        The suite that will judge them; ``repairs.toml`` is read from its folder.

    Returns
    -------
    DataFrame
        The frame itself where nothing is declared.
    DataFrame
        ``symbol, date, column, raw, repaired, action, reason, by``, a row for each value that was changed;
        ``column`` is empty where a row was dropped. For `validate(..., repairs=...)`.

    Raises
    ------
    ConfigurationError
        The file or an entry of it is not what it should be, or a column to repair holds no numbers.

    Warns
    -----
    UnusedRepairWarning
        A repair matches no value.
    """
    import numpy as np
    import pandas as pd

    from sta410kit.guards.evidence import at_positions

    path = read_suite(suite).path.parent / FILE
    log = []
    for period, entry, where in read_entries(
        path,
        "repair",
        ("action", "reason", "by"),
        ("columns", "value", "factor"),
        "; say what, why and by whom",
    ):
        action = _checked_action(entry, where)
        names = _listed(entry) or list(_COLUMNS.get(action, BAR))
        if missing := [name for name in ("symbol", "date", *names) if name not in frame.columns]:
            message = f"{where}: the frame has no column {missing[0]}"
            raise ConfigurationError(message)
        rows = at_positions(frame, np.arange(len(frame)))
        hit = period.covers(rows.symbols, rows.days)
        before = frame
        frame, changed = _repaired(frame, hit, entry, names, where)
        if not len(changed) and (period.symbol or period.first):
            message = f"{where} ({period}: {action}) matches nothing; correct it, or delete it"
            warnings.warn(message, UnusedRepairWarning, stacklevel=2)
        for column, at, values in changed:
            keys = before[["symbol", "date"]].iloc[at].reset_index(drop=True)
            raw = before[column].iloc[at].to_numpy(float, na_value=np.nan) if column else np.nan
            log.append(keys.assign(column=column, raw=raw, repaired=values, **{k: entry[k] for k in LOG[5:]}))
    table = pd.concat(log, ignore_index=True) if log else pd.DataFrame(columns=list(LOG))
    return frame, table


def in_words(log: pd.DataFrame) -> tuple[str, ...]:
    """Return a line for each declared repair, with the raw values of the first few bars."""
    lines = []
    for (action, reason, by), rows in log.groupby(["action", "reason", "by"], sort=False):
        shown = [
            f"{row['symbol']} {row['date']:%Y-%m-%d}"
            + (f" {row['column']} {row['raw']:g} -> {row['repaired']:g}" if row["column"] else "")
            for row in rows.head(_SHOWN).to_dict("records")
        ]
        more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
        lines.append(f"{action} by {by}, {pluralize(len(rows), 'value')}: {'; '.join(shown)}{more}. {reason}")
    return tuple(lines)


def emptied_bars(log: pd.DataFrame, frame: pd.DataFrame, suite: Suite) -> list[ReviewedFinding]:
    """Return the bars that declared repairs emptied, whose missing values are no findings any more.

    Symbols of which more is emptied than the suite allows are left to it.
    """
    import numpy as np
    import pandas as pd

    gone = log[log["action"] == "quarantine"].drop_duplicates(["symbol", "date"])
    gone = gone[gone["date"].notna()].sort_values(["symbol", "date"])
    if gone.empty:
        return []
    most = suite.limits.max_bars_per_symbol
    found = []
    for symbol, dates in gone.groupby("symbol", sort=False, observed=True)["date"]:
        if len(dates) > most * int((frame["symbol"] == symbol).sum()):
            continue
        days = pd.to_datetime(dates).to_numpy().astype("datetime64[D]")
        for stretch in np.split(days, np.flatnonzero(np.diff(days).astype(int) > 1) + 1):
            first, last = stretch[0].item(), stretch[-1].item()
            found += [
                ReviewedFinding(str(symbol), first, last, suite.name, kind, "quarantine", emptied=True)
                for kind in _OF_VALUES
            ]
    return found


_SHOWN = 20
_OF_VALUES = ("expect_column_values_to_not_be_null", "expect_history_unrevised")


def _checked_action(entry: dict[str, Any], where: str) -> str:
    action, columns, factor = str(entry["action"]), entry.get("columns", []), entry.get("factor", 1)
    problem = ""
    if action not in ACTIONS:
        problem = (
            f": no action called {action!r}.{did_you_mean(action, ACTIONS)} Actions: {', '.join(ACTIONS)}."
        )
    elif missing := [key for key in ACTIONS[action] if key not in entry]:
        problem = f": {action} needs {', '.join(missing)}"
    elif not as_number(factor) > 0 or math.isinf(factor):
        problem = f": factor must be a number above zero, got {factor!r}"
    elif not math.isfinite(as_number(entry.get("value", 0))):
        problem = f": value must be a number, got {entry['value']!r}"
    elif not isinstance(columns, str | list) or not all(isinstance(name, str) for name in columns):
        problem = f": columns must be a list of column names, got {columns!r}"
    elif unknown := [name for name in _listed(entry) if name not in _NUMBERS and action != "set"]:
        problem = f": {unknown[0]!r} is no column of prices ({', '.join(_NUMBERS)})"
    if problem:
        raise ConfigurationError(where + problem)
    return action


def _listed(entry: dict[str, Any]) -> list[str]:
    """Return the columns of an entry, which may give a single one as text."""
    columns = entry.get("columns", [])
    return [columns] if isinstance(columns, str) else list(columns)


def _repaired(
    frame: pd.DataFrame, hit: NDArray[np.bool_], entry: dict[str, Any], names: list[str], where: str
) -> tuple[pd.DataFrame, list[tuple[str, NDArray[np.int64], Any]]]:
    """Return the frame, and column, positions and new values of what was changed."""
    import numpy as np

    action = entry["action"]
    if action in {"drop", "keep_first"}:
        gone = hit if action == "drop" else hit & frame.duplicated(["symbol", "date"]).to_numpy()
        at = np.flatnonzero(gone)
        return (frame[~gone].reset_index(drop=True), [("", at, np.nan)]) if len(at) else (frame, [])
    wanted = [name for name in dict.fromkeys((*PRICES, *names)) if name in frame.columns]
    if wrong := [name for name in wanted if frame[name].dtype.kind not in "iuf"]:
        message = f"{where}: column {wrong[0]} holds {frame[wrong[0]].dtype}, not numbers"
        raise ConfigurationError(message)
    old = frame.loc[hit, wanted].astype(float)
    # A bar that the source left empty is declared as well.
    empty = old[names].isna().all(axis=1) & (action == "quarantine")
    changed, result = [], frame
    for name, values in _new_values(old, entry, names).items():
        differs = (values.ne(old[name]) & ~(values.isna() & old[name].isna()) | empty).to_numpy()
        if differs.any():
            at, new = np.flatnonzero(hit)[differs], values.to_numpy()[differs]
            column = frame[name].to_numpy(float, na_value=np.nan).copy()
            column[at] = new
            whole = frame[name].dtype.kind in "iu" and bool((column == np.rint(column)).all())
            result = result.assign(**{str(name): column.astype(np.int64) if whole else column})
            changed.append((str(name), at, new))
    return result, changed


def _new_values(old: pd.DataFrame, entry: dict[str, Any], names: list[str]) -> pd.DataFrame:
    """Return the columns that an action changes."""
    action, chosen, bar = entry["action"], old[names], old[list(BAR)]
    if action == "quarantine":
        return chosen * math.nan
    if action == "set":
        return chosen.assign(**dict.fromkeys(names, float(entry["value"])))
    if action == "scale":
        return chosen * float(entry["factor"])
    if action == "extend":
        return bar.agg(["max", "min"], axis=1).set_axis(["high", "low"], axis=1)
    new = chosen.clip(old["low"], old["high"], axis=0)
    if "close" in new and "adj_close" in old:  # the factor between the two stays
        moved = old["adj_close"] * new["close"] / old["close"]
        new["adj_close"] = old["adj_close"].where(new["close"] == old["close"], moved)
    return new
