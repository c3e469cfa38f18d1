"""Fill the store of prices, and let the gate judge what a source has revised."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.text import pluralize
from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.exit_codes import ExitCode
from sta410kit.guards import validate
from sta410kit.market.sources import open_source
from sta410kit.market.store import files
from sta410kit.market.store.files import PriceStore
from sta410kit.market.store.reading import sessions_behind, stored_prices
from sta410kit.market.store.updating import (
    DEFAULT_EXCHANGE,
    Market,
    differences,
    revisions,
    update,
    wanted_span,
)
from sta410kit.runner.terminal import say, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sta410kit.guards.result import GuardResult
    from sta410kit.market.store.updating import Period

_UNREVISED = "expect_history_unrevised"
_SHOWN = 20  # differences in the terminal


@dataclass(frozen=True)
class Fetched:
    """What `fetch` did."""

    source: str
    added: int  # bars and corporate actions that were new
    behind: int  # sessions that have closed since the last bar
    stored: pd.DataFrame  # one row per symbol: ``symbol, first, last, bars``
    # What the source has revised, one row per value: ``symbol, date, kind, field, stored, revised``, and
    # `accepted`, whether the gate lets it become current.
    revised: pd.DataFrame

    @property
    def outcome(self) -> ExitCode:
        """``DATA_REJECTED`` if the gate refuses a revision: source and store differ until it is reviewed."""
        return ExitCode.PASSED if self.revised["accepted"].all() else ExitCode.DATA_REJECTED

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "outcome": self.outcome.name,
            "exit_code": int(self.outcome),
            "source": self.source,
            "added": self.added,
            "sessions_behind": self.behind,
            "stored": _records(self.stored),
            "revised": _records(self.revised),
        }


def fetch(
    source: str,
    symbols: Sequence[str] | None,
    period: Period,
    exchange: str | None = None,
    *,
    again: bool = False,
) -> Fetched:
    """Bring the store of the project up to date, and judge the revisions that are held.

    Parameters
    ----------
    source : str
        A remote source.
    symbols : sequence of str, optional
        All that are stored when omitted.
    period : tuple of two dates
        First and last day, each None for what is stored or usual.
    exchange : str, optional
        Calendar of all symbols.
    again : bool
        Whether to ask again for what is stored, to find revisions.

    Raises
    ------
    APIError
        The source does not answer; what it answered before is stored.
    ConfigurationError
        No symbols are named, and none are stored; or no session of the period has closed.
    DataLoadingError
        The source has no prices of a symbol; the others are stored.
    """
    store, remote = PriceStore.of_project(), open_source(source)
    wanted = tuple(symbols or store.symbols(source))
    if not wanted:
        message = f"no symbols of {source} are stored yet; name them: sta410 fetch AAPL KO --source {source}"
        raise ConfigurationError(message)
    market = Market(remote.exchange or DEFAULT_EXCHANGE, exchange, files.now())
    if not any(wanted_span(store, market, source, symbol, period) for symbol in wanted):
        raise ConfigurationError(_nothing(period, market, wanted[0]))
    done = update(store, remote, wanted, period, market, again=again)
    revised = judge_revisions(store, source, wanted, exchange)
    prices = stored_prices(store, source, wanted)
    stored = prices.groupby("symbol")["date"].agg(first="min", last="max", bars="size").reset_index()
    absent = sorted({*wanted} - {*stored["symbol"]})
    if absent:
        others = " The others are stored." if len(stored) else ""
        message = f"{source} has no prices of {', '.join(absent)}; check the spelling.{others}"
        raise DataLoadingError(message)
    return Fetched(source, done.added, sessions_behind(prices, market), stored, revised)


def _nothing(period: Period, market: Market, symbol: str) -> str:
    first, last = period
    newest = market.closed(symbol)[-1]
    if first and first > newest:
        return f"nothing to fetch: {first} (--from) is after {newest}, the last session that has closed"
    return f"nothing to fetch: {last} (--to) is before the first day; name that with --from"


def judge_revisions(
    store: PriceStore, source: str, symbols: Sequence[str], exchange: str | None = None
) -> pd.DataFrame:
    """Let the gate compare the revised prices with the stored ones, and store what it accepts.

    What it would quarantine stays held, and is judged again next time.

    Returns
    -------
    DataFrame
        As `Fetched.revised`.
    """
    rows = revisions(store, source, symbols)
    found = differences(store, source, rows)
    if rows.empty:
        return found.assign(accepted=True)
    names = list(rows["symbol"].unique())
    with tempfile.TemporaryDirectory() as folder:
        snapshot = Path(folder) / "stored.parquet"
        stored_prices(store, source, names).to_parquet(snapshot)
        result = validate(
            stored_prices(store, source, names, revised=rows), "prices", snapshot=snapshot, exchange=exchange
        )
    good = _accepted(rows, result)
    accepted = rows[good]
    if len(accepted):
        days = accepted.groupby("symbol")["date"].agg(["min", "max"])
        spans = {str(name): (first.date(), last.date()) for name, first, last in days.itertuples()}
        store.append(source, accepted, spans)
    keys = ["symbol", "date", "kind"]
    return found.merge(rows[keys].assign(accepted=good), on=keys)


def _accepted(rows: pd.DataFrame, result: GuardResult) -> pd.Series[bool]:
    """Return which rows the gate lets pass: a bar by itself, an action if no bar of its symbol changes."""
    import pandas as pd

    left_out = result.quarantined
    whole = set(left_out.loc[left_out["date"].isna(), "symbol"])
    bars = pd.MultiIndex.from_frame(left_out[["symbol", "date"]])
    changed = set(left_out.loc[left_out["expectation"] == _UNREVISED, "symbol"])
    action = rows["kind"] != "bar"
    refused = rows["symbol"].isin(whole) | pd.MultiIndex.from_frame(rows[["symbol", "date"]]).isin(bars)
    return (result.passed & ~(refused | (action & rows["symbol"].isin(changed)))).astype(bool)


def print_fetched(found: Fetched) -> None:
    """Print what is stored, and what was revised."""
    cells = [(one["symbol"], one["first"], one["last"], f"{one['bars']:,}") for one in _records(found.stored)]
    show_table(("symbol", "first", "last", "bars"), cells, title=f"stored of {found.source}", right=("bars",))
    age = f"{pluralize(found.behind, 'session')} behind" if found.behind else "up to date"
    say(f"{pluralize(found.added, 'row')} added, {age}")
    rows = _records(found.revised)
    if not rows:
        return
    shown = [
        (
            one["symbol"],
            one["date"],
            one["field"],
            *(f"{one[name]:,.6g}" if one[name] == one[name] else "none" for name in ("stored", "revised")),
            "accepted" if one["accepted"] else "held",
        )
        for one in rows[:_SHOWN]
    ]
    columns = ("symbol", "date", "field", "stored", "revised", "gate")
    show_table(columns, shown, title=f"revised by {found.source}", right=columns[3:5])
    if len(rows) > _SHOWN:
        say(f"and {len(rows) - _SHOWN:,} more; --json lists all")
    if held := [one for one in rows if not one["accepted"]]:
        say(
            "the stored values stay current. To accept a revision, add it to expectations/accepted.toml and "
            f'fetch again:\n[[finding]]\nsuite = "prices"\nexpectation = "{_UNREVISED}"\n'
            f'symbol = "{held[0]["symbol"]}"\nfirst = {held[0]["date"]}\n'
            'reason = "why it is right"\nby = "your name"\nexpires = 2099-12-31',
            err=True,
        )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    days = [name for name in ("date", "first", "last") if name in frame and len(frame)]
    found = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in days})
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]
