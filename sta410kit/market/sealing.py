"""Rows of the sealed holdout, held back from whoever loads prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loguru import logger

from sta410kit.exceptions import ConfigurationError
from sta410kit.holdout import current_seal

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from sta410kit.holdout import Seal


def require_unsealed(first: pd.Timestamp | None) -> Seal:
    """Return the seal; refuse a period that begins in the sealed holdout, before anything is read.

    Raises
    ------
    ConfigurationError
        The period asked for lies inside it, or the record of unsealings was altered.
    """
    import pandas as pd

    seal = current_seal()
    if seal.closed and seal.start and first is not None and first >= pd.Timestamp(seal.start):
        raise ConfigurationError(_refusal(seal, f"start is {first:%Y-%m-%d}"))
    return seal


def hold_back(frame: pd.DataFrame, seal: Seal) -> pd.DataFrame:
    """Return the rows of `frame` before the sealed holdout, and log how many were held back.

    A frame without a column of dates comes back as it is.

    Raises
    ------
    ConfigurationError
        Nothing is left.
    """
    import pandas as pd

    if seal.start is None or not seal.closed or "date" not in frame or not _is_days(frame["date"]):
        return frame
    kept: pd.DataFrame = frame[frame["date"].dt.tz_localize(None) < pd.Timestamp(seal.start)]
    held = len(frame) - len(kept)
    if held and kept.empty:
        raise ConfigurationError(_refusal(seal, f"all {held:,} rows of the source"))
    if held:
        logger.info("{:,} rows from {} on are held back: the holdout is sealed", held, seal.start)
    return kept


def require_before(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return what an earlier step left in `path`, if none of it lies in the sealed holdout.

    Nothing is held back here: what was made of the rest knows the holdout too.

    Raises
    ------
    ConfigurationError
        It holds such rows, because the holdout was open, or not sealed yet, when it was made.
    """
    import pandas as pd

    seal = current_seal()
    if seal.start is None or not seal.closed or "date" not in frame or not _is_days(frame["date"]):
        return frame
    inside = int((frame["date"].dt.tz_localize(None) >= pd.Timestamp(seal.start)).sum())
    if inside:
        message = (
            f"{path} holds {inside:,} rows of the sealed holdout, which begins on {seal.start} "
            "(HOLDOUT_START): it was made before that was sealed. Make it again with sta410 run, or open the "
            'holdout on purpose and on record: sta410 unseal --why "..."'
        )
        raise ConfigurationError(message)
    return frame


def _is_days(dates: pd.Series[pd.Timestamp]) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_datetime64_any_dtype(dates))


def _refusal(seal: Seal, what: str) -> str:
    return (
        f"{what} {'lie' if what.startswith('all') else 'and so lies'} in the sealed holdout, which begins on "
        f"{seal.start} (HOLDOUT_START). Choose an earlier start, or open it on purpose and on record: "
        'sta410 unseal --why "..."'
    )
