"""Number columns: what is a number, what is a gap, and what is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    import pandas as pd

    from sta410kit.market.tables import Table

_GAPS = ("", "nan", "null", "none", "na", "n/a", "<na>")


def parse(values: pd.Series[str], name: str, table: Table) -> pd.Series[float]:
    """Return a column as float64; a gap, however it is written, is NaN.

    Raises
    ------
    DataLoadingError
        If a value is neither a number nor a gap: the message names file, line, column and value. Thousands
        separators and decimal commas are not guessed at: ``1,234`` is two different numbers to two readers.
    """
    import pandas as pd

    if pd.api.types.is_bool_dtype(values.dtype) or values.dtype.kind in "mM":
        message = f"{table.file}: the column {name!r} holds {values.dtype}, not numbers."
        raise DataLoadingError(message)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    text = values.astype("str").str.strip()
    gap = values.isna() | text.str.casefold().isin(_GAPS)
    known = text.where(~gap, "nan")
    bad = (pd.to_numeric(known, errors="coerce").isna() & ~gap).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        value = text.iloc[row]
        advice = (
            "write numbers with a decimal point and nothing between thousands"
            if "," in value
            else "mend the value"
        )
        message = f"{table.where(row)}: {name} is {value!r}, which is not a number; {advice}."
        raise DataLoadingError(message)
    # Python's float reads a decimal to the last bit, where older pandas rounds; it would also take '1_000',
    # which the line above refuses.
    return pd.Series(known.to_numpy(dtype="object").astype("float64"), index=values.index)
