"""Where nothing is installed but the lock: what Binder makes, and JupyterLab of a new project."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]

# In front of the environment's Python; pip takes minutes for what uv, with the same options, does in one.
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m pip" ] || exec "$VIRTUAL_ENV/bin/python" "$@"
shift 2
for word; do shift; [ "$word" = --no-cache-dir ] || set -- "$@" "$word"; done
exec {uv} pip "$@"
"""


class Environment:
    """A checkout, an environment beside it, and what a program that runs in it is given."""

    def __init__(self, folder):
        self.checkout, self.prefix = folder / "checkout", folder / "environment"
        kept = {"HOME", "PATH", "TMPDIR", "SSL_CERT_FILE", "XDG_RUNTIME_DIR", "IPYTHONDIR"}
        kept |= {name for name in os.environ if name.startswith(("PIP_", "UV_"))}
        self.variables = {name: os.environ[name] for name in kept & set(os.environ)} | {
            "VIRTUAL_ENV": str(self.prefix),
            "PATH": f"{self.prefix / 'bin'}:{os.environ['PATH']}",
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
            "STA410_LEDGER": str(folder / "trials.sqlite"),
        }

    def run(self, *words, **variables):
        """Run a program in the checkout and return what it printed."""
        done = subprocess.run(words, cwd=self.checkout, env={**self.variables, **variables},
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def address(self, *words, cwd):
        """Start JupyterLab, and return what it says up to the address that it opens."""
        command = subprocess.Popen(words, cwd=cwd, env=self.variables, text=True, start_new_session=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        said = ""
        with command:
            for line in command.stdout:
                said += line
                if "?token=" in line:
                    break
            with suppress(ProcessLookupError):  # it has failed
                os.killpg(command.pid, signal.SIGKILL)
        return said


@pytest.fixture(scope="module")
def binder(tmp_path_factory, root, tracked):
    """Run Binder's script, with uv in place of pip; skip where packages cannot be had, but not under CI."""
    made = Environment(tmp_path_factory.mktemp("clean"))
    for path in tracked:
        copy = made.checkout / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    subprocess.run([sys.executable, "-m", "venv", made.prefix], check=True)
    first = made.prefix.with_name("first")
    first.mkdir()
    (first / "python").write_text(PYTHON.format(uv=Path(sys.executable).with_name("uv")))
    (first / "python").chmod(0o755)
    try:
        made.run("bash", "binder/postBuild", PATH=f"{first}:{made.variables['PATH']}")
    except AssertionError as error:
        if "CI" in os.environ or "error sending request" not in str(error):
            raise
        pytest.skip("no registry can be reached")
    return made


def test_the_first_notebook_runs_in_what_binder_makes(binder):
    """With the environment's own Python, kernel and kit."""
    where = binder.run("python", "-c", "import sta410kit, sys; print(sta410kit.__file__, sys.prefix)")
    assert where.split() == [str(binder.checkout / "sta410kit/__init__.py"), str(binder.prefix)]
    executed = json.loads(
        binder.run(
            "papermill", "notebooks/start_here.ipynb", "-", "--cwd", "notebooks", "--kernel", "python3"
        )
    )
    cells = [cell for cell in executed["cells"] if cell["cell_type"] == "code"]
    assert [bool(cell["outputs"]) for cell in cells] == [True] * 4


def test_jupyter_opens_on_it_in_what_binder_makes(binder):
    """By the configuration that the script leaves, with the kit's extension."""
    said = binder.address("jupyter", "lab", "--no-browser", "--allow-root", cwd=binder.checkout)
    assert "/lab/tree/notebooks/start_here.ipynb?token=" in said
    assert "sta410kit.lab | extension was successfully loaded" in said


def test_make_lab_of_a_new_project_is_that_of_the_kit(binder, tmp_path):
    """What it installs is there already."""
    binder.run("sta410", "new", "project", str(tmp_path / "mine"))
    (tmp_path / "mine/.venv").symlink_to(binder.prefix)
    (binder.prefix / ".installed").touch()
    said = binder.address("make", "lab", "ARGS=--no-browser --allow-root", cwd=tmp_path / "mine")
    assert "/lab/tree/notebooks/start_here.ipynb?token=" in said
    assert "sta410kit.lab | extension was successfully loaded" in said
    assert (binder.prefix / ".installed-lab").is_file()
