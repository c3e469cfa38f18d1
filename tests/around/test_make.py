"""What `make` offers, what each target installs, and what it says where it cannot go on."""

import os
import subprocess

import pytest

from sta410kit.config import Config, load_config

pytestmark = pytest.mark.integration


@pytest.fixture
def make(root, tool, monkeypatch):
    """Give the function that runs make in the checkout."""
    monkeypatch.delenv("MAKEFLAGS", raising=False)  # the tests may themselves run below make
    monkeypatch.delenv("MAKELEVEL", raising=False)

    def run(*words):
        return subprocess.run([tool("make"), "-C", str(root), "--no-print-directory", *words],
                              capture_output=True, text=True, check=False)  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("run", ".venv/bin/sta410 run -p model=naive"),
        ("docs", ".venv/bin/sta410 docs -p model=naive"),
        ("site", "-m sphinx --fail-on-warning"),
        ("nbval", "--nbval-sanitize-with notebooks/nbval_sanitize.cfg"),
        ("test", '--dist=worksteal -m "not slow" tests -p model=naive'),
        ("test-all", "--fail-under=100"),
        ("test-nightly", "TEST_PROFILE=nightly"),
        ("lab", ".venv/bin/sta410 lab -p model=naive"),
        ("check", ".venv/bin/lint-imports"),
        ("build", "uv build --require-hashes --build-constraint requirements.txt"),
        ("lock", "--generate-hashes --no-emit-index-url"),
    ],
)
def test_a_target_runs_its_command(make, target, command):
    """Each target runs the command that it promises, with ARGS passed on."""
    planned = make("--dry-run", target, "ARGS=-p model=naive")
    assert planned.returncode == 0, planned.stderr
    assert command in " ".join(planned.stdout.replace("\\\n", " ").split())


@pytest.fixture
def installed(root, tmp_path):
    """Give a folder with the Makefile and what it reads, where everything seems to be installed."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml", ".env.example"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("bin/uv", ".installed", ".installed-test", ".installed-dev", ".installed-lab"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("target", "extras"),
    [("run", ["build"]), ("test", ["build", "test"]), ("install", ["build", "test", "dev", "lab"])],
)
def test_each_target_installs_its_part_of_the_lock(make, installed, target, extras):
    """Nothing is installed while the stamps are newer than the lock; else its pins are, with their hashes."""

    def planned():
        lines = make("-C", str(installed), "--dry-run", target).stdout.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.startswith(".venv/bin/uv pip install")]

    assert planned() == []
    soon = (installed / ".venv/.installed").stat().st_mtime + 5
    os.utime(installed / "requirements.txt", (soon, soon))
    pinned = [line for line in planned() if "--require-hashes" in line and "requirements.txt" in line]
    assert [line.rpartition(" --extra ")[2] for line in pinned] == extras
    assert [line for line in planned() if line not in pinned] == [
        ".venv/bin/uv pip install --python .venv/bin/python --no-deps --no-build-isolation --editable ."
    ]


@pytest.mark.parametrize("target", ["nbval", "notebooks", "test"])
def test_notebooks_run_on_the_defaults(make, installed, monkeypatch, target):
    """Neither .env nor an exported setting shows in outputs that are committed or compared."""
    python = installed / ".venv/bin/python"
    python.write_text('#!/bin/sh\ncase "$*" in *nbval*|*nbconvert*) env -0 >seen ;; esac\n', encoding="utf-8")
    python.chmod(0o755)
    (installed / ".env").write_text("LOG_LEVEL=DEBUG\nSLIPPAGE_BPS=50\n", encoding="utf-8")
    monkeypatch.setenv("RANDOM_SEED", "7")
    monkeypatch.setenv("PAPER_TRADING", "false")
    assert make("-C", str(installed), target).returncode == 0
    seen = dict(line.split("=", 1) for line in (installed / "seen").read_text("utf-8").split("\0") if line)
    assert load_config(seen, installed) == Config()


@pytest.mark.parametrize(
    ("answers", "messages"),
    [
        (None, ["no 'no-such-python' here", "apt-get install --yes python3 python3-venv"]),
        (
            {"version_info[:2]": "echo 3.9"},
            ["is Python 3.9; the kit needs 3.11 or newer", "make install PYTHON=python3.11"],
        ),
        (
            {"version_info[:2]": "echo 3.11", "version_info <": "exit 0"},
            ["apt-get install --yes python3-venv", "python3.11-venv"],
        ),
    ],
    ids=["no Python", "an old Python", "no venv"],
)
def test_a_python_that_cannot_be_used_is_refused_with_the_command_to_type(root, tmp_path, answers, messages):
    """Make's script names what is missing and the command that installs it, and leaves nothing behind."""
    python = "no-such-python"
    if answers is not None:
        python = tmp_path / "python"
        cases = "\n".join(f"  *'{words}'*) {does} ;;" for words, does in answers.items())
        python.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}\n  *) exit 1 ;;\nesac\n', encoding="utf-8")
        python.chmod(0o755)
    refused = subprocess.run(
        [root / "scripts/make_venv.sh", tmp_path / "venv"],
        cwd=root, env={**os.environ, "PYTHON": str(python)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert [message for message in messages if message not in refused.stderr] == []
    assert not (tmp_path / "venv").exists()


def test_ci_runs_what_a_person_runs(root):
    """What has to pass before a change goes in is these three, and nothing else."""
    lines = (root / ".ci/run").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == [
        "make check",
        "make test",
        "make test-all",
    ]
