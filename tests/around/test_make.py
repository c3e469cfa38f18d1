"""The two commands' plumbing: what `make` offers, and what it says where it cannot go on."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from sta410kit.config import Config, load_config

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PROMISED = [
    "install",
    "run",
    "test",
    "test-all",
    "test-nightly",
    "nbval",
    "regress",
    "lab",
    "docs",
    "notebooks",
    "check",
    "benchmark",
    "calibrate",
    "peers",
    "build",
    "lock",
    "clean",
]


def targets():
    """Name the targets that a person may type."""
    text = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    return phony.split()


@pytest.fixture
def make(root, tool, monkeypatch):
    """Run make in the checkout and give back what it said."""
    monkeypatch.delenv("MAKEFLAGS", raising=False)  # the tests may themselves run below make
    monkeypatch.delenv("MAKELEVEL", raising=False)

    def run(*words):
        return subprocess.run([tool("make"), "-C", str(root), "--no-print-directory", *words],
                              capture_output=True, text=True, check=False)  # fmt: skip

    return run


def test_make_alone_lists_the_targets(make):
    """The default goal explains; it changes nothing."""
    told = make()
    assert told.returncode == 0
    assert re.findall(r"^  make ([\w-]+)", told.stdout, re.MULTILINE) == ["help", *PROMISED]
    assert sorted(targets()) == sorted(["help", *PROMISED])


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("run", ".venv/bin/sta410 run -p model=naive"),
        ("docs", ".venv/bin/sta410 docs -p model=naive"),
        ("nbval", "--nbval-sanitize-with notebooks/nbval_sanitize.cfg"),
        ("test", 'pytest --numprocesses=2 --dist=worksteal -m "not slow" tests'),
        ("test-all", "--fail-under=100"),
        ("test-nightly", "TEST_PROFILE=nightly"),
        ("lab", "-m ipykernel install --sys-prefix"),
        ("check", "-m ruff format --check ."),
        ("check", "-m mypy"),
        ("build", "uv build --require-hashes --build-constraint requirements.txt"),
        ("lock", "--generate-hashes --no-emit-index-url"),
    ],
)
def test_a_target_does_what_it_says(make, target, command):
    """Each target comes down to the command it promises, with ARGS handed on."""
    told = make("--dry-run", target, "ARGS=-p model=naive")
    assert told.returncode == 0, told.stderr
    assert command in " ".join(told.stdout.replace("\\\n", " ").split())


@pytest.fixture
def installed(tmp_path):
    """Give a folder with the Makefile and what it reads, where everything seems to be installed."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml", ".env.example"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/uv").touch()
    for stamp in (".installed", ".installed-test", ".installed-dev", ".installed-lab"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("target", "extras"),
    [("run", ["build"]), ("test", ["build", "test"]), ("install", ["build", "test", "dev", "lab"])],
)
def test_each_target_installs_its_part_of_the_lock(make, installed, target, extras):
    """Nothing is installed while the stamps are newer than the lock; else its pins are, with their hashes."""

    def planned():
        told = make("-C", str(installed), "--dry-run", target).stdout.replace("\\\n", " ")
        return [line for line in told.splitlines() if line.startswith(".venv/bin/uv pip install")]

    assert planned() == []
    soon = (installed / ".venv/.installed").stat().st_mtime + 5
    os.utime(installed / "requirements.txt", (soon, soon))
    pinned = [line for line in planned() if "--require-hashes" in line and "requirements.txt" in line]
    assert [line.rpartition(" --extra ")[2] for line in pinned] == extras
    assert [line for line in planned() if line not in pinned] == [
        ".venv/bin/uv pip install --python .venv/bin/python --no-deps --no-build-isolation --editable ."
    ]


