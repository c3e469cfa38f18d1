"""Digests that identify a trial, and the dataset and target it belongs to."""

from __future__ import annotations

import hashlib
import math
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

FEWEST_RETURNS = 3  # of a Sharpe ratio: two near each other by chance would have an enormous one
_DIGITS = 10  # of a log return: predictions that differ less are the same trial
_PIECES, _SHOWN_SYMBOLS = 64, 5


class Dataset(NamedTuple):
    """Outcomes to be predicted, described by symbols and dates and recognised by pieces.

    A piece is a digest of the outcomes of one symbol in one month. The 64 smallest are kept (Broder 1997, "On
    the resemblance and containment of documents"): datasets that overlap share some, so a later start, a
    longer warm-up or one symbol more does not begin a fresh count.
    """

    symbols: str
    horizon: int
    first: str
    last: str
    pieces: tuple[int, ...]


def dataset_of(predictions: pd.DataFrame) -> Dataset:
    """Return the dataset and target of predictions, which only depend on their outcomes."""
    import numpy as np

    rows = _ordered(predictions).drop_duplicates(["symbol", "day"])  # models share their outcomes
    month = rows["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]")
    symbol = rows["symbol"].to_numpy()
    begins = np.flatnonzero(np.r_[True, (symbol[1:] != symbol[:-1]) | (month[1:] != month[:-1])])
    hashes = _hashed(rows.drop(columns="predicted"))  # another horizon is another target
    pieces = np.add.reduceat(hashes, begins) >> np.uint64(1)  # SQLite's integers are signed
    names = sorted(set(symbol))
    more = f" and {len(names) - _SHOWN_SYMBOLS} more" if len(names) > _SHOWN_SYMBOLS else ""
    first, last = (str(np.datetime64(int(day), "D")) for day in (rows["day"].min(), rows["day"].max()))
    return Dataset(
        ", ".join(names[:_SHOWN_SYMBOLS]) + more,
        int(rows["horizon"].iloc[0]),
        first,
        last,
        tuple(int(piece) for piece in np.unique(pieces)[:_PIECES]),
    )


def digests_of(predictions: pd.DataFrame) -> dict[str, str]:
    """Return a SHA-256 of each model's predictions and outcomes; none if it predicts zero everywhere."""
    found = {}
    for model in predictions["model"].unique():
        rows = _ordered(predictions[predictions["model"] == model])
        if rows["predicted"].any():
            found[str(model)] = hashlib.sha256(_hashed(rows).tobytes()).hexdigest()
    return found


def at_least_once(p_value: float, trials: int) -> float:
    """Return the chance that one of `trials` independent tests has such a p value (Šidák 1967, JASA 62)."""
    return -math.expm1(trials * math.log1p(-min(p_value, 1 - 1e-12)))


def _ordered(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions sorted by symbol and day, rounded to what counts as different."""
    import numpy as np
    import pandas as pd

    days = predictions["date"].dt.tz_localize(None).to_numpy().astype("datetime64[D]")
    # Adding zero turns minus zero into zero.
    values = {
        name: np.round(predictions[name].to_numpy(dtype=float), _DIGITS) + 0.0
        for name in ("actual", "predicted")
    }
    symbols = predictions["symbol"].astype(str).to_numpy(dtype=object)
    horizons = predictions["horizon"].to_numpy(dtype=np.int64)
    rows = pd.DataFrame({"symbol": symbols, "day": days.astype(np.int64), "horizon": horizons, **values})
    return rows.sort_values(["symbol", "day"], kind="stable", ignore_index=True)


def _hashed(rows: pd.DataFrame) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each row."""
    import numpy as np
    import pandas as pd

    hashes: NDArray[np.uint64] = np.asarray(pd.util.hash_pandas_object(rows, index=False), np.uint64)
    return hashes


def pack(returns: pd.Series[float]) -> bytes:
    """Return a series indexed by date as compressed 32-bit days and floats."""
    import numpy as np

    ordered = returns.sort_index()
    days = ordered.index.to_numpy().astype("datetime64[D]").astype("<i4")
    return zlib.compress(np.diff(days, prepend=np.int32(0)).tobytes() + ordered.to_numpy("<f4").tobytes(), 1)


def unpack(packed: bytes) -> pd.Series[float]:
    """Return the series given to `pack`, to seven digits."""
    import numpy as np
    import pandas as pd

    body = zlib.decompress(packed)
    days = np.frombuffer(body[: len(body) // 2], "<i4").cumsum().astype("datetime64[D]")
    values = np.frombuffer(body[len(body) // 2 :], "<f4").astype(float)
    return pd.Series(values, index=pd.DatetimeIndex(days.astype("datetime64[us]")))


def sharpe_of(returns: pd.Series[float]) -> float | None:
    """Return mean over standard deviation of session returns, not annualised; `None` if undefined."""
    if returns.count() < FEWEST_RETURNS:
        return None
    mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
    ratio = mean / deviation if deviation > 1e-12 * abs(mean) else math.nan  # more than rounding varies
    return ratio if math.isfinite(ratio) else None
