"""Write docs/expectations.md, the catalogue of the kit's expectations, with a drawn example of each.

Run ``python scripts/document_expectations.py`` after a change of an expectation or a suite; a test fails
until it was run. An example is a small fault in the embedded prices, or in features and predictions made up
here, and the expectation has to find it: what is drawn is what it found.
"""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sta410kit._internal.atomic_files import write_text
from sta410kit.guards import keep_snapshot, validate
from sta410kit.guards.evaluation import build
from sta410kit.guards.expectations import EXPECTATIONS, judge_all
from sta410kit.guards.panel import Panel
from sta410kit.guards.suites import list_suites, read_suite
from sta410kit.market import load_prices
from sta410kit.research.features import build_features

if TYPE_CHECKING:
    from collections.abc import Callable

    from sta410kit.guards.expectations import Expectation

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "expectations.md"
PICTURES = ROOT / "docs" / "images" / "expectations"
_AT = 100  # row of the first symbol at which a fault begins
_PRICES = ["open", "high", "low", "close", "adj_close"]
_HEAD = """\
# Expectations

The kit's own expectations, as the suites in `expectations/` use them; beside them the suites ask Great
Expectations' generic ones (columns, types, missing values, ranges). Written by
`scripts/document_expectations.py` from the suites, the classes and a fault planted for each. In the pictures
grey is what was there before the fault, blue what arrived, and red the rows that were found; a finding about
a whole series marks none. [Guards](guards.md) says how suites, severities and quarantine work.
"""
_TITLES = {
    "rows_and_dates": "Rows and dates", "price_levels": "Price levels", "bars": "Bars",
    "repeated_bars": "Repeated bars", "other_symbols": "Other symbols", "volumes": "Volumes",
    "history": "History", "features": "Features", "predictions": "Predictions and forecasts",
}  # fmt: skip


class Example(NamedTuple):
    """A fault, and how it is shown: as ``bars``, a column as a line, or ``table`` of columns."""

    frame: str
    fault: Callable[[pd.DataFrame], pd.DataFrame | None]
    show: str = "bars"
    options: dict[str, Any] | None = None


def put(columns: list[str] | str, value: Any, rows: int = 1, at: int = _AT) -> Callable[[pd.DataFrame], None]:  # noqa: ANN401
    """Return a fault that sets columns of some rows to a value, or to what a function makes of them."""

    def fault(frame: pd.DataFrame) -> None:
        here = frame.index[at : at + rows]
        old = frame.loc[here, columns]
        frame.loc[here, columns] = value(old) if callable(value) else value

    return fault


def times(
    columns: list[str] | str, factor: float, rows: int = 1, at: int = _AT
) -> Callable[[pd.DataFrame], None]:
    """Return a fault that multiplies columns of some rows."""
    return put(columns, lambda old: old * factor, rows, at)


def _like(columns: list[str], source: slice, at: int = _AT) -> Callable[[pd.DataFrame], None]:
    return lambda frame: put(columns, frame[columns].to_numpy()[source], source.stop - source.start, at)(
        frame
    )


def _repeat(frame: pd.DataFrame) -> None:
    columns = [*_PRICES, "volume"]
    frame.loc[_AT : _AT + 7, columns] = frame.loc[[_AT] * 8, columns].to_numpy()


def _swap(one: str, two: str) -> Callable[[pd.DataFrame], None]:
    def fault(frame: pd.DataFrame) -> None:
        first = frame["symbol"] == frame["symbol"].iloc[0]
        frame.loc[first, [one, two]] = frame.loc[first, [two, one]].to_numpy()

    return fault


def _constant(column: str) -> Callable[[pd.DataFrame], None]:
    return lambda frame: put(column, 0.001, int((frame["symbol"] == frame["symbol"].iloc[0]).sum()), 0)(frame)


def _copy_symbol(frame: pd.DataFrame) -> None:
    first, second = frame["symbol"].unique()[:2]
    columns = [*_PRICES, "volume"]
    frame.loc[frame["symbol"] == first, columns] = frame.loc[frame["symbol"] == second, columns].to_numpy()


def _session_late(frame: pd.DataFrame) -> None:
    first = frame["symbol"] == frame["symbol"].iloc[0]
    columns = [*_PRICES, "volume"]
    frame.loc[first, columns] = frame.loc[first, columns].shift(1).bfill().to_numpy()


def _order(frame: pd.DataFrame) -> pd.DataFrame:
    order = [*range(_AT), _AT + 1, _AT, *range(_AT + 2, len(frame))]
    return frame.iloc[order].reset_index(drop=True)