@pytest.mark.parametrize("target", ["nbval", "notebooks", "test"])
def test_notebooks_run_on_the_defaults_whatever_a_developer_has_set(make, installed, monkeypatch, target):
    """Neither .env nor an exported setting shows in outputs that are committed or compared."""
    python = installed / ".venv/bin/python"
    python.write_text('#!/bin/sh\ncase "$*" in *nbval*|*nbconvert*) env -0 >told ;; esac\n', encoding="utf-8")
    python.chmod(0o755)
    (installed / ".env").write_text("LOG_LEVEL=DEBUG\nSLIPPAGE_BPS=50\n", encoding="utf-8")
    monkeypatch.setenv("RANDOM_SEED", "7")
    monkeypatch.setenv("PAPER_TRADING", "false")
    assert make("-C", str(installed), target).returncode == 0
    told = dict(line.split("=", 1) for line in (installed / "told").read_text("utf-8").split("\0") if line)
    assert load_config(told, installed) == Config()


def fake_python(folder, answers):
    """Write a stand-in for Python that answers by the words it is started with, and refuses all else."""
    cases = "\n".join(f"  *'{words}'*) {does} ;;" for words, does in answers.items())
    program = folder / "fake python"
    program.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}\n  *) exit 1 ;;\nesac\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def make_venv(python, folder):
    return subprocess.run(
        [ROOT / "scripts/make_venv.sh", str(folder / "venv")],
        cwd=ROOT, env={**os.environ, "PYTHON": python}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_python_it_names_the_package(tmp_path):
    """No Python at all: the message is the line to type."""
    told = make_venv("no-such-python", tmp_path)
    assert told.returncode == 2
    assert "no 'no-such-python' here" in told.stderr
    assert "apt-get install --yes python3 python3-venv" in told.stderr


def test_an_old_python_is_refused_by_name(tmp_path):
    """A Python that is too old is named with its version and the way out."""
    old = fake_python(tmp_path, {"version_info[:2]": "echo 3.9"})
    told = make_venv(old, tmp_path)
    assert told.returncode == 2
    assert "is Python 3.9; the kit needs 3.11 or newer" in told.stderr
    assert "make install PYTHON=python3.11" in told.stderr


def test_without_venv_it_names_the_package(tmp_path):
    """Debian's bare python3 cannot make environments: the message names the package, nothing is left."""
    bare = fake_python(tmp_path, {"version_info[:2]": "echo 3.11", "version_info <": "exit 0"})
    told = make_venv(bare, tmp_path)
    assert told.returncode == 2
    assert "apt-get install --yes python3-venv" in told.stderr
    assert "python3.11-venv" in told.stderr
    assert not (tmp_path / "venv").exists()


def test_a_pip_outside_fills_an_environment_without_one(tmp_path):
    """Where only ensurepip is missing, a pip that stands outside installs uv, by its hash."""
    log = tmp_path / "log"
    helpful = fake_python(
        tmp_path,
        {
            "version_info[:2]": "echo 3.11",
            "version_info <": "exit 0",
            "import ensurepip": "exit 1",
            "--without-pip": f"echo \"$*\" >>'{log}'",
            "-m pip": f"echo \"$*\" >>'{log}'",
        },
    )
    assert make_venv(helpful, tmp_path).returncode == 0
    said = log.read_text("utf-8")
    assert f"-m venv --without-pip {tmp_path}/venv" in said
    assert f"--python {tmp_path}/venv/bin/python install --quiet --require-hashes" in said


@pytest.mark.parametrize("script", [".ci/run", "binder/postBuild", "scripts/make_venv.sh"])
def test_the_scripts_can_be_started(tool, script):
    """Each script is executable and bash can read it."""
    assert (ROOT / script).stat().st_mode & 0o111
    assert subprocess.run([tool("bash"), "-n", ROOT / script], check=False).returncode == 0


def test_ci_runs_what_a_person_runs():
    """The check before a change goes in is `make check`, `make test`, `make test-all`, and nothing else."""
    lines = (ROOT / ".ci/run").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == [
        "make check",
        "make test",
        "make test-all",
    ]
    assert "export CI=true" in lines
    assert "exec </dev/null" in lines
