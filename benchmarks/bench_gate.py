# ruff: noqa: PLR2004 - the limits of a plain script are literals, which is the point of the comparison
"""What the prices gate costs, beside bare Great Expectations, pandera and plain numpy.

Usage: ``python benchmarks/bench_gate.py [--rows N] [--repeats N] [--only PART]``; run it on an
idle machine, after ``make peers`` (pandera lives in ``.venv-peers``). Each contender runs in a process of its
own, so that peaks of memory do not mix. Exits 0 when every target is met, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
SESSIONS = 4000
PEAK = 2.0  # times the frame
SHAPES = 2.0  # times pandera's generic checks
LINEAR = 1.5  # times the cost of a row in a quarter of the rows
PRICES = ("open", "high", "low", "close", "adj_close")
PAIRS = (("high", "low"), ("high", "open"), ("open", "low"), ("high", "close"), ("close", "low"))


def make_prices(
    rows: int,
    volumes: str = "lognormal",
    *,
    cents: bool = False,
    times: np.ndarray | None = None,
    move: float = 0.012,
) -> pd.DataFrame:
    """Return about `rows` clean made-up prices: 4,000 sessions of the exchange a symbol, or `times`."""
    from sta410kit._internal.calendars import sessions

    if times is None:
        first = int(np.datetime64("2003-01-02", "D").astype(int))
        days = sessions("XNYS", first, first + 2 * SESSIONS)[: min(SESSIONS, rows)]
        times = days.astype("datetime64[D]").astype("datetime64[us]")
    length = len(times)
    symbols = max(1, rows // length)
    rng = np.random.default_rng(1)
    shape = (symbols, length)
    close = rng.uniform(20, 200, (symbols, 1)) * np.exp(np.cumsum(rng.normal(0, move, shape), axis=1))
    opened = np.concatenate([close[:, :1], close[:, :-1]], axis=1) * np.exp(rng.normal(0, move / 3, shape))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, move / 3, shape)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, move / 3, shape)))
    values = {"open": opened, "high": high, "low": low, "close": close}
    frame = pd.DataFrame({name: array.ravel() for name, array in values.items()})
    if cents:
        frame = frame.round(2)
    frame["adj_close"] = frame["close"]
    draw = {"lognormal": (rng.lognormal, 14, 0.4), "even": (rng.uniform, 1e5, 1e7)}[volumes]
    frame["volume"] = draw[0](*draw[1:], symbols * length).astype(np.int64)
    names = pd.Index([f"S{number:05}" for number in range(symbols)], dtype="str")
    frame.insert(0, "symbol", names.repeat(length))
    frame.insert(1, "date", np.tile(times, symbols))
    return frame


def make_minutes(days: int, symbols: int = 50) -> pd.DataFrame:
    """Return clean made-up minutes: 390 a session and symbol, without the gaps of nights."""
    clock = pd.to_timedelta(np.arange(570, 570 + 390), unit="min").to_numpy()
    dates = pd.bdate_range("2023-01-02", periods=days).to_numpy()
    times = (dates[:, None] + clock).ravel().astype("datetime64[us]")
    return make_prices(symbols * len(times), times=times, move=0.0006)


def generic_checks() -> list[dict[str, object]]:
    """Return the prices suite's own generic expectations, without the kit's."""
    content = json.loads((ROOT / "expectations" / "prices.json").read_text(encoding="utf-8"))
    generic = ("expect_column_", "expect_table_", "expect_compound_")
    return [item for item in content["expectations"] if item["type"].startswith(generic)]


def kit(frame: pd.DataFrame, folder: Path, suite: str = "prices") -> bool:
    """Run the whole gate, data docs included."""
    from sta410kit import guards
    from sta410kit.guards import data_docs

    result = guards.validate(frame, suite)
    data_docs.publish(result, folder)
    return result.passed


def bare(frame: pd.DataFrame, checks: list[dict[str, object]]) -> bool:
    """Evaluate checks with Great Expectations alone, no data docs."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("bare")
    batch = source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
    suite = gx.ExpectationSuite(name="prices", expectations=checks)
    # Its type checks do not know pandas' own text: given as objects, as anyone using it has to.
    plain = frame.assign(symbol=frame["symbol"].astype(object))
    return bool(batch.get_batch({"dataframe": plain}).validate(suite, result_format="SUMMARY").success)


