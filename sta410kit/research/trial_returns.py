"""The returns of a trial as few bytes: what the probability of overfitting needs to be computed later."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_HEAD = 4  # bytes that hold the number of sessions


def pack(returns: pd.Series[float]) -> bytes:
    """Return a series indexed by date as bytes: differences of days, then 32-bit floats, compressed."""
    import numpy as np

    ordered = returns.sort_index()
    days = ordered.index.to_numpy().astype("datetime64[D]").astype(np.int32)
    body = np.diff(days, prepend=np.int32(0)).tobytes() + ordered.to_numpy(dtype=np.float32).tobytes()
    return len(ordered).to_bytes(_HEAD, "little") + zlib.compress(body, 1)


def unpack(packed: bytes) -> pd.Series[float]:
    """Return what `pack` was given, to seven digits."""
    import numpy as np
    import pandas as pd

    size = int.from_bytes(packed[:_HEAD], "little")
    body = zlib.decompress(packed[_HEAD:])
    days = np.frombuffer(body, np.int32, size).cumsum().astype("datetime64[D]")
    values = np.frombuffer(body, np.float32, size, offset=4 * size)
    return pd.Series(values.astype(float), index=pd.DatetimeIndex(days.astype("datetime64[us]")))
