"""The documentation builds without a warning, and shows the committed notebooks."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_documentation_builds_without_a_warning(root, tmp_path):
    """Every page, the notebooks with their figures, and the docstrings of the public names."""
    pytest.importorskip("sphinx", reason="part of the extra docs, which `make check` installs")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "docs", tmp_path / "html"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "walk_forward" in (tmp_path / "html/api.html").read_text("utf-8")
    assert "_images/" in (tmp_path / "html/notebooks/05_evaluate.html").read_text("utf-8")
