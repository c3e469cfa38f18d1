"""The wheel carries what an installed kit needs, and the source archive what its tests need."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import sta410kit

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
INFO = f"sta410kit-{sta410kit.__version__}.dist-info"
DATA = f"sta410kit-{sta410kit.__version__}.data"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build both archives once, with the installed build backend and no network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True,
                   capture_output=True)  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    (archive,) = folder.glob("*.tar.gz")
    return wheel, archive


def test_the_wheel_carries_code_suites_prices_and_pages(built):
    """Everything the kit reads at run time is inside, and only the kit is."""
    names = set(zipfile.ZipFile(built[0]).namelist())
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sta410kit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    suites = {f"sta410kit/expectations/{path.name}" for path in (ROOT / "expectations").glob("*.json")}
    assert len(suites) == 5
    assert source | suites <= names
    assert {name.split("/")[0] for name in names} == {"sta410kit", DATA, INFO}
    assert f"{DATA}/data/share/jupyter/kernels/sta410/kernel.json" in names


def test_the_wheel_installs_the_command(built):
    """`sta410` is the command line's main function, and papermill's engine of that name."""
    with zipfile.ZipFile(built[0]) as wheel:
        entry = wheel.read(f"{INFO}/entry_points.txt").decode()
        assert "MIT License" in wheel.read(f"{INFO}/licenses/LICENSE").decode()
    assert [line.split() for line in entry.splitlines() if line] == [
        ["[console_scripts]"],
        ["sta410", "=", "sta410kit.cli:main"],
        ["[papermill.engine]"],
        ["sta410", "=", "sta410kit.runner.engine:WarmEngine"],
    ]


def test_the_wheel_works_where_there_is_no_checkout(built, tmp_path):
    """Unpacked alone, the kit names its version and finds its prices."""
    shutil.unpack_archive(built[0], tmp_path, "zip")
    # A copy that is gone when coverage is reported must not be measured.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    code = (
        "import sta410kit.market as market; "
        f"assert market.__file__.startswith({str(tmp_path)!r}), market.__file__; "
        "print(len(market.load_prices()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("12154\n", "")


def test_the_source_archive_carries_the_tests_and_no_leftovers(built):
    """It holds notebooks, suites, tests and what the tests look at; nothing that git keeps out."""
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "Makefile", "requirements.txt", "Dockerfile", "expectations/prices.json", "CHANGELOG.md", "LICENSE",
        "notebooks/pipeline.toml", "tests/test_architecture.py", ".gitignore",
    }  # fmt: skip
    assert wanted <= names
    left = [name for name in names if {"__pycache__", ".venv", ".git", "runs", "logs"} & set(name.split("/"))]
    assert left == []
