"""What is committed holds nothing that belongs elsewhere, and git keeps the rest out by itself."""

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


@pytest.mark.parametrize(
    ("name", "kept_out"),
    [
        (".env", True),
        (".env.production", True),
        (".env.example", False),
        ("API_KEYs.json", True),
        ("secrets/alpaca_api_key", True),
        ("broker.pem", True),
        ("notebooks/.env", True),
        ("runs/2026-11-23/report.html", True),
        ("notebooks/runs/x/prices.parquet", True),
        ("logs/sta410_20261123.log", True),
        ("data_cache/AAPL.parquet", True),
        ("model_cache/ridge.skops", True),
        (".venv/bin/python", True),
        (".coverage.vm.1", True),
        ("sta410kit/__pycache__/config.cpython-311.pyc", True),
        ("notebooks/.ipynb_checkpoints/01_ingest-checkpoint.ipynb", True),
        ("sta410kit/secrets.py", False),
        ("sta410kit/logging.py", False),
        ("sta410kit/market/data/prices.parquet", False),
        ("sta410kit/runner/runs.py", False),
        ("notebooks/01_ingest.ipynb", False),
        ("expectations/prices.json", False),
        ("requirements.txt", False),
    ],
)
def test_git_keeps_secrets_and_leftovers_out(root, tool, tmp_path, name, kept_out):
    """A careless `git add` takes neither a secret nor what a run leaves behind, and misses no source."""
    git = [tool("git"), "-c", "core.excludesFile=", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    (tmp_path / ".gitignore").write_bytes((root / ".gitignore").read_bytes())
    answer = subprocess.run([*git, "check-ignore", "--quiet", name], check=False)
    assert answer.returncode == (0 if kept_out else 1)


def test_what_is_committed_is_not_ignored(root, tool, tracked):
    """No committed file is one that .gitignore keeps out; such a file would vanish from a copy."""
    assert tracked
    git = [tool("git"), "-c", "safe.directory=*", "-c", "core.excludesFile=", "-C", str(root)]
    ignored = subprocess.run(
        [*git, "ls-files", "--cached", "--ignored", "--exclude-per-directory=.gitignore"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ignored.stdout == ""
