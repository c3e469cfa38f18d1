"""A planted secret, in fifty notations and by every way out, leaves no trace on the disk after a full run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import nbformat
import papermill
import pytest

from sta410kit._internal import redaction
from sta410kit._internal.project import find_project
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.runner.file_scrubbing import scrub_folder
from sta410kit.secrets import learn_configured_secrets

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
FORMS = run_path(str(TESTS / "_internal" / "forms.py"))["FORMS"]
CONFIGURED = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYz9Qz2KEYab"  # pragma: allowlist secret
ELSEWHERE = "Tq8Zr3/Lw+5Xv1Nb7Mc9Kd2Jf4Hg6Sa0"  # pragma: allowlist secret

LEAKING = """
import json, os, sys, warnings
from pathlib import Path
from runpy import run_path
from IPython.display import HTML, JSON, display
from sta410kit.logging import setup_logger
from sta410kit.secrets import load_secrets_from_file
FORMS = run_path({forms!r})["FORMS"]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    elsewhere = load_secrets_from_file({file!r})["API"]
secrets = [os.environ["ALPACA_SECRET_KEY"], elsewhere]
written = [form(secret) for secret in secrets for form in FORMS.values()]
log = setup_logger("leaking")
"""
CELLS = [
    "for text in written:\n    print(text)\n    print(text, file=sys.stderr)",
    "for secret in secrets:\n    for letter in secret:\n        print(letter, end='', flush=True)",
    "for text in written:\n    display(HTML(text), metadata={'x': text})\n    display(JSON({'k': [text]}))",
    "for text in written:\n    log.warning('{}', text)",
    "import subprocess\nfor text in written:\n    subprocess.run(['printf', '%s\\\\n', text])",
    "for number, text in enumerate(written):\n    (Path(run_dir) / f'{number}.txt').write_text(text)",
    "(Path(run_dir) / 'all.json').write_text(json.dumps(written))",
    "secrets",
]


def trace(folder, secret):
    """Name the files and notations in which a secret is left anywhere under a folder."""
    forms = {name: form(secret) for name, form in FORMS.items()}
    forms |= {f"{name}, in JSON": json.dumps(form)[1:-1] for name, form in forms.items()}
    forms |= {"a third of it": secret[: len(secret) // 3]}
    return [
        (path.relative_to(folder).as_posix(), name)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {".env", "elsewhere.json"}
        for content in [path.read_bytes()]
        for name, form in forms.items()
        if form.encode() in content
    ]


@pytest.fixture(autouse=True)
def _own_register(monkeypatch):
    monkeypatch.setattr(redaction, "_values", frozenset())
    monkeypatch.setattr(redaction, "_pattern", None)


@pytest.fixture
def project(tmp_path):
    """Copy the project's chain, and plant a secret where the configuration looks, and one elsewhere."""
    source = find_project(Path(__file__))
    for name in ("notebooks", "expectations"):
        shutil.copytree(source / name, tmp_path / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (tmp_path / ".env").write_text(f"ALPACA_SECRET_KEY={CONFIGURED}\n")
    (tmp_path / "elsewhere.json").write_text(json.dumps({"API": ELSEWHERE}))
    return tmp_path


def leak(path, project, *more):
    """Put leaking cells into a notebook, behind its imports."""
    notebook = nbformat.read(path, as_version=4)
    first = LEAKING.format(forms=str(TESTS / "_internal" / "forms.py"), file=str(project / "elsewhere.json"))
    at = 1 + next(number for number, cell in enumerate(notebook.cells) if "run_dir" in cell.source)
    at += 1  # the imports, which know the run's folder
    cells = [nbformat.v4.new_code_cell(source) for source in (first, *CELLS)]
    notebook.cells[at:at] = cells
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in more]
    nbformat.write(notebook, path)


def sta410(*words, cwd, **env):
    return subprocess.run(
        [sys.executable, "-m", "sta410kit", *words],
        cwd=cwd,
        env={**os.environ, "ALPACA_SECRET_KEY": CONFIGURED, **env},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_a_full_run_leaves_no_trace(project):
    """Outputs, tracebacks, logs, metadata, manifest, report, data docs, index, artifacts: none has it.

    The run goes on and passes, with warnings that name the cells.
    """
    leak(project / "notebooks" / "01_ingest.ipynb", project)
    done = sta410("run", "--to", "02_validate", cwd=project)
    assert done.returncode == 0, done.stderr
    for secret in (CONFIGURED, ELSEWHERE):
        assert trace(project, secret) == []
        assert secret not in done.stdout + done.stderr
    (manifest,) = (project / "runs").glob("*/manifest.json")
    record = json.loads(manifest.read_text())
    assert record["outcome"] == "PASSED"
    assert "cell In [5]: a secret was scrubbed from its output" in record["steps"][0]["warnings"]
    assert "01_ingest: cell In [5]: a secret was scrubbed from its output" in done.stdout
    assert "a secret was scrubbed from all.json" in record["warnings"]
    assert (project / "runs" / "registry.sqlite").is_file()
    assert list((project / "logs").glob("*.log"))


def test_a_traceback_leaves_no_trace(project, monkeypatch):
    """Neither in the notebook nor in the message, also of a value that only the notebook was handed."""
    monkeypatch.setenv("ALPACA_SECRET_KEY", CONFIGURED)
    learn_configured_secrets(project)
    path = project / "notebooks" / "01_ingest.ipynb"
    leak(path, project, "raise ValueError('\\n'.join(written))")
    (project / "runs").mkdir()
    result = execute(path, project / "runs" / "x.ipynb", {"run_dir": str(project / "runs")})
    assert result.outcome is ExitCode.NOTEBOOK_FAILED
    scrub_folder(project / "runs")
    for secret in (CONFIGURED, ELSEWHERE):
        assert trace(project, secret) == []
        assert secret not in result.message


@pytest.mark.parametrize(("engine", "kernel"), [("sta410", "python3"), (None, "python3"), (None, "sta410")])
def test_bare_papermill_leaves_no_trace_of_what_the_kernel_was_handed(project, engine, kernel, monkeypatch):
    """Through the engine, and in any kernel: there the kernel itself scrubs."""
    monkeypatch.setenv("ALPACA_SECRET_KEY", CONFIGURED)
    spec = {"name": kernel, "display_name": "x", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    first = LEAKING.format(forms=str(TESTS / "_internal" / "forms.py"), file=str(project / "elsewhere.json"))
    handed = "from sta410kit.config import get_config\nx = get_config()"
    sources = [first, handed, *[cell for cell in CELLS if "run_dir" not in cell]]
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (*sources, "raise ValueError(written)")]
    nbformat.write(notebook, project / "notebooks" / "x.ipynb")
    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            str(project / "notebooks" / "x.ipynb"),
            str(project / "out.ipynb"),
            engine_name=engine,
            kernel_name=kernel,
            cwd=str(project / "notebooks"),
            progress_bar=False,
        )
    for secret in (CONFIGURED, ELSEWHERE):
        assert trace(project, secret) == []
