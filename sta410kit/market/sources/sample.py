"""The prices shipped with the kit: five US stocks, daily, 2000-03-01 to 2013-03-01.

Provenance and licence are in ``market/data/README.md``; ``scripts/build_sample_prices.py`` rebuilds the file.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from sta410kit.exceptions import ConfigurationError, DataLoadingError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def read(path: str | Path | None, symbols: tuple[str, ...] | None) -> pd.DataFrame:  # noqa: ARG001 - every source has this signature
    """Return the embedded prices; they come from the package, so a `path` is refused."""
    if path is not None:
        message = f"The source 'sample' reads no path, but got {str(path)!r}; use source='files' to read it."
        raise ConfigurationError(message)
    import pandas as pd

    try:
        with (files("sta410kit.market") / "data" / "prices.parquet").open("rb") as stream:
            prices = pd.read_parquet(stream)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        message = f"The prices shipped with the kit cannot be read ({error}); install the kit again."
        raise DataLoadingError(message) from error
    return prices.astype({"symbol": "str"})