def numpy_checks(frame: pd.DataFrame) -> bool:
    """Ask the same in plain numpy, one question after another, as a careful script would."""
    codes, names = pd.factorize(frame["symbol"])
    columns = {name: frame[name].to_numpy() for name in (*PRICES, "volume")}
    dates = frame["date"].to_numpy()
    good = bool(len(frame)) and all(isinstance(name, str) and name.strip() == name for name in names)
    good &= bool((codes >= 0).all()) and not np.isnat(dates).any()
    for name in (*PRICES, "volume"):
        values = columns[name]
        good &= bool(np.isfinite(values).all()) and bool((values > 0).all())
    for one, other in PAIRS:
        good &= bool((columns[one] >= columns[other]).all())
    days = dates.astype("datetime64[D]")
    good &= bool((days == dates).all())
    same = codes[1:] == codes[:-1]
    good &= bool(((codes[1:] > codes[:-1]) | (same & (days[1:] > days[:-1]))).all())
    return good and numpy_market_checks(columns, days.astype(np.int64), same)


def numpy_market_checks(columns: dict[str, np.ndarray], days: np.ndarray, same: np.ndarray) -> bool:
    """Ask about sessions, jumps, spikes, stale and pasted bars, volume: simple rules, no evidence kept."""
    from sta410kit._internal.calendars import sessions

    known = sessions("XNYS", int(days.min()), int(days.max()))
    place = np.searchsorted(known, days)
    good = bool((known[np.minimum(place, len(known) - 1)] == days).all())
    good &= bool((np.diff(place)[same] == 1).all())
    close, opened, volume = np.log(columns["close"]), np.log(columns["open"]), columns["volume"]
    move, gap = np.diff(close)[same], (opened[1:] - close[:-1])[same]
    step = np.diff(np.log(columns["adj_close"]) - close)[same]
    good &= bool((np.abs(gap + step) < 0.2).all()) and bool((np.abs(step) < 2e-4).all())
    good &= not ((np.minimum(np.abs(move[1:]), np.abs(move[:-1])) > 0.1) & (move[1:] * move[:-1] < 0)).any()
    span = np.log(columns["high"]) - np.log(columns["low"])
    good &= bool((span < 0.5).all())
    repeats = np.ones(len(same), bool)
    for name in ("open", "high", "low", "close"):
        repeats &= columns[name][1:] == columns[name][:-1]
    good &= not (repeats & same).any()
    ratio = volume[1:] / volume[:-1]
    good &= not ((ratio > 30) & same).any() and not (volume % 1).any()
    bars = np.sort(columns["close"] / columns["open"] + columns["high"] / columns["low"])
    return good and bool((np.diff(bars) == 0).mean() < 0.01)


def pandera_checks(frame: pd.DataFrame, *, market: bool = True) -> bool:
    """Ask the same of pandera: columns by its own checks, the market by a check on the frame."""
    import pandera.pandas as pa

    price = pa.Column(float, [pa.Check.gt(0), pa.Check.le(1e300)], nullable=False)
    pairs = [pa.Check(lambda df, a=a, b=b: df[a] >= df[b]) for a, b in PAIRS]
    schema = pa.DataFrameSchema(
        {
            "symbol": pa.Column(str, pa.Check.str_matches(r"^\S+$"), nullable=False),
            "date": pa.Column("datetime64[us]", nullable=False),
            **dict.fromkeys(PRICES, price),
            "volume": pa.Column(int, [pa.Check.ge(0), pa.Check.le(1e300)], nullable=False),
        },
        checks=[*pairs, pa.Check(numpy_checks)] if market else pairs,
        unique=["symbol", "date"],
    )
    schema.validate(frame, lazy=True)
    return True


