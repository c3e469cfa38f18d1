"""Reading a file of any frame the kit knows, for `sta410 validate`, `triage`, `suggest` and `mutate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataLoadingError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_SEED = 42  # of the example's walk-forward


def read_any_frame(path: Path) -> pd.DataFrame:
    """Return the frame in `path`, as prices if it has the columns of prices."""
    from sta410kit.market.columns import NoPriceColumnsError

    try:
        return read_frame(path, prices=True)
    except NoPriceColumnsError:
        return read_frame(path, prices=False)


def read_frame(path: Path, *, prices: bool, symbols: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Return the frame in `path` as it is written; a single one of `symbols` names prices without a name."""
    from sta410kit.market.sealing import hold_back, require_unsealed

    if prices:
        from sta410kit.market.sources import files

        return hold_back(files.read(path, symbols), require_unsealed(None)).reset_index(drop=True)
    if not path.is_file():
        message = f"no file {path}"
        raise ConfigurationError(message)
    from sta410kit._internal.parquet import read_table

    frame = read_table(path).to_pandas() if path.suffix.lower() in {".parquet", ".pq"} else _read_csv(path)
    kept = hold_back(frame, require_unsealed(None))
    return frame if len(kept) == len(frame) else kept.reset_index(drop=True)


def read_repaired(
    path: Path, suite: str, symbols: tuple[str, ...] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the frame in `path` that `suite` will judge, and what declared repairs have changed in it."""
    from sta410kit.guards import apply_repairs
    from sta410kit.guards.suites import read_suite

    prices = read_suite(suite).judges_prices  # an unknown suite is refused before the file is read
    frame = read_frame(path, prices=prices, symbols=symbols)
    return apply_repairs(frame, suite) if prices else (frame, None)


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.suffix.lower() != ".csv":
        message = f"{path}: expected a .csv or .parquet file"
        raise ConfigurationError(message)
    try:
        # A symbol such as NA or 000001 is text, though it looks like a missing value or a number.
        frame = pd.read_csv(path, dtype={"symbol": str, "model": str}, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as CSV: {error}"
        raise DataLoadingError(message) from error
    if "date" in frame.columns:
        try:
            frame["date"] = pd.to_datetime(frame["date"], format="ISO8601")
        except ValueError as error:
            message = f"{path}: column date: {error}"
            raise DataLoadingError(message) from error
    return frame


def example_frame(suite: str) -> pd.DataFrame:
    """Return clean data for one of the kit's suites, made from the embedded prices."""
    from sta410kit import steps

    prices = steps.prices(None)
    if suite == "prices":
        return prices
    if suite not in {"features", "training", "predictions", "forecasts"}:
        message = f"no example data for the suite '{suite}'; give it some with --data"
        raise ConfigurationError(message)
    features = steps.features(None, prices)
    if suite == "features":
        return features
    if suite == "training":
        from sta410kit.research.walk_forward import training_table

        return training_table(features, prices, steps.DEFAULT_HORIZON)
    if suite == "predictions":
        return steps.predictions(None, prices, _SEED)
    from sta410kit.research.forecasting import forecast

    return forecast(steps.fitted_model(None, prices, _SEED), prices)
