"""When two trials are the same, and when they were made on the same dataset and target."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_DIGITS = 10  # of a log return; what differs less is noise of the arithmetic
_PIECES = 64
_SHOWN = 5  # symbols


@dataclass(frozen=True)
class Dataset:
    """Outcomes to be predicted, by what they are called and by pieces that recognise them.

    A piece is a digest of the outcomes of one symbol in one month. Of all pieces the 64 smallest are kept
    (Broder 1997, "On the resemblance and containment of documents"): two datasets that overlap share some, so
    a later start, a longer warm-up or one symbol more does not make a new dataset and a fresh count.
    """

    symbols: str
    horizon: int
    first: str
    last: str
    pieces: tuple[int, ...]


def dataset_of(predictions: pd.DataFrame) -> Dataset:
    """Return what the predictions are about: the outcomes, whatever was predicted for them."""
    import numpy as np

    rows = predictions[["symbol", "date", "actual"]].drop_duplicates(["symbol", "date"])
    rows = rows.sort_values(["symbol", "date"])
    horizon = int(predictions["horizon"].iloc[0])
    date = rows["date"]
    months = (date.dt.year * 12 + date.dt.month).to_numpy()
    symbol = rows["symbol"].astype(str).to_numpy()
    begins = np.flatnonzero((np.diff(months, prepend=-1) != 0) | np.r_[True, symbol[1:] != symbol[:-1]])
    hashes = _row_hashes(rows, "actual") * np.uint64(2 * horizon + 1)  # another horizon, another target
    pieces = np.add.reduceat(hashes, begins) >> np.uint64(1)  # SQLite's integers have a sign
    names = sorted(set(symbol))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Dataset(
        ", ".join(names[:_SHOWN]) + more,
        horizon,
        f"{date.min():%Y-%m-%d}",
        f"{date.max():%Y-%m-%d}",
        tuple(int(piece) for piece in np.unique(pieces)[:_PIECES]),
    )


def digests_of(predictions: pd.DataFrame) -> dict[str, str]:
    """Return a SHA-256 of what each model predicted for which outcomes; none for one that only says zero."""
    found = {}
    for model, part in predictions.groupby("model", sort=False, observed=True):
        if not (part["predicted"] != 0).any():
            continue
        rows = part.sort_values(["symbol", "date"])
        digest = hashlib.sha256(str(int(part["horizon"].iloc[0])).encode())
        digest.update(_row_hashes(rows, "actual").tobytes())
        digest.update(_row_hashes(rows, "predicted").tobytes())
        found[str(model)] = digest.hexdigest()
    return found


def sharpe_of(returns: pd.Series[float]) -> float | None:
    """Return mean over standard deviation of the sessions' returns, not annualised; `None` if undefined."""
    deviation = float(returns.std(ddof=1))
    return finite(float(returns.mean()) / deviation) if deviation > 0 else None


def finite(value: float) -> float | None:
    """Return the value, or `None` for what is no number."""
    return value if math.isfinite(value) else None


def _row_hashes(rows: pd.DataFrame, value: str) -> NDArray[np.uint64]:
    import numpy as np
    import pandas as pd

    plain = pd.DataFrame(
        {
            "symbol": rows["symbol"].astype(str).to_numpy(dtype=object),
            "date": rows["date"].dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.int64),
            "value": np.round(rows[value].to_numpy(dtype=float), _DIGITS) + 0.0,  # minus zero is zero
        }
    )
    hashes: NDArray[np.uint64] = np.asarray(pd.util.hash_pandas_object(plain, index=False))
    return hashes
