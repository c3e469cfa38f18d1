"""One process at a time: a lock that the operating system drops when its holder ends, however it ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
    import time

    # Windows cannot wait for a lock: LK_LOCK tries once a second and gives up after ten.
    _PAUSE = 0.01  # seconds

    def _lock(descriptor: int, *, wait: bool) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except PermissionError as error:  # held by another; anything else that is wrong has another errno
                if not wait:
                    raise BlockingIOError(*error.args) from error
                time.sleep(_PAUSE)
            else:
                return

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file at `path` while the block runs; waits for as long as another process holds it.

    The file is made if needed, stays empty and is never removed: removing it would let two processes hold
    two locks of one name. Its folder must exist. Threads exclude each other too.

    Parameters
    ----------
    path : Path
        The lock file.
    wait : bool
        Whether to wait for another holder, or to say at once that there is one.

    Raises
    ------
    BlockingIOError
        Another process or thread holds it, and `wait` is false.
    OSError
        The lock file cannot be opened or locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor, wait=wait)
        yield
    finally:
        os.close(descriptor)  # closing gives the lock up
