"""What is different from yesterday: a run of the chain beside the one that passed before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sta410kit._internal.parquet import read_table
from sta410kit._internal.text import percent, pluralize
from sta410kit.exceptions import ConfigurationError, DataLoadingError
from sta410kit.exit_codes import ExitCode
from sta410kit.guards.data_docs import gates_of
from sta410kit.runner.key_metrics import METRICS
from sta410kit.runner.listing import format_seconds
from sta410kit.runner.manifest import Manifest, read_manifest, runs_before
from sta410kit.runner.results import PRICES
from sta410kit.runner.runs import DATA_DOCS

if TYPE_CHECKING:
    from pathlib import Path

_SMALL = 1e-4  # a forecast nearer to zero has no size to compare
_FACTOR = 2  # a forecast that grew or shrank by this has changed its size
_FORM = "+z.2%"  # of a forecast
_SHOWN = 5  # of a kind, in a message
_BAR = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Change:
    """One thing that differs: what, before and after as text, and in which way."""

    what: str
    before: str
    after: str
    how: str = ""


@dataclass(frozen=True)
class Night:
    """A run of the chain and what is different from the run before it.

    ``before`` is empty where no earlier run has passed; then nothing is compared.
    """

    run: str
    outcome: str
    before: str
    verdict: str  # of this run: its sentence
    data: tuple[str, ...] = ()  # of this run: its warnings, and what was quarantined
    forecasts: tuple[Change, ...] = ()  # turned, grown or shrunk twofold, new, missing
    facts: tuple[Change, ...] = ()  # model, verdict, symbols and last session
    metrics: tuple[Change, ...] = ()  # of this run beside the other, changed or not
    revisions: tuple[str, ...] = ()  # bars of both runs whose values differ, and bars that are gone
    revised: int = 0  # how many there are
    new_findings: tuple[str, ...] = ()  # of gates: suite, expectation and rows
    gone_findings: tuple[str, ...] = ()
    seconds: tuple[float | None, float | None] = field(default=(None, None))  # before, and of this run

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @property
    def lines(self) -> list[str]:
        """What a message says, a line for each kind of difference."""
        return [line for line in (self.verdict, *self.data, *self._lines()) if line]

    def _lines(self) -> Iterator[str]:
        if not self.before:
            yield "No earlier run has passed, so there is nothing to compare with."
            return
        for one in self.facts:
            yield f"{one.what}: {one.after} (before: {one.before})"
        words = [f"{one.what} {one.how}" for one in self.forecasts]
        same = "Forecasts: none turned, doubled or halved" if self.outcome == ExitCode.PASSED.name else ""
        yield _listed("Forecasts", words) or same
        yield _listed(
            f"Revised by the source, {pluralize(self.revised, 'bar')}", self.revisions, self.revised
        )
        yield _listed("New findings of gates", self.new_findings)
        yield _listed("Findings that are gone", self.gone_findings)
        shown = [
            f"{one.what} {one.after}{f' (before: {one.before})' * bool(one.how)}" for one in self.metrics
        ]
        yield _listed("Metrics", shown)
        earlier, now = map(format_seconds, self.seconds)
        yield f"It took {now}{f' (before: {earlier})' if earlier else ''}." if now else ""


def night_of(folder: Path, manifest: Manifest | None = None) -> Night:
    """Return what is different in the run in `folder` from the newest earlier run that passed.

    A run with the same parameters is preferred, so that an experiment in between is not taken for yesterday.
    What a failed run has not reached is not compared.

    Raises
    ------
    ConfigurationError
        It is no run of the chain.
    """
    now = manifest or read_manifest(folder)
    if now.kind != "chain":
        message = f"run {folder.name} is a {now.kind}; nights are runs of the chain: sta410 runs lists them"
        raise ConfigurationError(message)
    verdict = now.results.get("verdict", {})
    said = f"Verdict: {verdict['verdict']}. {verdict['sentence']}" if verdict else ""
    data = (*now.warnings, *now.results.get("quarantined", {}).get("named", []))
    found = previous_run(folder, now)
    if found is None:
        return Night(now.run, now.outcome, "", said, data, seconds=(None, now.seconds))
    earlier, before = found
    new, old = _findings(folder), {}
    with suppress(ConfigurationError):  # of damaged data docs: then all findings are new
        old = _findings(earlier)
    revised = list(_revisions(earlier, folder))
    return Night(
        now.run,
        now.outcome,
        before.run,
        said,
        data,
        tuple(_forecasts(before, now)),
        tuple(_facts(before, now)),
        tuple(_metrics(before, now)),
        tuple(revised[:_SHOWN]),
        len(revised),
        tuple(text for key, text in new.items() if key not in old),
        tuple(text for key, text in old.items() if key not in new),
        (before.seconds, now.seconds),
    )


def previous_run(folder: Path, manifest: Manifest) -> tuple[Path, Manifest] | None:
    """Return the newest run of the chain that passed before this one, if possible with its parameters."""
    other: tuple[Path, Manifest] | None = None
    for earlier, before in runs_before(folder, manifest):
        if before.passed:
            if before.given == manifest.given:
                return earlier, before
            other = other or (earlier, before)
    return other


def _forecasts(before: Manifest, now: Manifest) -> Iterator[Change]:
    old, new = _by_symbol(before), _by_symbol(now)
    if not (new or now.passed):
        return
    missing = now.results.get("no_forecast", {})
    several = len({horizon for _, horizon in [*old, *new]}) > 1
    for key in dict.fromkeys([*new, *old]):
        was, is_now = old.get(key), new.get(key)
        name = f"{key[0]}, {pluralize(key[1], 'session')}" if several else key[0]
        if is_now is None:
            why = missing.get(key[0], "").split(" (")[0]
            how = f"is missing{f': {why}' if why else ''}"
        elif was is None:
            how = f"is new, {percent(is_now, _FORM)}"
        elif max(abs(was), abs(is_now)) < _SMALL:
            continue
        elif was * is_now < 0:
            how = f"turned from {percent(was, _FORM)} to {percent(is_now, _FORM)}"
        elif abs(is_now) >= _FACTOR * max(abs(was), _SMALL):
            how = f"grew from {percent(was, _FORM)} to {percent(is_now, _FORM)}"
        elif abs(was) >= _FACTOR * max(abs(is_now), _SMALL):
            how = f"shrank from {percent(was, _FORM)} to {percent(is_now, _FORM)}"
        else:
            continue
        texts = ["" if one is None else percent(one, _FORM) for one in (was, is_now)]
        yield Change(name, texts[0], texts[1], how)


def _by_symbol(manifest: Manifest) -> dict[tuple[str, int], float]:
    rows = manifest.results.get("forecasts", [])
    return {(row["symbol"], row["horizon"]): row["predicted"] for row in rows}


def _facts(before: Manifest, now: Manifest) -> Iterator[Change]:
    def facts(run: Manifest) -> dict[str, str]:
        verdict, data = run.results.get("verdict", {}), run.results.get("data", {})
        ranking, symbols = verdict.get("ranking", {}), data.get("symbols", [])
        return {
            "Model": run.results.get("model", ""),
            "Verdict": verdict.get("verdict", ""),
            "Ranking": ranking.get("verdict", ""),
            "Last session": data.get("last", ""),
            "Symbols": ", ".join(symbols) if len(symbols) <= 2 * _SHOWN else f"{len(symbols):,}",
            "Source": run.results.get("origin", {}).get("source_failure", "")
            or run.results.get("origin", {}).get("source", ""),
        }

    old, new = facts(before), facts(now)
    for what, value in new.items():
        if value != old[what] and (value or now.passed):
            yield Change(what, old[what] or "none", value or "none")


def _metrics(before: Manifest, now: Manifest) -> Iterator[Change]:
    for metric in METRICS.values():
        earlier, value = metric.of(before), metric.of(now)
        if value or (earlier and now.passed):
            how = "" if earlier == value else "changed"
            yield Change(metric.name, earlier or "none", value or "none", how)


def _findings(folder: Path) -> dict[tuple[str, ...], str]:
    """Return what the newest gates of a run found, warnings too, by suite, expectation and column."""
    found: dict[tuple[str, ...], str] = {}
    for gate in gates_of(folder / DATA_DOCS):
        for one in gate["failures"]:
            rows = f", {pluralize(one['count'], 'row')}" if one["count"] else ""
            column = f"({one['column']})" if one["column"] else ""
            text = f"{gate['suite']}: {one['expectation']}{column} [{one['severity']}{rows}]"
            found[gate["step"], gate["suite"], one["expectation"], one["column"]] = text
    return found


def _revisions(earlier: Path, folder: Path) -> Iterator[str]:
    """Yield the bars that both runs should have and that differ, newest first; adjustments do not count."""
    import pandas as pd

    homes = (earlier, folder)
    paths = [next((home / name for name in PRICES if (home / name).is_file()), None) for home in homes]
    known = [path for path in paths if path]
    if len(known) < len(paths) or known[0].read_bytes() == known[1].read_bytes():
        return
    try:
        old, new = (read_table(path, ["symbol", "date", *_BAR]).to_pandas() for path in known)
    except (DataLoadingError, KeyError):  # a chain of one's own may leave other columns
        return
    span = new.groupby("symbol")["date"].agg(["min", "max"])
    both = old.merge(new, on=["symbol", "date"], how="left", suffixes=("", "_new"), indicator=True)
    both = both.join(span, on="symbol")
    both = both[(both["date"] >= both["min"]) & (both["date"] <= both["max"])]
    gap = both["close"].isna() != both["close_new"].isna()  # quarantined in one of them
    both = both[(both["_merge"] == "left_only") | ~gap]
    same = pd.Series(data=True, index=both.index)
    for name in _BAR:
        values = both[name], both[f"{name}_new"]
        same &= (values[0] == values[1]) | (values[0].isna() & values[1].isna())
    for row in both[~same].sort_values(["date", "symbol"], ascending=[False, True]).to_dict("records"):
        place = f"{row['symbol']} {row['date']:%Y-%m-%d}"
        if row["_merge"] == "left_only":
            yield f"{place} is gone"
        else:
            names = [name for name in _BAR if row[name] != row[f"{name}_new"]]
            yield f"{place} {names[0]} {row[names[0]]:,.6g} became {row[f'{names[0]}_new']:,.6g}"


def _listed(title: str, items: Any, count: int | None = None) -> str:  # noqa: ANN401 - a sequence of text
    """Return a line with the first few items, and how many more there are; nothing without any."""
    total = len(items) if count is None else count
    more = f"; and {total - _SHOWN:,} more" if total > _SHOWN else ""
    return f"{title}: {'; '.join(items[:_SHOWN])}{more}" if items else ""
