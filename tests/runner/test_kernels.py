"""Ordinary kernels, for where no warm process can be had."""

import tempfile
from pathlib import Path
from unittest.mock import Mock

import pytest

from sta410kit.runner.execute import execute
from sta410kit.runner.kernels import LocalKernelManager

pytestmark = pytest.mark.integration


@pytest.fixture
def private(monkeypatch):
    """Give a private folder of this test's own, with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", folder)
        yield Path(folder)


def test_each_kernel_has_sockets_of_its_own_in_the_private_folder(private):
    """Independent of the current folder."""
    one, other = LocalKernelManager(), LocalKernelManager()
    assert one.ip != other.ip
    assert all(Path(manager.connection_file).parent == private for manager in (one, other))
    assert all(Path(manager.ip).is_absolute() for manager in (one, other) if manager.transport == "ipc")


def test_the_verdict_holds_in_an_ordinary_kernel_too(tmp_path, write_notebook, monkeypatch, private):
    """Here the notebook lies in another folder than the current one; nothing is left behind."""
    monkeypatch.setattr("sta410kit.runner.warm.session.connect", Mock(side_effect=OSError("no sockets")))
    notebook = write_notebook(
        tmp_path / "x.ipynb", "print(6 * 7)", "import sys\nsys.exit(0)", "print('never')"
    )
    result = execute(notebook, tmp_path / "out" / "x.ipynb", {})
    assert result.outcome == "NOTEBOOK_FAILED"
    assert result.message.startswith("cells that were never executed: In [3]; In [2] (import sys) ended")
    assert "42" in (tmp_path / "out" / "x.ipynb").read_text()
    assert result.reads is None
    assert list(private.iterdir()) == []
