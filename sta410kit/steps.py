"""How a notebook reads its inputs and hands over its outputs.

Inputs are the files of the previous step. A notebook opened alone, with nbval or with bare papermill, has
none: it starts from the embedded prices, computes what it needs, and never reads the files of an earlier run.
Only in a kernel that JupyterLab started, notebooks connect: a notebook reads what the others last handed over
in this exploration, see `connect`.

Outputs are files, and values recorded with `record`, which are stored in the executed notebook as invisible
display data in scrapbook's format: ``scrapbook.read_notebook(path).scraps`` reads them.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sta410kit._internal.atomic_files import replacing, write_text
from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import redact_values
from sta410kit._internal.text import pluralize
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import read_accepted, read_quarantined

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit._internal.universe import Universe
    from sta410kit.research.forecasting import FittedModel

DEFAULT_MODEL, DEFAULT_HORIZON = "ridge", 1
END_EARLY = "prices_end_early"  # recorded where stored prices stand in, or the holdout is sealed
MIMETYPE = "application/scrapbook.scrap.json+json"
_NEAR = 10  # days before the sealed holdout: prices that end there were held back, as far as a file can tell
_VERSION = 1  # of scrapbook's payload
_LONGEST = 1024 * 1024  # characters; a table has short cells


class Exploration(Protocol):
    """What the notebooks of a project hand over to each other while a person explores."""

    def enter(self, step: str) -> Path:
        """Return the folder that a notebook writes to, and show what it reads."""

    def find(self, name: str) -> Path | None:
        """Return the file that was last handed over under a name; nothing if none was."""


_explored: list[Exploration] = []  # one, in a kernel that connects its notebooks


def connect(exploration: Exploration) -> None:
    """Have the notebooks of this process read what others last handed over, instead of their defaults."""
    _explored[:] = [exploration]


def step_folder(run_dir: str | Path | None, step: str) -> Path:
    """Return the folder a step writes to: the run's, the exploration's, or ``runs/alone/<step>``."""
    if _explored and not run_dir:
        return _explored[0].enter(step)
    folder = Path(run_dir) if run_dir else project_folder() / "runs" / "alone" / step
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _handed_over(name: str, path: str | Path | None) -> str | Path | None:
    """Return the file that a notebook was given, or the one that its exploration has."""
    return path or (_explored[0].find(name) if _explored else None)


def write_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as Parquet, atomically, for a gate to validate."""
    with replacing(path) as aside:
        frame.to_parquet(aside, index=False, compression="zstd")
    return path


def write_json(value: Any, path: Path) -> Path:  # noqa: ANN401 - any JSON value
    """Write a value as JSON, atomically; NumPy numbers become numbers."""
    write_text(path, json.dumps(value, indent=2, default=float))
    return path


def raw_prices(path: str | Path | None, universe: Universe | None = None) -> pd.DataFrame:
    """Return the prices that have yet to pass the gate, with their rows as written.

    With a universe, those of symbols that are a member at some time.
    """
    from sta410kit.market import load_prices

    path = _handed_over("raw_prices", path)
    rows = load_prices(source="files", path=path, tidy=False) if path else load_prices()
    return universe.of(rows) if universe else rows


def prices(path: str | Path | None) -> pd.DataFrame:
    """Return prices that the gate has accepted, tidied in case a custom suite accepts other rows."""
    from sta410kit.market import load_prices
    from sta410kit.market.tidying import tidy

    path = _handed_over("prices", path)
    return tidy(_accepted(path, "prices")) if path else load_prices()


def record_origin(prices: pd.DataFrame, source: str, path: Path) -> Path:
    """Write where prices are from and how old they are.

    Of a live source, the moment they are as of and why it did not answer are recorded: they are no part of
    the file, so that later steps are reused while the prices stay the same.
    """
    origin = {"source": source, **prices.attrs.pop("sta410.origin", {})}
    for name in ("as_of", "source_failure"):
        if found := origin.pop(name, None):
            record(name, found)
    return write_json(origin, path)


def describe_origin(path: str | Path | None, prices: pd.DataFrame) -> str:
    """Return where the prices are from in a sentence, and why they end early if they do; that is recorded."""
    from sta410kit.holdout import current_seal

    origin: dict[str, Any] = {"source": "sample"}
    if path := _handed_over("origin", path):
        origin = json.loads(Path(path).read_text(encoding="utf-8"))
    notes = [f"Prices of {origin['source']}, the last of {prices['date'].max():%Y-%m-%d}."]
    if behind := origin.get("sessions_behind", 0):
        notes.append(
            f"No newer prices were available: {pluralize(behind, 'session')} closed "
            f"since {origin['last_session']}."
        )
    seal, last = current_seal(), prices["date"].max().date()
    known = date.fromisoformat(origin.get("last_session", "0001-01-01"))
    if seal.closed and seal.start and (known >= seal.start or (seal.start - last).days <= _NEAR):
        notes.append(f"The holdout is sealed: forecasts stop before {seal.start} (HOLDOUT_START).")
    if notes[1:]:
        record(END_EARLY, " ".join(notes[1:]))
    return " ".join(notes)


