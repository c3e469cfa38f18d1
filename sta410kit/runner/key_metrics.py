"""The metrics by which a run is judged and compared with another one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from sta410kit._internal.text import percent
from sta410kit.runner.results import R2

if TYPE_CHECKING:
    from sta410kit.runner.manifest import Manifest


class Metric(NamedTuple):
    """A number in a run's results."""

    name: str
    form: str  # how it is written
    path: tuple[str, ...]  # where it is in the results

    def value(self, manifest: Manifest) -> float | None:
        """Return its value in a run; None where the run has none."""
        found: Any = manifest.results
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return found if number and math.isfinite(found) else None

    def text(self, value: float | None) -> str:
        """Return a value as people read it; empty for None."""
        return percent(value, self.form)

    def of(self, manifest: Manifest) -> str:
        """Return its value in a run as text; empty where the run has none."""
        return self.text(self.value(manifest))


METRICS = {
    "r2": Metric("R² against naive", "+z.2%", ("scores", R2)),
    "rank_ic": Metric("rank IC", "+z.3f", ("verdict", "sheet", "rank_ic", "rank_ic")),
    "sharpe": Metric("Sharpe ratio after costs", "+z.2f", ("verdict", "sheet", "sharpe")),
    "worst_drawdown": Metric("worst drawdown", "z.1%", ("verdict", "sheet", "worst_drawdown", "depth")),
    "coverage": Metric("90 % interval covers", ".1%", ("scores", "coverage")),
    "trials": Metric("trials", ",", ("verdict", "evidence", "trials")),
}
# Names under which notebooks record what is among the metrics.
_SAID = {R2, "rank_ic", "sharpe_after_costs", "coverage"}


def metrics_of(manifest: Manifest) -> dict[str, str]:
    """Return verdict, metrics and other recorded numbers of a run by name, as text."""
    verdict = str(manifest.results.get("verdict", {}).get("verdict", ""))
    found = {"verdict": verdict} | {metric.name: metric.of(manifest) for metric in METRICS.values()}
    scores = manifest.results.get("scores", {})
    found |= {name.replace("_", " "): f"{value:.4g}" for name, value in scores.items() if name not in _SAID}
    return {name: text for name, text in found.items() if text}


def changed_metrics(first: Manifest, second: Manifest) -> list[tuple[str, str, str]]:
    """Return name, first and second value of each metric in which two runs differ.

    What a failed second run has not reached is left out.
    """
    old, new = metrics_of(first), metrics_of(second)
    names = dict.fromkeys([*old, *new] if second.passed else new)
    return [(one, old.get(one, ""), new.get(one, "")) for one in names if old.get(one) != new.get(one)]
