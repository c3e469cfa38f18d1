"""Choose among the runs of a list, and order them: for people who filter and sort, and for the API."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sta410kit.runner.listing import ListedRun

CATEGORIES = ("kind", "model", "verdict", "outcome")  # filters that take one of the values that occur
ORDERS = ("started", *CATEGORIES, "r2", "rank_ic", "sharpe", "trials", "seconds")


class Selection(BaseModel):
    """Which runs, in which order, and which part of them; an empty filter lets every run pass."""

    model_config = ConfigDict(frozen=True)

    kind: str = ""
    model: str = ""
    verdict: str = ""
    outcome: str = ""
    text: str = ""  # in the run's id, its notebook or its parameters, in any case
    since: str = ""  # first and last day of the start, in UTC, as ISO text
    until: str = ""
    sort: str = "-started"  # one of `ORDERS`, with a minus for the largest first
    page: int = Field(1, ge=1)

    def of(self, runs: Iterable[ListedRun]) -> list[dict[str, Any]]:
        """Return the rows of those runs that pass, in order; those without the value come last."""
        rows = [row for one in runs if self._passes(row := one.to_dict())]
        name = self.sort.removeprefix("-")
        if name not in ORDERS:
            name = ORDERS[0]
        known = [row for row in rows if row[name] not in {None, ""}]
        known.sort(key=lambda row: row[name], reverse=self.sort.startswith("-"))
        return known + [row for row in rows if row[name] in {None, ""}]

    def _passes(self, row: dict[str, Any]) -> bool:
        wanted = {name: getattr(self, name) for name in CATEGORIES}
        if any(value and row[name] != value for name, value in wanted.items()):
            return False
        day = row["started"][:10]
        if (self.since and day < self.since) or (self.until and day > self.until):
            return False
        given = (f"{name}={value}" for name, value in row["parameters"].items())
        return self.text.lower() in " ".join([row["run"], row["title"], *given]).lower()


def choices(runs: Iterable[ListedRun]) -> dict[str, list[str]]:
    """Return the values that occur of each filter that has a few, in order."""
    rows = [{**one.facts, "kind": one.kind, "outcome": one.outcome} for one in runs]
    return {name: sorted({row[name] for row in rows if row[name]}) for name in CATEGORIES}