_SESSION, _SYMBOL = ["symbol", "date", "close"], ["symbol", "date", "horizon", "predicted"]
EXAMPLES = {
    "expect_rows_in_order": Example("prices", _order, "table symbol date close"),
    "expect_symbols_spelled_alike": Example("prices", put("symbol", "aapl"), "table symbol date close"),
    "expect_dates_without_time": Example(
        "prices", put("date", lambda old: old + pd.Timedelta("9h30min")), "table symbol date close"
    ),
    "expect_dates_not_in_future": Example(
        "prices", put("date", pd.Timestamp("2125-01-02")), "table symbol date close"
    ),
    "expect_last_session_to_be_recent": Example(
        "prices", lambda _: None, "table symbol date close", {"max_age": 3}
    ),
    "expect_sessions_to_match_calendar": Example(
        "prices", lambda frame: frame.drop(index=[_AT, _AT + 1]).reset_index(drop=True)
    ),
    "expect_jumps_to_be_explained": Example("prices", times(_PRICES, 2, _AT, 0)),
    "expect_prices_in_one_unit": Example("prices", times(["open", "high", "low", "close"], 10, 3)),
    "expect_adjusted_close_to_follow_close": Example("prices", times("adj_close", 0.9, 12), "adj_close"),
    "expect_no_reverting_spikes": Example("prices", times(_PRICES, 1.4)),
    "expect_no_extreme_wicks": Example("prices", times("low", 0.4)),
    "expect_prices_within_bar": Example("prices", lambda f: put("close", f["high"].iloc[_AT] * 1.03)(f)),
    "expect_open_to_follow_close": Example("prices", _swap("open", "close")),
    "expect_no_stale_bars": Example("prices", _repeat),
    "expect_no_pasted_bars": Example("prices", _like([*_PRICES, "volume"], slice(40, 80))),
    "expect_symbols_to_differ": Example("prices", _copy_symbol),
    "expect_symbols_in_step": Example("prices", _session_late),
    "expect_no_runs_of_zero_volume": Example("prices", put("volume", 0, 8), "volume"),
    "expect_whole_shares": Example("prices", times("volume", 1 / 3, _AT, 0), "volume"),
    "expect_volume_in_one_unit": Example("prices", times("volume", 0.001, _AT, 0), "volume"),
    "expect_history_unrevised": Example("prices", times(_PRICES, 1.02, 5)),
    "expect_schema_unchanged": Example(
        "prices", lambda frame: frame.assign(vwap=1.0), "table symbol date close vwap"
    ),
    "expect_features_not_collinear": Example(
        "features", lambda frame: frame.assign(return_5=frame["return_1"] * 2), "return_5"
    ),
    "expect_features_to_vary": Example("features", _constant("return_5"), "return_5"),
    "expect_features_not_frozen": Example("features", put("return_5", 0.01, 12), "return_5"),
    "expect_features_not_drifted": Example("features", times("volatility_21", 4, 300, _AT), "volatility_21"),
    "expect_missing_only_in_warm_up": Example("features", put("return_5", np.nan, 4), "return_5"),
    "expect_predictions_to_vary": Example("predictions", _constant("predicted"), "predicted"),
    "expect_predictions_in_scale": Example("predictions", put("predicted", 3.0), "predicted"),
    "expect_outcomes_not_foreseen": Example(
        "predictions", lambda frame: frame.assign(predicted=frame["actual"] * 0.8), "predicted"
    ),
    "expect_intervals_to_hold_outcomes": Example(
        "predictions", lambda f: f.assign(lower=f["predicted"] - 1e-5, upper=f["predicted"] + 1e-5), "upper"
    ),
    "expect_enough_rows_in_each_group": Example(
        "predictions", put("horizon", 7), "table symbol date horizon predicted"
    ),
    "expect_every_symbol_in_each_group": Example(
        "forecasts",
        lambda frame: pd.concat([frame, frame.assign(horizon=5)[1:]], ignore_index=True),
        "table symbol date horizon predicted",
    ),
    "expect_one_date_in_each_group": Example(
        "forecasts", put("date", pd.Timestamp("2010-12-30"), at=1), "table symbol date horizon predicted"
    ),
    "expect_forecasts_in_scale": Example(
        "forecasts", put("predicted", 2.5, at=1), "table symbol date horizon predicted"
    ),
    "expect_whole_numbers": Example(
        "forecasts", lambda frame: frame.assign(horizon=1.5), "table symbol date horizon predicted"
    ),
}


