"""How steps hand over their work: what the step before wrote, or, opened alone, the embedded prices.

A notebook opened alone, in JupyterLab or with bare papermill, is given no files. It then starts from the
embedded prices and computes what it needs, never reading what the last run left behind.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sta410kit.atomic import replacing
from sta410kit.guards import read_accepted
from sta410kit.project import project_folder

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.research.forecasting import FittedModel

DEFAULT_MODEL, DEFAULT_HORIZON = "ridge", 1


def step_folder(run_dir: str | Path | None, step: str) -> Path:
    """Return the folder a step writes to: the run's, or the step's own under ``runs/alone/``."""
    folder = Path(run_dir) if run_dir else project_folder() / "runs" / "alone" / step
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as Parquet, whole or not at all, for a gate to judge."""
    with replacing(path) as aside:
        frame.to_parquet(aside, index=False, compression="zstd")
    return path


def raw_prices(path: str | Path | None) -> pd.DataFrame:
    """Return the prices that still have to pass the gate, their rows as written."""
    from sta410kit.market import load_prices

    return load_prices(source="files", path=path, tidy=False) if path else load_prices()


def prices(path: str | Path | None) -> pd.DataFrame:
    """Return prices that the gate has accepted; tidy, should a suite of your own let other rows pass."""
    from sta410kit.market import load_prices
    from sta410kit.market.tidying import tidy

    return tidy(_accepted(path, "prices")) if path else load_prices()


def features(path: str | Path | None, prices: pd.DataFrame) -> pd.DataFrame:
    """Return features that the gate has accepted, or those of `prices`."""
    from sta410kit.research.features import build_features

    return _accepted(path, "features") if path else build_features(prices)


def predictions(path: str | Path | None, prices: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return predictions that the gate has accepted, or those of the default model on `prices`."""
    from sta410kit.research.features import build_features
    from sta410kit.research.walk_forward import walk_forward

    if path:
        return _accepted(path, "predictions")
    return walk_forward(
        build_features(prices), prices, model=DEFAULT_MODEL, horizon=DEFAULT_HORIZON, seed=seed
    )


def _accepted(path: str | Path, suite: str) -> pd.DataFrame:
    """Return a frame that the gate has accepted; one of an earlier run may hold what is sealed by now."""
    from sta410kit.market.sealing import require_before

    return require_before(read_accepted(Path(path), suite), Path(path))


def fitted_model(path: str | Path | None, prices: pd.DataFrame, seed: int) -> FittedModel:
    """Return the model the chain has fitted, or the default model fitted on `prices`."""
    from sta410kit.research.features import build_features
    from sta410kit.research.forecasting import fit_final
    from sta410kit.research.model_store import load_model

    if path:
        return load_model(Path(path))
    past = predictions(None, prices, seed)
    return fit_final(
        build_features(prices), prices, past, model=DEFAULT_MODEL, horizon=DEFAULT_HORIZON, seed=seed
    )
