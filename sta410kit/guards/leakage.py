"""The leak probe: features at *t* must not change when the future is cut off or becomes another one.

Any function of prices that looks ahead gives itself away: recomputed on the history up to a cutoff, or with
everything after the cutoff disturbed, its past values differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, LeakageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pandas as pd

_KEYS = ["symbol", "date"]


@dataclass(frozen=True)
class LeakFinding:
    """One column that knew something of the future.

    Attributes
    ----------
    column : str
        The column.
    symbol : str
        The symbol of the first bad row.
    date : str
        Its session, ``YYYY-MM-DD``: the value there changed with what came later.
    cutoff : str
        The last session that was left unchanged when it did.
    sessions : int
        How many sessions before the cutoff the first bad row stands, 0 for the cutoff itself: a look ahead of
        at least this many sessions plus one.
    """

    column: str
    symbol: str
    date: str
    cutoff: str
    sessions: int

    def __str__(self) -> str:
        return (
            f"{self.column}: the value of {self.symbol} on {self.date} depends on prices after {self.cutoff} "
            f"(uses at least t+{self.sessions + 1})"
        )


@dataclass(frozen=True)
class LeakReport:
    """What the probe found, with ``.passed`` when it found nothing."""

    findings: tuple[LeakFinding, ...]
    columns: tuple[str, ...]
    cutoffs: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no column depends on the future."""
        return not self.findings

    def require(self) -> LeakReport:
        """Return the report itself, or raise when a column depends on the future.

        Raises
        ------
        LeakageError
            Names every such column and its first bad row.
        """
        if self.passed:
            return self
        lines = "\n".join(f"  - {finding}" for finding in self.findings)
        message = f"the leak probe found columns that look ahead:\n{lines}"
        raise LeakageError(message)

    def _repr_html_(self) -> str:
        colour, word = ("#00734d", "no leak found") if self.passed else ("#b3261e", "LEAK")
        rows = "".join(f"<li>{escape(str(finding))}</li>" for finding in self.findings)
        return (
            f'<div style="border-left:6px solid {colour};padding:6px 12px;margin:4px 0">'
            f'<b>leak probe</b>: <b style="color:{colour}">{word}</b> &mdash; {len(self.columns)} columns, '
            f"{len(self.cutoffs)} cutoffs, future cut off and future disturbed<ul>{rows}</ul></div>"
        )


def probe_leaks(
    build: Callable[[pd.DataFrame], pd.DataFrame],
    prices: pd.DataFrame,
    cutoffs: int | Sequence[object] = 3,
    seed: int = 0,
    tolerance: float = 1e-9,
) -> LeakReport:
    """Recompute `build` on other futures and demand the same past.

    Parameters
    ----------
    build : callable
        From a prices frame to a frame with ``symbol``, ``date`` and float columns.
    prices : pandas.DataFrame
        Tidy prices, as in `sta410kit.market.load_prices`.
    cutoffs : int or sequence of dates
        Sessions after which the future is changed; a number spreads that many over the second half.
    seed : int
        Of the disturbance.
    tolerance : float
        Relative to the column's own scale; recomputation on a shorter frame may differ in the last digits.

    Returns
    -------
    LeakReport
        One finding a column: its first bad row over all cutoffs.
    """
    import numpy as np
    import pandas as pd

    sessions = np.sort(prices["date"].unique())
    if len(sessions) < 10:  # noqa: PLR2004 - too short to have a past and a future
        message = f"the leak probe needs at least 10 sessions, got {len(sessions)}"
        raise ConfigurationError(message)
    chosen = _spread(sessions, cutoffs) if isinstance(cutoffs, int) else [pd.Timestamp(c) for c in cutoffs]  # type: ignore[arg-type]
    whole = build(prices)
    columns = [name for name in whole.columns if name not in _KEYS]
    rng = np.random.default_rng(seed)
    found: dict[str, LeakFinding] = {}
    for cutoff in chosen:
        for changed in (prices[prices["date"] <= cutoff], _disturbed(prices, cutoff, rng)):
            past = whole[whole["date"] <= cutoff]
            again = past[_KEYS].merge(build(changed.reset_index(drop=True)), on=_KEYS, how="left")
            for name in columns:
                if name in found:
                    continue
                bad = _differs(past[name].to_numpy(float), again[name].to_numpy(float), tolerance)
                if bad.any():
                    row = past.loc[bad, _KEYS].sort_values("date").iloc[0]
                    found[name] = _finding(name, row, cutoff, sessions)
    return LeakReport(tuple(found.values()), tuple(columns), tuple(f"{c:%Y-%m-%d}" for c in chosen))


def _spread(sessions: np.ndarray, number: int) -> list[pd.Timestamp]:
    import numpy as np
    import pandas as pd

    if number < 1:
        message = f"the leak probe needs at least one cutoff, got {number}"
        raise ConfigurationError(message)
    places = np.linspace(len(sessions) // 2, len(sessions) - 2, number).astype(int)
    return [pd.Timestamp(sessions[place]) for place in dict.fromkeys(places)]


def _disturbed(prices: pd.DataFrame, cutoff: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Return prices whose rows after `cutoff` are scaled by a random factor each, order of a bar kept."""
    later = (prices["date"] > cutoff).to_numpy()
    changed = prices.copy()
    factor = rng.uniform(0.5, 2.0, size=int(later.sum()))
    for name in ("open", "high", "low", "close", "adj_close", "volume"):
        values = changed[name].to_numpy(float).copy()
        values[later] *= factor
        changed[name] = values
    return changed


def _differs(past: np.ndarray, again: np.ndarray, tolerance: float) -> np.ndarray:
    import numpy as np

    scale = np.nanmax(np.abs(past), initial=0.0, where=np.isfinite(past)) or 1.0
    same: np.ndarray = np.isclose(past, again, rtol=0, atol=tolerance * scale, equal_nan=True)
    return ~same


def _finding(name: str, row: pd.Series, cutoff: pd.Timestamp, sessions: np.ndarray) -> LeakFinding:
    between = int(((sessions > row["date"]) & (sessions <= cutoff)).sum())
    return LeakFinding(name, str(row["symbol"]), f"{row['date']:%Y-%m-%d}", f"{cutoff:%Y-%m-%d}", between)