def frames() -> dict[str, pd.DataFrame]:
    """Return small clean frames of each kind."""
    prices = load_prices(symbols=["AAPL", "IBM", "MSFT"], start="2009-01-01", end="2010-12-31")
    features = build_features(prices).dropna().reset_index(drop=True)
    rng = np.random.default_rng(0)
    fold = prices.groupby("symbol").cumcount() // 100
    keys = prices[["symbol", "date"]].assign(horizon=1, model="ridge", fold=fold)
    predicted, actual = rng.normal(0, 0.002, len(keys)), rng.normal(0, 0.02, len(keys))
    predictions = keys.assign(
        predicted=predicted, actual=actual, lower=predicted - 0.03, upper=predicted + 0.03
    )
    forecasts = predictions.groupby("symbol").tail(1).drop(columns=["actual", "fold"]).reset_index(drop=True)
    return {"prices": prices, "features": features, "predictions": predictions, "forecasts": forecasts}


def findings(name: str, clean: pd.DataFrame) -> tuple[pd.DataFrame, set[int], str]:
    """Return the frame with the fault of an example, the rows that were found, and words about them."""
    example = EXAMPLES[name]
    broken = clean.copy()
    if example.show == "volume":
        broken["volume"] = broken["volume"].astype(float)
    changed = example.fault(broken)
    broken = broken if changed is None else changed
    if EXPECTATIONS[name].__module__.endswith("history"):
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder) / "kept.parquet"
            keep_snapshot(clean, validate(clean, "prices", strict=True).require(), kept)
            checks = validate(broken, "prices", snapshot=kept, strict=True).checks
        evidence = next(one.evidence for one in checks if one.expectation == name)
    else:
        (evidence,) = judge_all([_rule(name, example)], Panel(broken))
    if evidence is None or isinstance(evidence, Exception) or evidence.holds:
        message = f"{name} does not find the fault of its example: {evidence}"
        raise SystemExit(message)
    words = [one for one in evidence.notes if not one.startswith("judged by")] or list(evidence.stretches())
    return broken, {int(row) for row in evidence.positions if row >= 0}, "; ".join(words[:2])


def _rule(name: str, example: Example) -> Expectation:
    used = sorted(uses(name), key=lambda use: use[0] != example.frame)
    item = used[0][1] if used else {"type": name, "kwargs": {}}
    return build("catalogue", {**item, "kwargs": {**item["kwargs"], **(example.options or {})}})


