"""A planted secret, in each form the kit claims and by every way out, leaves no trace on the disk."""

import hashlib
import json
from pathlib import Path
from runpy import run_path

import nbformat
import papermill
import pytest

from sta410kit.exit_codes import ExitCode
from sta410kit.runner.execute import execute
from sta410kit.secrets import learn_configured_secrets

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
    "secrets",
]


def trace(folder, secret):
    """Name the files and notations in which a secret is left anywhere under a folder."""
    forms = {name: form(secret) for name, form in FORMS.items()}
    forms |= {f"{name}, in JSON": json.dumps(form)[1:-1] for name, form in forms.items()}
    return [
        (path.relative_to(folder).as_posix(), name)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {".env", "elsewhere.json"}
        for content in [path.read_bytes()]
        for name, form in forms.items()
        if form.encode() in content
    ]


@pytest.fixture
def project(project, monkeypatch):
    """Plant a secret where the configuration looks, and one that only a notebook is handed."""
    (project / ".env").write_text(f"ALPACA_SECRET_KEY={CONFIGURED}\n")
    (project / "elsewhere.json").write_text(json.dumps({"API": ELSEWHERE}))
    monkeypatch.setenv("ALPACA_SECRET_KEY", CONFIGURED)
    return project


def insert(path, at, *sources):
    """Put cells into a notebook, in front of cell `at`."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[at:at] = map(nbformat.v4.new_code_cell, sources)
    nbformat.write(notebook, path)
    return path


def leaking(project):
    return LEAKING.format(forms=str(TESTS / "_internal" / "forms.py"), file=str(project / "elsewhere.json"))


def records(project):
    """Return the manifests of a project's runs, the oldest first."""
    return [json.loads(path.read_text()) for path in sorted((project / "runs").glob("2*/manifest.json"))]


def test_a_full_run_leaves_no_trace(project, typed):
    """Outputs, logs, metadata, manifest, report, index: none has it; the warnings name the cells."""
    insert(project / "notebooks" / "one.ipynb", 1, leaking(project), *CELLS)
    done = typed("run", cwd=project)
    assert done.returncode == 0, done.stderr
    for secret in (CONFIGURED, ELSEWHERE):
        assert trace(project, secret) == []
        assert secret not in done.stdout + done.stderr
    (record,) = records(project)
    assert "cell In [4]: a secret was redacted from its output" in record["steps"][0]["warnings"]
    assert "one: cell In [4]: a secret was redacted from its output" in done.stdout
    assert list((project / "logs").glob("*.log"))


WRITE = """
import hashlib, pandas
table = Path(run_dir) / "table.parquet"
pandas.DataFrame({"symbol": ["AAPL", "MSFT"] * 500, "close": range(1000)}).to_parquet(table)
(Path(run_dir) / "digest.txt").write_text(hashlib.sha256(table.read_bytes()).hexdigest())
"""


def test_no_file_changes_after_its_step_wrote_it(project, typed):
    """Secrets are looked for in a table, and it keeps its bytes; nothing is said where there is none."""
    insert(project / "notebooks" / "one.ipynb", 1, leaking(project), WRITE)
    done = typed("run", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout + done.stderr
    (table,) = (project / "runs").glob("2*/table.parquet")
    assert hashlib.sha256(table.read_bytes()).hexdigest() == table.with_name("digest.txt").read_text()


def test_a_step_that_writes_a_secret_fails_and_is_never_reused(project, typed):
    """Exit code 6 and the file's name; the file keeps its bytes, and the same run fails again."""
    write = "(Path(run_dir) / 'notes.csv').write_text(f'key,{secrets[0]}')"
    insert(project / "notebooks" / "one.ipynb", 1, leaking(project), write)
    for runs in (1, 2):
        done = typed("run", cwd=project)
        assert done.returncode == ExitCode.SECRET_FOUND
        assert "notes.csv holds a registered secret" in done.stdout + done.stderr
        assert CONFIGURED not in done.stdout + done.stderr
        assert len(records(project)) == runs
    first, second = sorted((project / "runs").glob("2*/notes.csv"))
    assert first.read_text() == second.read_text() == f"key,{CONFIGURED}"
    assert [step["reused"] for step in records(project)[1]["steps"]] == [""]
    assert records(project)[1]["not_run"] == ["two"]


def test_what_a_later_step_registers_is_looked_for_in_earlier_ones(project, typed):
    """The text of the kit is redacted then; the step that wrote the file has failed."""
    print_it = f"print({ELSEWHERE!r})\n(Path(run_dir) / 'number.txt').write_text('2')"
    insert(project / "notebooks" / "one.ipynb", 2, print_it.replace("'2'", f"'2 # {ELSEWHERE}'"))
    insert(project / "notebooks" / "two.ipynb", 1, leaking(project))
    notebook = nbformat.read(project / "notebooks" / "two.ipynb", as_version=4)
    notebook.cells[2].source = "found = 4.0\nfrom pathlib import Path"
    nbformat.write(notebook, project / "notebooks" / "two.ipynb")
    done = typed("run", cwd=project)
    assert done.returncode == ExitCode.SECRET_FOUND, done.stderr
    (record,) = records(project)
    assert [step["outcome"] for step in record["steps"]] == ["SECRET_FOUND", "PASSED"]
    (run,) = (project / "runs").glob("2*")
    assert {name for name, _ in trace(run, ELSEWHERE)} == {"number.txt"}


def test_a_traceback_leaves_no_trace(project):
    """Neither in the notebook nor in the message, also of a value that only the notebook was handed."""
    learn_configured_secrets(project)
    path = insert(
        project / "notebooks" / "one.ipynb", 1, leaking(project), "raise ValueError('\\n'.join(written))"
    )
    result = execute(path, project / "runs" / "x.ipynb", {"run_dir": str(project)})
    assert result.outcome == "NOTEBOOK_FAILED"
    for secret in (CONFIGURED, ELSEWHERE):
        assert trace(project / "runs", secret) == []
        assert secret not in result.message


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "kernel"), [("sta410", "python3"), (None, "python3"), (None, "sta410")])
def test_bare_papermill_leaves_no_trace_of_what_the_kernel_was_handed(project, engine, kernel):
    """Through the engine, and in any kernel: there the kernel itself scrubs."""
    spec = {"name": kernel, "display_name": "x", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    handed = "from sta410kit.config import get_config\nx = get_config()"
    sources = [leaking(project), handed, *CELLS]
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
