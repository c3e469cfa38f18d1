"""The repository itself holds no secret, as far as its own scan can tell."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sta410kit.guards.scanning import scan

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def test_a_clean_clone_passes_the_scan(tmp_path):
    """Hashes, notebooks with figures, documents, and fake keys that say so."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    report = scan(tmp_path)
    assert report.files > 200
    assert list(map(str, report.findings)) == []
    assert report.unreadable == {}
