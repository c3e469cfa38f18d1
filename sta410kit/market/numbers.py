"""Columns of numbers: numbers, gaps, and what is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import DataLoadingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from sta410kit.market.tables import Table

_GAPS = ("", "nan", "null", "none", "na", "n/a", "<na>", "-")
# Around a number: a currency's sign, and spaces or apostrophes between thousands.
_ORNAMENT = r"^[$€£]\s*|\s*€$|(?<=\d)[ \u00a0\u2009\u202f\u2019'](?=\d{3}(?!\d))"
_UNIT = r"(?i)^(.*\d)\s*(k|m|b|mio|mrd)\.?$"  # as Investing.com writes volumes: 17.63M
_UNITS = {"k": "e3", "m": "e6", "mio": "e6", "b": "e9", "mrd": "e9"}


def decimal_mark(columns: Iterable[pd.Series[str]]) -> str:
    """Return the decimal mark of a file's numbers if any of them has a comma, else an empty text.

    A mark that comes after the other one, or is not followed by three digits, is the decimal mark, and one
    that comes twice parts thousands. Empty too if nothing says so, or values contradict each other:
    ``1,234`` is two different numbers to two readers.
    """
    import pandas as pd

    found = set()
    texts = [_text(values)[0] for values in columns]
    if any(text.str.contains(",", regex=False).any() for text in texts):
        whole = pd.concat(texts, ignore_index=True).drop_duplicates().str.replace(_ORNAMENT, "", regex=True)
        whole = whole.str.replace(_UNIT, r"\1", regex=True)
        for mark, other in (("\\.", ","), (",", "\\.")):
            last = rf"[^{mark}]*{other}[^{mark}]*{mark}\d*"
            no_group = rf"[+-]?\d*{mark}(?!\d{{3}}$)\d*"
            groups = rf"[+-]?\d+({other}\d{{3}}){{2,}}"
            if whole.str.fullmatch(f"{last}|{no_group}|{groups}").any():
                found.add(mark[-1])
    return found.pop() if len(found) == 1 else ""


def parse(values: pd.Series[str], name: str, table: Table, mark: str = "") -> pd.Series[float]:
    """Return a column as float64, gaps as NaN.

    Parameters
    ----------
    values, name, table : Series, str, Table
        The column, its name as written, and where it is.
    mark : str
        The decimal mark of the file, see `decimal_mark`; the other mark may part thousands.

    Raises
    ------
    DataLoadingError
        A value is neither a number nor a gap.
    """
    import pandas as pd

    if pd.api.types.is_bool_dtype(values.dtype) or values.dtype.kind in "mM":
        message = f"{table.file}: the column {name!r} holds {values.dtype}, not numbers."
        raise DataLoadingError(message)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    text, gap = _text(values)
    known = _written_out(text.where(~gap, "nan"), mark)
    bad = (pd.to_numeric(known, errors="coerce").isna() & ~gap).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        value = text.iloc[row]
        advice = (
            "write numbers with a decimal point and nothing between thousands"
            if "," in value
            else "correct the value"
        )
        message = f"{table.where(row)}: {name} is {value!r}, which is not a number; {advice}."
        raise DataLoadingError(message)
    return _floats(known)


def _written_out(text: pd.Series[str], mark: str = "") -> pd.Series[str]:
    """Return numbers as Python writes them: without currency, unit, and what parts thousands."""
    import pandas as pd

    if not mark and pd.to_numeric(text, errors="coerce").notna().sum() == (text != "nan").sum():
        return text
    bare = text.str.replace(_ORNAMENT, "", regex=True)
    parts = bare.str.extract(_UNIT)
    number = parts[0].where(parts[0].notna(), bare)
    unit = parts[1].str.casefold().map(_UNITS).fillna("").astype("str")
    return (_in_english(number, mark) if mark else number) + unit


def _in_english(text: pd.Series[str], mark: str) -> pd.Series[str]:
    """Return numbers with a decimal point and nothing between thousands; what fits neither stays wrong."""
    other = "." if mark == "," else ","
    fits = text.str.fullmatch(rf"[+-]?(?:\d{{1,3}}(?:\{other}\d{{3}})+|\d*)(?:\{mark}\d*)?")
    plain = text.str.replace(other, "", regex=False).str.replace(mark, ".", regex=False)
    return text.where(~fits, plain).where(fits | ~text.str.contains(other, regex=False), text + "?")


def of_text(values: pd.Series[str]) -> pd.Series[float]:
    """Return as float64 a column of text that `parse` has accepted."""
    text, gap = _text(values)
    return _floats(_written_out(text.where(~gap, "nan")))


def guess(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column the kit does not know as numbers if all of its text is, else as text."""
    import pandas as pd

    if not is_text(values):
        return values.astype("str") if values.dtype == "object" else values
    text, gap = _text(values)
    if gap.all() or (pd.to_numeric(text.where(~gap, "nan"), errors="coerce").isna() & ~gap).any():
        return values.astype("str")
    return whole(_floats(text.where(~gap, "nan")))


def is_text(values: pd.Series[str]) -> bool:
    """Return whether a column holds text, missing values aside."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype):
        return False
    return pd.api.types.infer_dtype(values.astype("object"), skipna=True) == "string"


def whole(values: pd.Series[float]) -> pd.Series[float] | pd.Series[int]:
    """Return a column as integers where every value is a whole number that an int64 holds, else as it is."""
    import numpy as np

    largest = 2.0**63
    if values.dtype.kind == "f" and bool(
        (np.isfinite(values) & (values % 1 == 0) & (values.abs() < largest)).all()
    ):
        return values.astype("int64")
    return values


def _text(values: pd.Series[str]) -> tuple[pd.Series[str], pd.Series[bool]]:
    """Return a column as text without spaces around it, and where it holds a gap."""
    text = values.astype("str").str.strip()
    return text, values.isna() | text.str.casefold().isin(_GAPS)


def _floats(text: pd.Series[str]) -> pd.Series[float]:
    # Python's float reads a decimal to the last bit, where older pandas rounds. It would also accept '1_000',
    # which `parse` refuses.
    import pandas as pd

    return pd.Series(text.to_numpy(dtype="object").astype("float64"), index=text.index)