def uses(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the suites that have an expectation, and how."""
    suites = map(read_suite, list_suites())
    return [(one.name, item) for one in suites for item in one.expectations if item["type"] == name]


_WIDE, _HIGH, _REACH = 640, 170, 20
_COLUMNS = (10, 110, 290, 390)  # where those of a table begin
_STYLE = (
    "text{font:13px ui-monospace,monospace;fill:#323f4b}path,line{fill:none;stroke:#0b57a4;stroke-width:1.5}"
    ".was{stroke:#9aa5b1}.bad{stroke:#b3261e;stroke-width:2.2}circle{fill:#b3261e}text.bad{fill:#b3261e;stroke:none}"
    "@media(prefers-color-scheme:dark){text{fill:#cbd2d9}path,line{stroke:#7fb4ea}.was{stroke:#616e7c}"
    ".bad{stroke:#ff8a80}circle{fill:#ff8a80}text.bad{fill:#ff8a80}}"
)


def picture(name: str, clean: pd.DataFrame, broken: pd.DataFrame, rows: set[int]) -> str:
    """Return what an expectation found as SVG."""
    show = EXAMPLES[name].show
    changed = next((i for i in range(min(len(clean), len(broken))) if not _same(clean, broken, i)), 0)
    centre = changed if changed in rows or not rows else min(rows, key=lambda row: abs(row - _AT))
    if show.startswith("table"):
        body, high = _table(broken, show.split()[1:], rows, min(centre, max(len(broken) - 5, 0)))
    else:
        body, high = _chart(clean, broken, rows, "" if show == "bars" else show, centre), _HIGH
    label = f"An example of {name}: what it found is red"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {high}" role="img" '
        f'aria-label="{label}">\n'
        f"<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _same(clean: pd.DataFrame, broken: pd.DataFrame, row: int) -> bool:
    one, two = clean.iloc[row], broken.reindex(columns=clean.columns).iloc[row]
    return bool((one.eq(two) | (one.isna() & two.isna())).all())


def _table(frame: pd.DataFrame, columns: list[str], rows: set[int], centre: int) -> tuple[str, int]:
    first = max(centre - 2, 0)
    shown = frame.iloc[first : first + 5]
    lines = [f'<text x="{_COLUMNS[n]}" y="20" opacity=".7">{name}</text>' for n, name in enumerate(columns)]
    for line, (number, row) in enumerate(
        zip(range(first, first + 5), shown.to_dict("records"), strict=False)
    ):
        kind = ' class="bad"' if number in rows else ""
        for n, name in enumerate(columns):
            value = row[name]
            text = str(value).removesuffix(" 00:00:00") if name == "date" else value
            text = f"{text:.4g}" if isinstance(text, float) else text
            lines.append(f'<text x="{_COLUMNS[n]}" y="{44 + 22 * line}"{kind}>{text}</text>')
    return "\n".join(lines), 44 + 22 * len(shown)


def _chart(clean: pd.DataFrame, broken: pd.DataFrame, rows: set[int], column: str, centre: int) -> str:
    symbol = broken["symbol"].iloc[centre]
    own = broken[broken["symbol"] == symbol]
    place = int(own.index.get_loc(centre))
    day = own["date"].iloc[[max(place - _REACH, 0), min(place + _REACH, len(own) - 1)]]
    within = [
        frame[frame["date"].between(*day) & (frame["symbol"] == symbol)].sort_values("date")
        for frame in (clean, broken)
    ]
    dates = sorted({*within[0]["date"], *within[1]["date"]})
    columns = [column] if column else ["open", "high", "low", "close"]
    values = np.concatenate([one[columns].to_numpy(float).ravel() for one in within])
    low, high = np.nanmin(values), np.nanmax(values)

    def x(date: pd.Timestamp) -> float:
        return round(10 + (_WIDE - 20) * (dates.index(date) + 0.5) / len(dates), 1)

    def y(value: float) -> float:
        return round(_HIGH - 12 - (_HIGH - 24) * (value - low) / ((high - low) or 1.0), 1)

    parts = []
    for kind, frame in zip(("was", ""), within, strict=True):
        if kind and frame[columns].equals(within[1][columns]):
            continue
        if column:
            points, gap = "", True
            for date, value in zip(frame["date"], frame[column], strict=True):
                if np.isfinite(value):
                    points += f"{'M' if gap else 'L'}{x(date)} {y(value)}"
                gap = not np.isfinite(value)
            parts.append(f'<path class="{kind}" d="{points}"/>')
        for number, row in frame.iterrows():
            bad = not kind and number in rows
            if column:
                parts += (
                    [f'<circle cx="{x(row["date"])}" cy="{y(row[column])}" r="3.5"/>']
                    if bad and np.isfinite(row[column])
                    else []
                )
                continue
            at, reach = x(row["date"]), round(0.35 * (_WIDE - 20) / len(dates), 1)
            ends = f"M{at} {y(row['low'])}V{y(row['high'])}"
            sides = (
                f"M{round(at - reach, 1)} {y(row['open'])}H{at}M{at} {y(row['close'])}H{round(at + reach, 1)}"
            )
            parts.append(f'<path class="{"bad" if bad else kind}" d="{ends}{sides}"/>')
    return "\n".join(parts)


def _severity(meta: dict[str, Any]) -> str:
    return ", ".join(str(meta[key]).replace("_", " ") for key in ("severity", "on_failure") if key in meta)


def page() -> tuple[str, dict[str, str]]:
    """Return the page, and the pictures by the names of their files."""
    clean, parts, pictures, section = frames(), [_HEAD], {}, ""
    for name, rule in EXPECTATIONS.items():
        subject = rule.__module__.rpartition(".")[2]
        if subject != section:
            parts.append(f"## {_TITLES[subject]}\n")
            section = subject
        frame = clean[EXAMPLES[name].frame]
        broken, rows, found = findings(name, frame)
        pictures[f"{name}.svg"] = picture(name, frame, broken, rows)
        parts.append(f"### `{name}`\n\n{inspect.getdoc(rule)}\n")
        used = dict.fromkeys(f"`{suite}` ({_severity(item['meta'])})" for suite, item in uses(name))
        parts.append(f"In the suites: {', '.join(used) or 'none; add it to one of yours'}.")
        thresholds = [
            f"`{field}` = {value}"
            for field, value in _rule(name, Example("", lambda _: None))
            .model_dump(exclude={"overrides"})
            .items()
            if not isinstance(value, list | dict) and value is not None
        ]
        parts.append(f"Thresholds: {', '.join(thresholds)}.\n" if thresholds else "")
        parts.append(f"![Example](images/expectations/{name}.svg)\n\n*Found: {found}.*\n")
    return "\n".join(parts).rstrip() + "\n", pictures


if __name__ == "__main__":
    text, drawn = page()
    PICTURES.mkdir(exist_ok=True)
    for file, svg in drawn.items():
        write_text(PICTURES / file, svg)
    write_text(PAGE, text)