def quarantined_symbols(path: str | Path | None) -> dict[str, str]:
    """Return the symbols that the gate left out of its prices, and why."""
    path = _handed_over("prices", path)
    table = read_quarantined(path).query("date.isna()") if path else None
    return {} if table is None else dict(zip(table["symbol"], table["reason"], strict=True))


def features(path: str | Path | None, prices: pd.DataFrame) -> pd.DataFrame:
    """Return features that the gate has accepted, or those of `prices`."""
    from sta410kit.research.features import build_features

    path = _handed_over("features", path)
    return _accepted(path, "features") if path else build_features(prices)


def predictions(path: str | Path | None, prices: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return predictions that the gate has accepted, or those of the default model on `prices`."""
    if path := _handed_over("predictions", path):
        return _accepted(path, "predictions")
    return _default_predictions(prices, seed)


def _default_predictions(prices: pd.DataFrame, seed: int) -> pd.DataFrame:
    from sta410kit.research.features import build_features
    from sta410kit.research.walk_forward import walk_forward

    return walk_forward(
        build_features(prices), prices, model=DEFAULT_MODEL, horizon=DEFAULT_HORIZON, seed=seed
    )


def _accepted(path: str | Path, suite: str) -> pd.DataFrame:
    """Return a frame that the gate has accepted; refuse one with rows that have been sealed since."""
    from sta410kit.market.sealing import require_before

    return require_before(read_accepted(Path(path), suite), Path(path))


def fitted_model(path: str | Path | None, prices: pd.DataFrame, seed: int) -> FittedModel:
    """Return the fitted model of the chain, or the default model fitted on `prices`."""
    from sta410kit.research.features import build_features
    from sta410kit.research.forecasting import fit_final
    from sta410kit.research.model_store import load_model

    if path := _handed_over("model_file", path):
        return load_model(Path(path))
    past = _default_predictions(prices, seed)
    return fit_final(
        build_features(prices), prices, past, model=DEFAULT_MODEL, horizon=DEFAULT_HORIZON, seed=seed
    )


def verdict(path: str | Path | None) -> str:
    """Return the verdict that `05_evaluate` has written; empty where it has not run."""
    path = _handed_over("verdict", path)
    return str(json.loads(Path(path).read_text(encoding="utf-8"))["verdict"]) if path else ""


def record(name: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Record a value under a name in the executed notebook; the last of several under one name counts.

    Outside IPython this does nothing, so that code which records can be imported and tested.

    Parameters
    ----------
    name : str
        Its column in the table of a sweep.
    value : str, int, float, bool, None, list or dict
        Dates and paths are recorded as text, NumPy numbers as numbers.

    Raises
    ------
    ConfigurationError
        If the name is empty, or JSON cannot hold the value: a table, a figure, an object, NaN.
    """
    if not isinstance(name, str) or not name.strip():
        message = f"record(name, value) needs a name, got {name!r}"
        raise ConfigurationError(message)
    payload = {"name": name, "data": _redacted(_plain(value, name), name), "encoder": "json"}
    # If IPython is not loaded, no cell is running.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    shell.display_pub.publish(
        data={MIMETYPE: {**payload, "version": _VERSION}},
        metadata={"scrapbook": {"name": name, "data": True, "display": False}},
    )


def recorded_values(outputs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the values recorded in the outputs of cells, by name; other scraps are ignored."""
    found: dict[str, Any] = {}
    for output in outputs:
        scrap = output.get("data", {}).get(MIMETYPE) if isinstance(output.get("data"), dict) else None
        if isinstance(scrap, dict) and isinstance(scrap.get("name"), str) and "data" in scrap:
            found[scrap["name"]] = scrap["data"]
    return found


def _plain(value: Any, name: str) -> Any:  # noqa: ANN401 - passes any value on
    """Return the value as JSON types, or raise `ConfigurationError`."""
    if isinstance(value, bool | str | None):
        return value
    if isinstance(value, int | float):
        return _number(value, name)
    if isinstance(value, dict):
        return {_key(key, name): _plain(item, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    if hasattr(value, "isoformat") or hasattr(value, "__fspath__"):  # dates, also those of pandas; paths
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy scalar
        return _plain(value.item(), name)
    message = (
        f"record({name!r}, ...) takes JSON values: text, numbers, lists, dictionaries; "
        f"got {type(value).__module__}.{type(value).__qualname__}. Record a number computed from it."
    )
    raise ConfigurationError(message)


def _number(value: float, name: str) -> float:
    """Return a subclass of int or float, such as an IntEnum, as the plain type."""
    if not math.isfinite(value):
        message = f"record({name!r}, {value}): JSON has no such number; record None instead"
        raise ConfigurationError(message)
    return int(value) if isinstance(value, int) else float(value)


def _key(key: Any, name: str) -> str:  # noqa: ANN401 - any key
    if not isinstance(key, str):
        message = f"record({name!r}, ...): keys of JSON dictionaries are text, got {key!r}"
        raise ConfigurationError(message)
    return key


def _redacted(value: Any, name: str) -> Any:  # noqa: ANN401 - passes any value on
    """Return the value with secrets redacted, short enough for a table."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST:
        message = f"record({name!r}, ...) takes up to a million characters, got {len(text):,}; write a file"
        raise ConfigurationError(message)
    return redact_values(value)
