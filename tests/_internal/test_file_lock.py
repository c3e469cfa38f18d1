"""One at a time, on both kinds of systems."""

import errno
import os
import runpy
import sys
import threading
import time
from types import ModuleType

import pytest

from sta410kit._internal import file_lock
from sta410kit._internal.file_lock import locked

pytestmark = pytest.mark.unit


def test_threads_exclude_each_other(tmp_path):
    """Whoever comes second waits until the first has left."""
    order = []

    def second():
        with locked(tmp_path / "lock"):
            order.append("second")

    with locked(tmp_path / "lock"):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(timeout=0.05)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_who_will_not_wait_is_told_so(tmp_path):
    """A lock that another thread holds is refused at once when nobody waits for it."""
    with locked(tmp_path / "lock"), pytest.raises(BlockingIOError):
        locked(tmp_path / "lock", wait=False).__enter__()
    with locked(tmp_path / "lock", wait=False):
        pass


def test_a_block_that_raises_gives_the_lock_up(tmp_path):
    """The next one gets it; the file stays, and stays empty."""
    with pytest.raises(KeyError), locked(tmp_path / "lock"):
        raise KeyError
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").read_bytes() == b""


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    """The lock makes its file and no folders."""
    with pytest.raises(FileNotFoundError):
        locked(tmp_path / "gone" / "lock").__enter__()


@pytest.fixture
def windows(monkeypatch):
    """Give the module as Windows loads it, and a list of answers of the system, the first one first."""
    answers = []

    def locking(descriptor, mode, size):
        os.fstat(descriptor)  # it must be open
        assert (mode, size) == ("do not wait", 1)
        if (code := answers.pop(0)) is not None:
            raise OSError(code, "refused")

    msvcrt = ModuleType("msvcrt")
    msvcrt.locking, msvcrt.LK_NBLCK = locking, "do not wait"
    with monkeypatch.context() as there:
        there.setitem(sys.modules, "msvcrt", msvcrt)
        there.setattr(sys, "platform", "win32")
        module = runpy.run_path(file_lock.__file__)
    monkeypatch.setattr(time, "sleep", lambda _seconds: answers.append("slept"))
    return module["locked"], answers


def test_windows_is_asked_until_the_lock_is_free(windows, tmp_path):
    """However often the system says that another holds it, the wait goes on."""
    windows_locked, answers = windows
    answers += [errno.EACCES] * 50 + [None]
    with windows_locked(tmp_path / "lock"):
        assert answers == ["slept"] * 50


def test_windows_says_so_when_nobody_waits(windows, tmp_path):
    """The same error as on other systems, after one try."""
    windows_locked, answers = windows
    answers.append(errno.EACCES)
    with pytest.raises(BlockingIOError):
        windows_locked(tmp_path / "lock", wait=False).__enter__()
    assert answers == []


def test_windows_may_refuse_for_another_reason(windows, tmp_path):
    """What waiting cannot mend is not waited for."""
    windows_locked, answers = windows
    answers.append(errno.EINVAL)
    with pytest.raises(OSError, match="refused"):
        windows_locked(tmp_path / "lock").__enter__()
    assert answers == []
