"""pyproject.toml, the lock, conda, Binder and the image agree on names and versions."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import sta410kit

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TESTED = ["3.11", "3.12", "3.13"]
PRIMARY = "3.11"


def blocks(text):
    """Split a lock into its pins: the requirement line, then the lines that hang on it."""
    return [block for block in re.split(r"\n(?=\S)", text.strip()) if not block.startswith("#")]


LOCK = blocks((ROOT / "requirements.txt").read_text("utf-8"))
PINS = [Requirement(block.splitlines()[0].rstrip(" \\")) for block in LOCK]


def wanted():
    """Every requirement of the project, its extras and its build backend."""
    extras = PROJECT["project"]["optional-dependencies"]
    lines = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    return [Requirement(line) for line in [*lines, *(line for extra in extras.values() for line in extra)]]


def environment(python):
    return {"python_version": python, "python_full_version": f"{python}.7", "sys_platform": "linux",
            "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64",
            "platform_python_implementation": "CPython", "implementation_name": "cpython"}  # fmt: skip


def is_exact_and_hashed(block):
    """Whether a pin names one version and the sha256 of its files, and no place to get it from."""
    first, *rest = block.splitlines()
    hashes = [line for line in rest if not line.lstrip().startswith("#")]
    return (
        re.match(r"^[a-z0-9][a-z0-9._-]*==[0-9][^ ]*( ; .+)? \\$", first) is not None
        and hashes != []
        and all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)
    )


def test_every_pin_is_exact_and_hashed():
    """Each requirement of the lock is a pin, and nothing but that version of that file can be installed."""
    assert len(LOCK) > 100
    assert [block.splitlines()[0] for block in LOCK if not is_exact_and_hashed(block)] == []


@pytest.mark.parametrize(
    "block",
    [
        "click>=8 \\\n    --hash=sha256:" + "0" * 64,
        "click==8.1.8",
        "click==8.1.8 \\\n    # via papermill",
        "click==8.1.8 \\\n    --hash=md5:" + "0" * 32,
        "click @ https://example.com/click.whl \\\n    --hash=sha256:" + "0" * 64,
    ],
)
def test_a_loose_pin_is_found(block):
    """A range, a missing or weak hash and an address are each refused."""
    assert not is_exact_and_hashed(block)


def test_the_lock_holds_no_option():
    """No index, no find-links, no editable line: only pins."""
    assert [block for block in LOCK if block.startswith("-")] == []


@pytest.mark.parametrize("python", TESTED)
def test_the_pins_satisfy_the_project(python):
    """On each Python, each requirement of the project has exactly one pin, inside its range."""
    pins = {}
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate(environment(python)):
            pins.setdefault(canonicalize_name(pin.name), []).extend(pin.specifier)
    unmet = []
    for requirement in wanted():
        found = [spec.version for spec in pins.get(canonicalize_name(requirement.name), [])]
        if len(found) != 1 or not requirement.specifier.contains(Version(found[0])):
            unmet.append((str(requirement), found))
    assert unmet == []


def test_the_version_is_told_once():
    """The changelog's newest entry is the version of the package."""
    entries = re.findall(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert next(entry for entry in entries if entry != "Unreleased") == sta410kit.__version__


def test_the_pythons_agree():
    """The project's range, its classifiers and the workflow speak of the same Pythons."""
    assert all(SpecifierSet(PROJECT["project"]["requires-python"]).contains(python) for python in TESTED)
    assert not SpecifierSet(PROJECT["project"]["requires-python"]).contains("3.10")
    listed = [line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if "Python :: 3." in line]
    assert listed == TESTED
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci-cd.yml").read_text("utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == TESTED


def test_the_primary_python_agrees_everywhere():
    """conda, Binder, the image, mypy and the lock all mean the Python that is tested first."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert conda["dependencies"][0] == f"python={PRIMARY}"
    assert (ROOT / "binder/runtime.txt").read_text("utf-8") == f"python-{PRIMARY}\n"
    assert f"FROM python:{PRIMARY}." in (ROOT / "Dockerfile").read_text("utf-8")
    assert PROJECT["tool"]["mypy"]["python_version"] == PRIMARY
    assert f"--python-version {PRIMARY} " in (ROOT / "Makefile").read_text("utf-8")


def test_conda_and_binder_use_the_lock():
    """Neither repeats a version: both install the lock, and then the kit without looking for more."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert conda["name"] == PROJECT["project"]["name"]
    assert conda["dependencies"][1:] == ["pip", {"pip": ["--requirement requirements.txt"]}]
    post_build = ROOT / "binder/postBuild"
    assert post_build.stat().st_mode & 0o111
    assert "--require-hashes --requirement requirements.txt" in post_build.read_text("utf-8")
    assert "--no-deps --no-build-isolation --editable ." in post_build.read_text("utf-8")
