"""The identity of a frame: same names and values, same digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def frame_digest(frame: pd.DataFrame) -> str:
    """Return a SHA-256 of names and values, or nothing for a frame whose values cannot be hashed.

    Values, not their layout: nullable, Arrow and categorical columns of the same values, dates of another
    unit, and text as objects or as strings have the same digest. Whole numbers differ from floats.
    """
    import numpy as np

    digest = hashlib.sha256("\0".join(map(str, frame.columns)).encode())
    try:
        for place in range(frame.shape[1]):
            kind, values = _values(frame.iloc[:, place])
            digest.update(kind)
            digest.update(np.ascontiguousarray(values).view(np.uint8).data)
    except (TypeError, ValueError, OverflowError):  # lists in cells, dates beyond any calendar
        return ""
    return digest.hexdigest()


def _values(column: pd.Series[Any]) -> tuple[bytes, NDArray[np.generic]]:
    """Return the kind of a column and its values, in the one form that all layouts of them have."""
    import numpy as np
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype

    dtype = column.dtype
    if is_bool_dtype(dtype) or isinstance(dtype, pd.DatetimeTZDtype):
        return b"", pd.util.hash_pandas_object(column, index=False).to_numpy()
    if is_integer_dtype(dtype) and not column.hasnans:
        return b"i", column.to_numpy().astype(np.int64, copy=False)
    if is_float_dtype(dtype) or is_integer_dtype(dtype):
        return b"f", column.to_numpy(np.float64, na_value=np.nan)
    if dtype.kind == "M":
        return b"d", column.to_numpy().astype("datetime64[us]", copy=False)
    codes, values = pd.factorize(column)
    words = pd.util.hash_array(np.asarray(values, dtype=object))
    return b"t", np.concatenate([codes.astype(np.int32).view(np.uint8), words.view(np.uint8)])
