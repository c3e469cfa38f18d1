"""Functions that run in a child process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sta410kit.runner import child
from sta410kit.runner.child import ChildFailedError, run_in_child
from sta410kit.runner.warm.client import ServerUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

_MODULE = """
import os, time
print("imported")
def describe(argument):
    found = {"argument": argument, "folder": os.getcwd(), "pid": os.getpid()}
    return found | {"set": os.environ.get("FOR_CHILD")}
def fail(argument):
    raise ValueError(f"cannot take {argument}")
def hang(argument):
    time.sleep(60)
def leave(argument):
    os._exit(7)
"""


@pytest.fixture(params=["forked", "new interpreter"], autouse=True)
def _way(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything holds with a fork server and without one."""
    (tmp_path / "work_here.py").write_text(_MODULE)
    if request.param == "new interpreter":

        def no_server(**_: object) -> None:
            message = "none"
            raise ServerUnavailableError(message)

        monkeypatch.setattr(child, "connect", no_server)


def test_the_result_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child has the caller's environment and the folder it was asked for."""
    monkeypatch.setenv("FOR_CHILD", "yes")
    found = run_in_child("work_here:describe", {"a": [1, None]}, folder=tmp_path)
    assert found.pop("pid") != os.getpid()
    assert found == {"argument": {"a": [1, None]}, "folder": str(tmp_path), "set": "yes"}


@pytest.mark.parametrize(
    ("function", "text"),
    [("fail", "ValueError: cannot take 5"), ("leave", "exit code 7"), ("absent", "AttributeError")],
)
def test_a_failure_says_why(tmp_path: Path, function: str, text: str) -> None:
    """What the child printed last is in the error."""
    with pytest.raises(ChildFailedError, match=text):
        run_in_child(f"work_here:{function}", 5, folder=tmp_path)


def test_a_child_that_hangs_is_killed(tmp_path: Path) -> None:
    """The limit holds."""
    with pytest.raises(ChildFailedError, match=r"took longer than 0.5 s"):
        run_in_child("work_here:hang", None, folder=tmp_path, timeout=0.5)
