"""Hold back the rows of the sealed holdout."""

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
    """Return the seal; refuse a period that starts in the sealed holdout before anything is read.

    Raises
    ------
    ConfigurationError
        The period lies inside it, or the record of unsealings was altered.
    """
    import pandas as pd

    seal = current_seal()
    if seal.closed and seal.start and first is not None and first >= pd.Timestamp(seal.start):
        raise ConfigurationError(_refusal(seal, f"start is {first:%Y-%m-%d}"))
    return seal


def hold_back(frame: pd.DataFrame, seal: Seal) -> pd.DataFrame:
    """Return the rows of `frame` before the sealed holdout, and log how many were held back.

    A frame without a column of dates is returned unchanged.

    Raises
    ------
    ConfigurationError
        Nothing is left.
    """
    found = _days_to_seal(frame, seal)
    if found is None:
        return frame
    days, start = found
    kept: pd.DataFrame = frame[days < start]
    held = len(frame) - len(kept)
    if held and kept.empty:
        raise ConfigurationError(_refusal(seal, f"all {held:,} rows of the source"))
    if held:
        logger.info("{:,} rows from {} on are held back: the holdout is sealed", held, seal.start)
    return kept


def require_before(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the frame that an earlier step wrote to `path`, if none of it lies in the sealed holdout.

    Rows are not held back here, because the other rows were computed with knowledge of the holdout too.

    Raises
    ------
    ConfigurationError
        It holds such rows, because the holdout was open, or not sealed yet, when it was written.
    """
    seal = current_seal()
    found = _days_to_seal(frame, seal)
    if found is None:
        return frame
    days, start = found
    inside = int((days >= start).sum())
    if inside:
        message = (
            f"{path} holds {inside:,} rows of the sealed holdout, which begins on {seal.start} "
            "(HOLDOUT_START): it was made before that was sealed. Make it again with sta410 run, or open the "
            'holdout on record: sta410 unseal --why "..."'
        )
        raise ConfigurationError(message)
    return frame


def _days_to_seal(frame: pd.DataFrame, seal: Seal) -> tuple[pd.Series[pd.Timestamp], pd.Timestamp] | None:
    """Return the dates of a frame and the first sealed one; None if nothing is sealed or dated."""
    import pandas as pd

    if seal.start is None or not seal.closed or "date" not in frame:
        return None
    if not pd.api.types.is_datetime64_any_dtype(frame["date"]):
        return None
    return frame["date"].dt.tz_localize(None), pd.Timestamp(seal.start)


def _refusal(seal: Seal, what: str) -> str:
    return (
        f"{what} {'lie' if what.startswith('all') else 'and so lies'} in the sealed holdout, which begins on "
        f"{seal.start} (HOLDOUT_START). Choose an earlier start, or open it on record: "
        'sta410 unseal --why "..."'
    )
