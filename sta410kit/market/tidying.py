"""Rows as a source has written them, made the one form of prices that the kit works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loguru import logger

from sta410kit.market import numbers
from sta410kit.market.selection import COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Return prices as everywhere in the kit: sorted by symbol and session, types as they should be.

    Spaces around symbols and times of day are taken off, numbers in text are read, and columns the kit does
    not know are left out; no value is changed, and no row missing.

    Parameters
    ----------
    rows : DataFrame
        Prices as `load_prices` with ``tidy=False`` gives them.
    """
    result = rows[list(COLUMNS)].copy(deep=False)
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
    """Return the rows by symbol and date if they stand in an order that files are kept in, else as they are.

    Such orders are: by symbol, each from its oldest or from its newest session on; and by date, from the
    oldest or the newest on. In rows of any other order something has happened to the file, and the gate is to
    name them.
    """
    import numpy as np

    symbols = rows["symbol"].factorize()[0]
    later = np.sign(np.diff(rows["date"].to_numpy()).astype("int64"))
    same = np.diff(symbols) == 0
    if (~same).sum() == symbols.max():  # each symbol stands together
        number, later = symbols[1:][same], later[same]
        rising, falling = set(number[later > 0]), set(number[later < 0])
        orderly, sorted_already = not rising & falling, not falling
    else:
        orderly, sorted_already = bool((later >= 0).all() or (later <= 0).all()), False
    if not orderly or sorted_already:
        return rows
    logger.info("the {:,} rows stand by date or newest first; they are put in order", len(rows))
    return rows.sort_values(["symbol", "date"], kind="stable", ignore_index=True)
