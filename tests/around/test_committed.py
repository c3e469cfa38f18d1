"""What is committed holds nothing that belongs elsewhere, and git keeps the rest out by itself."""

import json
import re
import subprocess

import pytest

pytestmark = pytest.mark.integration

# Put together here, so that this file does not hold what it forbids.
REGISTRIES = [
    "pypi" + ".org", "pythonhosted" + ".org", "anaconda" + ".org", "anaconda" + ".com", "npmjs" + ".org",
    "yarnpkg" + ".com", "crates" + ".io", "rubygems" + ".org", "proxy.golang" + ".org",
    "docker" + ".io", "ghcr" + ".io", "quay" + ".io",
]  # fmt: skip
MACHINE_PATHS = ["/" + "work/", "/" + "root/", "/" + "tmp/", "/" + "opt/pypi", "/" + "opt/wheels"]
HOME_FOLDER = re.compile(rb"/" + rb"home/[a-z]|/" + rb"Users/[A-Za-z]")


def holders(tracked, words):
    """Name each tracked file that holds one of `words`, whatever its format, with the word."""
    return [
        (path.name, word) for path in tracked for word in words if word.encode() in path.read_bytes().lower()
    ]


def test_no_file_names_a_package_registry(tracked):
    """Where packages come from is for each machine to say, never for a committed file."""
    assert holders(tracked, REGISTRIES) == []


def test_no_file_names_a_folder_of_one_machine(tracked):
    """A path of the machine something was made on helps nobody else."""
    assert holders(tracked, MACHINE_PATHS) == []
    assert [path.name for path in tracked if HOME_FOLDER.search(path.read_bytes())] == []


def test_the_search_finds_what_it_looks_for(tmp_path):
    """The two searches above are not blind: a planted host is found, in capitals and among bytes too."""
    planted = tmp_path / "lock.bin"
    planted.write_bytes(b"\x00\xff --index https://" + REGISTRIES[0].upper().encode())
    assert holders([planted], REGISTRIES) == [("lock.bin", REGISTRIES[0])]


KEPT_OUT = [
    ".env",
    ".env.production",
    "API_KEYs.json",
    "secrets/alpaca_api_key",
    "broker.pem",
    "notebooks/.env",
    "runs/2026-11-23/report.html",
    "notebooks/runs/x/prices.parquet",
    "logs/sta410_20261123.log",
    "data_cache/AAPL.parquet",
    "model_cache/ridge.skops",
    ".venv/bin/python",
    ".coverage.vm.1",
    "sta410kit/__pycache__/config.cpython-311.pyc",
    "notebooks/.ipynb_checkpoints/01_ingest-checkpoint.ipynb",
]
LET_IN = [
    ".env.example",
    "sta410kit/secrets.py",
    "sta410kit/logging.py",
    "sta410kit/market/data/prices.parquet",
    "sta410kit/runner/runs.py",
    "notebooks/01_ingest.ipynb",
    "expectations/prices.json",
    "requirements.txt",
]


def test_git_keeps_secrets_and_leftovers_out(root, tool, tmp_path):
    """A careless `git add` takes neither a secret nor what a run leaves behind, and misses no source."""
    git = [tool("git"), "-c", "core.excludesFile=", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / ".gitignore").write_bytes((root / ".gitignore").read_bytes())
    ignored = subprocess.run([*git, "check-ignore", *KEPT_OUT, *LET_IN], capture_output=True, text=True,
                             check=True)  # fmt: skip
    assert ignored.stdout.splitlines() == KEPT_OUT


def test_what_is_committed_is_not_ignored(root, tool, tracked):
    """No committed file is one that .gitignore keeps out; such a file would vanish from a copy."""
    assert tracked
    git = [tool("git"), "-c", "safe.directory=*", "-c", "core.excludesFile=", "-C", str(root)]
    ignored = subprocess.run(
        [*git, "ls-files", "--cached", "--ignored", "--exclude-per-directory=.gitignore"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ignored.stdout == ""


def test_saving_a_notebook_in_jupyterlab_changes_nothing(tracked):
    """JupyterLab writes ipykernel's own name for its kernel; another one would stand in every diff."""
    notebooks = [path for path in tracked if path.suffix == ".ipynb"]
    written = {json.loads(path.read_text())["metadata"]["kernelspec"]["display_name"] for path in notebooks}
    assert written == {"Python 3 (ipykernel)"}


def test_no_text_of_a_notebook_has_a_colour_of_its_own(tracked):
    """It could not be read in JupyterLab's two themes alike; only the edge of a form is coloured."""
    notebooks = [path for path in tracked if path.suffix == ".ipynb"]
    assert [path.name for path in notebooks if re.search(r'[";]color:', path.read_text())] == []


def test_the_orders_of_the_forecast_notebook_say_their_whole_reason(tracked):
    """A reason that ends in three dots leaves out the cost it speaks of."""
    (notebook,) = (path for path in tracked if path.name == "06_forecast.ipynb")
    assert "exceeds the round-trip cost of 0.100%</td>" in notebook.read_text()
    assert "...</td>" not in notebook.read_text()
