"""Rows as a source has them, made the frame of prices that the kit works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loguru import logger

from sta410kit._internal.universe import MEMBER
from sta410kit.market import numbers
from sta410kit.market.columns import COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Return prices sorted by symbol and session, in the kit's columns and types.

    Spaces around symbols and times of day are removed, numbers in text are read, and other columns are left
    out but for ``member``, which a universe adds; no value is changed, and no row is dropped.

    Parameters
    ----------
    rows : DataFrame
        Prices as `load_prices` with ``tidy=False`` gives them.
    """
    marked = [MEMBER] if MEMBER in rows and rows[MEMBER].dtype == bool else []
    result = rows[[*COLUMNS, *marked]].copy(deep=False)
    spaced = {name: name.strip() for name in rows["symbol"].unique() if name != name.strip()}
    if spaced:
        result["symbol"] = rows["symbol"].replace(spaced).astype("str")
    result["date"] = rows["date"].dt.normalize()
    for name in COLUMNS[2:]:
        if numbers.is_text(rows[name]):
            result[name] = numbers.of_text(rows[name])
    result["volume"] = numbers.whole(result["volume"])
    return result.sort_values(["symbol", "date"], kind="stable", ignore_index=True)


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows sorted by symbol and date if they are in an order that files are kept in.

    Such orders are by symbol, each symbol oldest or newest session first, and by date, oldest or newest
    first. Rows in any other order come back as they are, for the gate to name them.
    """
    import numpy as np

    symbols = rows["symbol"].factorize()[0]
    later = np.sign(np.diff(rows["date"].to_numpy()).astype("int64"))
    same = np.diff(symbols) == 0
    if (~same).sum() == symbols.max():  # the rows of each symbol are together
        number, later = symbols[1:][same], later[same]
        rising, falling = set(number[later > 0]), set(number[later < 0])
        orderly, sorted_already = not rising & falling, not falling
    else:
        orderly, sorted_already = bool((later >= 0).all() or (later <= 0).all()), False
    if not orderly or sorted_already:
        return rows
    logger.info("{:,} rows are by date or newest first; sorted by symbol and date", len(rows))
    return rows.sort_values(["symbol", "date"], kind="stable", ignore_index=True)