def contender(name: str, path: Path, repeats: int) -> None:
    """Run one contender here and print its seconds and the peak of memory, as JSON."""
    frame = pd.read_parquet(path).astype({"symbol": "str"})
    size = int(frame.memory_usage(deep=True).sum())
    checks = generic_checks()
    with tempfile.TemporaryDirectory() as folder:
        run = {
            "kit": lambda f: kit(f, Path(folder)),
            "minutes": lambda f: kit(f, Path(folder), "minute_bars"),
            "bare": lambda f: bare(f, checks),
            "numpy": numpy_checks,
            "pandera": pandera_checks,
            "generic": lambda f: pandera_checks(f, market=False),
        }[name]
        run(frame.iloc[:5000])  # imports, the calendar and first-time costs are not what is measured
        seconds, wall, passed = [], [], True
        watch = Watch()
        for _ in range(repeats):
            began, started = time.process_time(), time.perf_counter()
            passed &= run(frame)
            seconds.append(time.process_time() - began)
            wall.append(time.perf_counter() - started)
    extra = watch.stop()
    answer = {
        "seconds": statistics.median(seconds),
        "wall": statistics.median(wall),
        "passed": passed,
        "frame": size,
    }
    print(json.dumps({**answer, "extra": extra}))


class Watch:
    """Watches the memory of this process, many times a second, and knows how far it rose."""

    def __init__(self) -> None:
        self.before = self.peak = self._resident()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the bytes by which memory rose above where it began."""
        self._ended.set()
        self._thread.join()
        return self.peak - self.before

    def _look(self) -> None:
        while not self._ended.wait(0.005):
            self.peak = max(self.peak, self._resident())

    @staticmethod
    def _resident() -> int:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()


def ask(name: str, path: Path, repeats: int) -> dict[str, float] | None:
    """Run a contender in a process of its own."""
    python = PEERS if name in {"pandera", "generic"} else Path(sys.executable)
    if not python.exists():
        print(f"{name}: no {python}; run `make peers`")
        return None
    command = [str(python), __file__, "--contender", name, "--path", str(path), "--repeats", str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name} failed:\n{done.stderr[-2000:]}")
        return None
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def part_large(rows: int, repeats: int) -> bool:
    """Compare all contenders on one large frame."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prices.parquet"
        frame = make_prices(rows)
        frame.to_parquet(path, index=False)
        rows = len(frame)
        del frame
        answers = {name: ask(name, path, repeats) for name in ("kit", "numpy", "pandera", "bare")}
    mine = answers["kit"]
    if mine is None:
        return False
    print(f"\nprices gate, {rows:,} rows, {mine['frame'] / 2**20:,.0f} MiB, median of {repeats}")
    print("seconds of processor time, which neighbours on the machine disturb least; waited: by the clock")
    print(f"{'contender':<34}{'seconds':>9}{'waited':>9}{'kit is':>9}{'peak x frame':>14}  target")
    met = True
    targets = {"kit": 0.0, "numpy": 2.0, "pandera": 1.0, "bare": 0.5}
    words = {
        "kit": "kit: every expectation, data docs",
        "numpy": "plain numpy, similar questions",
        "pandera": "pandera, the same questions",
        "bare": "bare GX, generic questions only",
    }
    for name, answer in answers.items():
        if answer is None:
            met = False
            continue
        ratio, peak = mine["seconds"] / answer["seconds"], 1 + answer["extra"] / answer["frame"]
        good = peak <= PEAK if name == "kit" else ratio <= targets[name]
        met &= good and bool(answer["passed"])
        aim = "peak <= 2x frame" if name == "kit" else f"kit <= {targets[name]:g}x"
        print(
            f"{words[name]:<34}{answer['seconds']:>9.2f}{answer['wall']:>9.2f}{ratio:>8.2f}x{peak:>13.2f}x"
            f"  {'met' if good else 'MISSED'} ({aim})"
        )
    return met


