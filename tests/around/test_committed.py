"""What is committed names no registry, no machine and no secret, and git keeps such files out."""

import json
import re
import shutil
import subprocess

import pytest

from sta410kit.guards.scanning import scan

pytestmark = pytest.mark.integration

# Joined here, so that this file does not hold what it forbids.
FORBIDDEN = [
    "pypi" + ".org", "pythonhosted" + ".org", "anaconda" + ".org", "anaconda" + ".com", "npmjs" + ".org",
    "docker" + ".io", "ghcr" + ".io", "quay" + ".io",
    "/" + "work/", "/" + "root/", "/" + "tmp/", "/" + "opt/pypi",
]  # fmt: skip
HOME_FOLDER = re.compile(rb"/" + rb"home/[a-z]|/" + rb"Users/[A-Za-z]")


def test_no_file_names_a_registry_or_a_folder_of_one_machine(tracked):
    """Where packages come from, and where a checkout lies, is for each machine to say."""
    content = {path.name: path.read_bytes().lower() for path in tracked}
    assert [
        (name, word) for name, held in content.items() for word in FORBIDDEN if word.encode() in held
    ] == []
    assert [path.name for path in tracked if HOME_FOLDER.search(path.read_bytes())] == []


def test_the_repository_passes_its_own_scan(root, tracked, tmp_path):
    """`sta410 scan` finds no secret in what is committed."""
    for path in tracked:
        copy = tmp_path / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    report = scan(tmp_path)
    assert list(map(str, report.findings)) == []
    assert report.unreadable == {}


KEPT_OUT = [
    ".env",
    ".env.production",
    "API_KEYs.json",
    "secrets/alpaca_api_key",
    "broker.pem",
    "notebooks/.env",
    "notebooks/runs/x/prices.parquet",
    "logs/sta410_20261123.log",
    "data_cache/AAPL.parquet",
    "model_cache/ridge.skops",
    ".venv/bin/python",
    "notebooks/.ipynb_checkpoints/01_ingest-checkpoint.ipynb",
]
LET_IN = [".env.example", "sta410kit/secrets.py", "sta410kit/market/data/prices.parquet", "requirements.txt"]


def test_git_keeps_secrets_and_leftovers_out(root, tool, tmp_path):
    """`git add .` takes neither a secret nor what a run leaves behind, and misses no source."""
    git = [tool("git"), "-c", "core.excludesFile=", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / ".gitignore").write_bytes((root / ".gitignore").read_bytes())
    ignored = subprocess.run([*git, "check-ignore", *KEPT_OUT, *LET_IN], capture_output=True, text=True,
                             check=True)  # fmt: skip
    assert ignored.stdout.splitlines() == KEPT_OUT


def test_saving_a_notebook_in_jupyterlab_changes_nothing(root):
    """JupyterLab writes ipykernel's own name for its kernel; another one would show in every diff."""
    metadata = [json.loads(path.read_text("utf-8"))["metadata"] for path in root.glob("notebooks/*.ipynb")]
    assert {one["kernelspec"]["display_name"] for one in metadata} == {"Python 3 (ipykernel)"}
