"""Which kernels are this Python: those that Jupyter would start it for."""

import json
import sys

import pytest

from sta410kit.runner.kernelspecs import is_this_python

pytestmark = pytest.mark.unit


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Give the function that installs a kernel's specification, where Jupyter looks first."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def write(name, text):
        (tmp_path / "kernels" / name).mkdir(parents=True)
        (tmp_path / "kernels" / name / "kernel.json").write_text(text)

    return write


@pytest.mark.parametrize(
    ("program", "ours"), [("python", True), ("python3", True), (sys.executable, True), ("/bin/sh", False)]
)
def test_the_program_decides(install, program, ours):
    """Under any name, and python3 too when it was redefined."""
    install("mine", json.dumps({"argv": [program, "-m", "x"]}))
    install("python3", json.dumps({"argv": [program]}))
    assert is_this_python("mine") is ours
    assert is_this_python("Mine") is ours
    assert is_this_python("python3") is ours


def test_the_kits_and_the_native_one_need_no_specification(install):
    """Any other that is not installed is not ours."""
    assert is_this_python("sta410") is True
    assert is_this_python("ir") is False
    install("other", "{}")
    assert is_this_python("python3") is True
