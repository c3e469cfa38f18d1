"""The identity of a frame: same names and values, same digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def frame_digest(frame: pd.DataFrame) -> str:
    """Return a SHA-256 of names and values, or nothing for a frame whose values cannot be hashed.

    Pandas' row hash, so that dtype back-ends and the layout of a file do not matter.
    """
    import pandas as pd

    digest = hashlib.sha256("\0".join(map(str, frame.columns)).encode())
    try:
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    except TypeError:  # lists or dictionaries in cells
        return ""
    return digest.hexdigest()
