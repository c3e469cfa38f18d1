"""The identity of a frame: same names and values, same digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_PIECE = 1 << 18


def frame_digest(frame: pd.DataFrame) -> str:
    """Return a SHA-256 of names and values, or nothing for a frame whose values cannot be hashed.

    Values, not their layout: nullable, Arrow and categorical columns of the same values, dates of another
    unit, and text as objects or as strings have the same digest. Whole numbers differ from floats.
    """
    digest = hashlib.sha256("\0".join(map(str, frame.columns)).encode())
    try:
        for place in range(frame.shape[1]):
            _add(digest, frame.iloc[:, place])
    except (
        TypeError,
        ValueError,
        OverflowError,
    ):  # lists or dictionaries in cells, dates beyond any calendar
        return ""
    return digest.hexdigest()


def _add(digest: hashlib._Hash, column: pd.Series[Any]) -> None:
    import numpy as np
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype

    dtype = column.dtype
    if is_bool_dtype(dtype) or isinstance(dtype, pd.DatetimeTZDtype):
        digest.update(pd.util.hash_pandas_object(column, index=False).to_numpy().tobytes())
    elif is_integer_dtype(dtype) and not column.hasnans:
        _feed(digest, "i", column.to_numpy(), np.int64)
    elif is_float_dtype(dtype) or is_integer_dtype(dtype):
        plain = isinstance(dtype, np.dtype)
        numbers = column.to_numpy() if plain else column.to_numpy(np.float64, na_value=np.nan)
        _feed(digest, "f", numbers, np.float64)
    elif dtype.kind == "M":
        stamps = column.to_numpy()
        _feed(digest, "d", stamps if stamps.dtype.kind == "M" else stamps.astype("datetime64[us]"), "M8[us]")
    else:
        codes, values = pd.factorize(column)
        _feed(digest, "t", codes, np.int32)
        digest.update(pd.util.hash_array(np.asarray(values, dtype=object)).tobytes())


def _feed(digest: hashlib._Hash, kind: str, values: NDArray[np.generic], dtype: object) -> None:
    """Add values a piece at a time, so that no copy of a long column is made."""
    import numpy as np

    digest.update(kind.encode())
    for start in range(0, len(values), _PIECE):
        piece = np.ascontiguousarray(values[start : start + _PIECE].astype(dtype))  # type: ignore[call-overload]
        digest.update(piece.view(np.uint8).data)