def part_shapes(rows: int, repeats: int) -> bool:
    """Compare the gate with pandera's generic checks on data that no shortcut proves clean."""
    print(f"\nprices gate beside pandera's generic checks, {rows:,} rows, median of {repeats}")
    print(f"{'volumes':<12}{'prices':<10}{'kit':>8}{'pandera':>9}{'kit is':>9}{'peak x frame':>14}  target")
    met = True
    for volumes in ("lognormal", "even"):
        for cents in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "prices.parquet"
                make_prices(rows, volumes, cents=cents).to_parquet(path, index=False)
                mine, other = (ask(name, path, repeats) for name in ("kit", "generic"))
            if mine is None or other is None:
                met = False
                continue
            ratio, peak = mine["seconds"] / other["seconds"], 1 + mine["extra"] / mine["frame"]
            good = ratio <= SHAPES and bool(mine["passed"])
            met &= good
            print(
                f"{volumes:<12}{'cents' if cents else 'exact':<10}{mine['seconds']:>8.2f}"
                f"{other['seconds']:>9.2f}{ratio:>8.2f}x{peak:>13.2f}x"
                f"  {'met' if good else 'MISSED'} (kit <= {SHAPES:g}x)"
            )
    return met


def part_minutes(repeats: int) -> bool:
    """Judge minute bars of 50 symbols for a quarter, half a year and a year; cost must follow the rows."""
    print(f"\nminute bars of 50 symbols, median of {repeats}")
    print(f"{'rows':>10}{'seconds':>9}{'us a row':>10}{'peak MiB':>10}{'peak x frame':>14}  target")
    costs, met = [], True
    for days in (63, 126, 252):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "minutes.parquet"
            frame = make_minutes(days)
            rows = len(frame)
            frame.to_parquet(path, index=False)
            del frame
            answer = ask("minutes", path, repeats)
        if answer is None:
            return False
        costs.append(answer["seconds"] / rows)
        total = answer["frame"] + answer["extra"]
        peak = total / answer["frame"]
        good = peak <= PEAK and bool(answer["passed"]) and costs[-1] <= LINEAR * costs[0]
        met &= good
        print(
            f"{rows:>10,}{answer['seconds']:>9.2f}{1e6 * costs[-1]:>10.2f}{total / 2**20:>10,.0f}"
            f"{peak:>13.2f}x  {'met' if good else 'MISSED'} ({LINEAR:g}x the first a row, {PEAK:g}x frame)"
        )
    return met


def part_embedded(repeats: int) -> bool:
    """Compare the gate on the embedded prices with bare Great Expectations of as many expectations."""
    from sta410kit import guards
    from sta410kit.market import load_prices

    frame = load_prices()
    count = guards.validate(frame, "prices").evaluated
    checks = generic_checks()
    checks = (checks * (1 + count // len(checks)))[:count]
    numbered = [{**item, "meta": {"number": number}} for number, item in enumerate(checks)]
    bare(frame, numbered)
    seconds: dict[str, list[float]] = {"kit": [], "bare": []}
    for _ in range(max(3, repeats)):
        for name, run in (
            ("kit", lambda: guards.validate(frame, "prices")),
            ("bare", lambda: bare(frame, numbered)),
        ):
            began = time.process_time()
            run()
            seconds[name].append(time.process_time() - began)
    kit_seconds, bare_seconds = (statistics.median(seconds[name]) for name in ("kit", "bare"))
    good = kit_seconds <= bare_seconds
    print(
        f"\nembedded prices, {count} expectations, warm: kit {kit_seconds:.3f} s, "
        f"bare GX {bare_seconds:.3f} s"
    )
    print(f"kit / bare = {kit_seconds / bare_seconds:.2f}  {'met' if good else 'MISSED'} (<= 1)")
    return good


def main() -> int:
    """Print the tables; return 0 when every target is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the large frame")
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each contender (default: 3)")
    parser.add_argument("--only", choices=("large", "shapes", "minutes", "embedded"), help="run one part")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        contender(given.contender, given.path, given.repeats)
        return 0
    parts = {
        "large": lambda: part_large(given.rows, given.repeats),
        "shapes": lambda: part_shapes(given.rows // 2, given.repeats),
        "minutes": lambda: part_minutes(given.repeats),
        "embedded": lambda: part_embedded(given.repeats),
    }
    met = [
        run() for name, run in parts.items() if given.only in {None, name}
    ]  # each part, whatever came before
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
