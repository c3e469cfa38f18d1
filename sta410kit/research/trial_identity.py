"""When two trials are the same, and when they were made on the same dataset and target."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_DIGITS = 10  # of a log return; what differs less is noise of the arithmetic
_PIECES = 64
_SHOWN = 5  # symbols
FEWEST = 3  # returns that a Sharpe ratio is judged on: two have no skewness


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

    rows = _in_order(predictions)
    once = np.r_[True, (np.diff(rows.symbol) != 0) | (np.diff(rows.day) != 0)]  # models share their outcomes
    symbol, day, actual = rows.symbol[once], rows.day[once], rows.actual[once]
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    begins = np.flatnonzero(np.r_[True, (np.diff(symbol) != 0) | (np.diff(month) != 0)])
    hashes = _mixed(rows.horizon + _hashed(symbol, day, actual))  # another horizon, another target
    pieces = np.add.reduceat(hashes, begins) >> np.uint64(1)  # SQLite's integers have a sign
    names = sorted({str(name) for name in predictions["symbol"].unique()})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    first, last = day.min(), day.max()
    return Dataset(
        ", ".join(names[:_SHOWN]) + more,
        int(rows.horizon),
        str(np.datetime64(int(first), "D")),
        str(np.datetime64(int(last), "D")),
        tuple(int(piece) for piece in np.unique(pieces)[:_PIECES]),
    )


def digests_of(predictions: pd.DataFrame) -> dict[str, str]:
    """Return a SHA-256 of what each model predicted for which outcomes; none for one that only says zero."""
    found = {}
    for model in predictions["model"].unique():
        rows = _in_order(predictions[predictions["model"] == model])
        if not rows.predicted.any():
            continue
        digest = hashlib.sha256(rows.horizon.tobytes())
        for value in (rows.actual, rows.predicted):
            digest.update(_hashed(rows.symbol, rows.day, value).tobytes())
        found[str(model)] = digest.hexdigest()
    return found


def sharpe_of(returns: pd.Series[float]) -> float | None:
    """Return mean over standard deviation of the sessions' returns, not annualised; `None` if undefined.

    Of fewer than three returns it says nothing: one such ratio, at random a thousand, would stay in the
    ledger and drown every later trial.
    """
    if returns.count() < FEWEST:
        return None
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    # What is left of rounding is no deviation: prices that grow by the same share each day have none.
    return finite(mean / deviation) if deviation > 1e-12 * abs(mean) else None


def finite(value: float) -> float | None:
    """Return the value, or `None` for what is no number."""
    return value if math.isfinite(value) else None


class _Rows(NamedTuple):
    """Predictions in an order that does not depend on theirs; symbols as numbers made from their names."""

    symbol: NDArray[np.uint64]
    day: NDArray[np.int64]
    actual: NDArray[np.float64]
    predicted: NDArray[np.float64]
    horizon: np.uint64


def _in_order(predictions: pd.DataFrame) -> _Rows:
    import numpy as np
    import pandas as pd

    codes, names = pd.factorize(predictions["symbol"])
    numbers = [int.from_bytes(hashlib.sha256(str(name).encode()).digest()[:8], "little") for name in names]
    symbol = np.array(numbers, dtype=np.uint64)[codes]
    day = predictions["date"].dt.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    order = np.lexsort((day, symbol))
    actual, predicted = (
        # Minus zero is zero, and what differs in the eleventh digit is the same.
        np.round(predictions[name].to_numpy(dtype=float), _DIGITS)[order] + 0.0
        for name in ("actual", "predicted")
    )
    return _Rows(symbol[order], day[order], actual, predicted, np.uint64(predictions["horizon"].iloc[0]))


def _hashed(
    symbol: NDArray[np.uint64], day: NDArray[np.int64], value: NDArray[np.float64]
) -> NDArray[np.uint64]:
    """Return a number for each row that another symbol, day or value would change."""
    import numpy as np

    return _mixed(_mixed(symbol + day.view(np.uint64)) + np.ascontiguousarray(value).view(np.uint64))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the values with their bits stirred: the finalizer of SplitMix64 (Steele, Lea and Flood 2014)."""
    import numpy as np

    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    stirred: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return stirred
