"""What is released is complete and pinned: the wheel, the source archive, the lock and the image."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sta410kit

pytestmark = pytest.mark.integration

PYTHONS = ["3.11", "3.12", "3.13"]


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """Build both archives once, with the installed build backend and without network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", folder]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_the_wheel_holds_the_kit_its_suites_and_its_entry_points(root, built):
    """Everything the kit reads at run time is inside, and nothing else."""
    source = {
        path.relative_to(root).as_posix()
        for path in (root / "sta410kit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    suites = {f"sta410kit/expectations/{path.name}" for path in (root / "expectations").glob("*.json")}
    stem = f"sta410kit-{sta410kit.__version__}"
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        entry_points = wheel.read(f"{stem}.dist-info/entry_points.txt").decode().split("\n")
    assert source | suites <= names
    assert {name.split("/")[0] for name in names} == {"sta410kit", f"{stem}.data", f"{stem}.dist-info"}
    assert f"{stem}.data/data/share/jupyter/kernels/sta410/kernel.json" in names
    assert "sta410 = sta410kit.cli:main" in entry_points


def test_the_wheel_works_where_there_is_no_checkout(built, tmp_path):
    """Unpacked alone, the kit finds its prices."""
    shutil.unpack_archive(built[0], tmp_path, "zip")
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    code = "import sta410kit.market as m; print(m.__file__); print(len(m.load_prices()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=unmeasured, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"{tmp_path}/sta410kit/market/__init__.py", "12154"]


def test_the_source_archive_holds_the_tests_and_no_leftovers(built):
    """It holds what `make test` needs, and nothing that git keeps out."""
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "requirements.txt", "notebooks/pipeline.toml", "tests/test_architecture.py"} <= names
    left = {"__pycache__", ".venv", ".git", "runs", "logs"}
    assert [name for name in names if left & set(name.split("/"))] == []


@pytest.fixture(scope="module")
def project(root):
    """Read pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def lock(root):
    """Split the lock into its pins: each a requirement line and the lines of its hashes."""
    text = (root / "requirements.txt").read_text("utf-8")
    return [block for block in re.split(r"\n(?=\S)", text.strip()) if not block.startswith("#")]


def test_every_pin_is_exact_and_hashed(lock):
    """Each requirement of the lock is one version and the sha256 of its files; no index, no address."""
    pin = re.compile(
        r"[a-z0-9][a-z0-9._-]*==[0-9]\S*( ; .+)? \\(\n +--hash=sha256:[0-9a-f]{64}( \\)?)+(\n +#.*)*"
    )
    assert len(lock) > 100
    assert [block for block in lock if not pin.fullmatch(block)] == []


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_satisfy_the_project(project, lock, python):
    """On each Python, each requirement of the project and its extras has exactly one pin in its range."""
    environment = {"python_version": python, "python_full_version": f"{python}.7", "sys_platform": "linux",
                   "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64",
                   "platform_python_implementation": "CPython", "implementation_name": "cpython"}  # fmt: skip
    pins = {}
    for pin in (Requirement(block.splitlines()[0].rstrip(" \\")) for block in lock):
        if pin.marker is None or pin.marker.evaluate(environment):
            pins.setdefault(canonicalize_name(pin.name), []).extend(one.version for one in pin.specifier)
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    wanted = [line for line in wanted if not line.startswith("sta410kit[")]  # an extra that takes in others
    for requirement in map(Requirement, [*wanted, *project["build-system"]["requires"]]):
        (version,) = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_the_changelog_and_every_environment_agree_with_the_project(root, project):
    """Its version is the changelog's newest; workflow, conda, Binder, image and mypy use its Pythons."""
    newest = re.search(r"^## \[(\d[^]]*)\]", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest[1] == sta410kit.__version__
    listed = [line.rpartition(" ")[2] for line in project["project"]["classifiers"] if "Python :: 3." in line]
    workflow = yaml.safe_load((root / ".github/workflows/ci-cd.yml").read_text("utf-8"))
    assert listed == workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == PYTHONS
    conda = yaml.safe_load((root / "environment.yml").read_text("utf-8"))
    locked = ["pip", {"pip": ["--requirement requirements.txt"]}]
    assert conda["dependencies"] == [f"python={PYTHONS[0]}", *locked]
    assert (root / "binder/runtime.txt").read_text("utf-8") == f"python-{PYTHONS[0]}\n"
    assert "--require-hashes --requirement requirements.txt" in (root / "binder/postBuild").read_text("utf-8")
    assert f"FROM python:{PYTHONS[0]}." in (root / "Dockerfile").read_text("utf-8")
    assert project["tool"]["mypy"]["python_version"] == PYTHONS[0]


@pytest.fixture(scope="module")
def image(root):
    """List the instructions of the Dockerfile as word and rest, continued lines joined."""
    lines = (root / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line and line[0] != "#"]


def test_the_image_runs_the_chain_as_an_ordinary_user(image):
    """Its last user is not root; health is what `sta410 doctor` says; what runs write are volumes."""
    final = image[max(number for number, (word, _) in enumerate(image) if word == "FROM") :]
    said = {word: rest for word, rest in final if word not in {"RUN", "COPY"}}
    assert said["USER"] == "1000"
    assert [word for word, _ in final[[word for word, _ in final].index("USER") :]] == [
        "USER", "VOLUME", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    ]  # fmt: skip
    assert json.loads(said["ENTRYPOINT"]) == ["sta410"]
    assert json.loads(said["CMD"]) == ["run"]
    assert json.loads(said["HEALTHCHECK"].partition(" CMD ")[2]) == ["sta410", "doctor"]
    assert json.loads(said["VOLUME"]) == ["/app/runs", "/app/logs", "/app/data_cache"]


def test_the_image_holds_what_it_copies_with_checked_hashes_and_no_secret(root, image):
    """.dockerignore shuts out all but what is copied, and secrets again; each download has a hash."""
    ignored = (root / ".dockerignore").read_text("utf-8").split("\n")
    copied = [shlex.split(rest)[:-1] for word, rest in image if word == "COPY" and "--from" not in rest]
    for source in {name for names in copied for name in names} - {"schedules.tom[l]"}:  # if there is one
        assert (root / source).exists()
        assert f"!{source}" in ignored
    assert next(line for line in ignored if line and line[0] != "#") == "*"
    after = ignored[ignored.index("!sta410kit") :]
    assert {"**/.env", "**/.env.*", "**/*.pem", "**/*.key", "**/runs", "**/logs"} <= set(after)
    commands = [part for word, rest in image if word == "RUN" for part in rest.split("&&")]
    installs = [part for part in commands if "pip install" in part or "uv build" in part]
    assert [part for part in installs if "--require-hashes" not in part and "--no-deps" not in part] == []
