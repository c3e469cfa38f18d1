"""Cells in a forked process behave as on ipykernel, whose internals are replaced in one place."""

import json

import ipykernel
import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core.shellapp import InteractiveShellApp
from jupyter_client.session import Session

from sta410kit.runner.execute import execute
from sta410kit.runner.warm.pipe_kernel import CellApp, PipeSession
from sta410kit.runner.warm.session import CellSession

pytestmark = pytest.mark.integration


def test_what_is_replaced_is_there_in_the_versions_it_was_written_for():
    """Ipykernel 6.29 to 7.4: raise the bound in pyproject.toml only with this file green."""
    assert (6, 29) <= ipykernel.version_info[:2] < (7, 5)
    replaced = {name for name in vars(CellApp) if name.startswith(("init_", "write_", "log_", "_run"))}
    inherited = (IPKernelApp, InteractiveShellApp)
    assert [name for name in replaced if not any(hasattr(one, name) for one in inherited)] == []
    assert "send" in vars(PipeSession)
    assert callable(Session.send)
    assert callable(IPythonKernel.do_execute)


def printed(tmp_path, write_notebook, *cells):
    """Execute cells and return what they printed."""
    result = execute(write_notebook(tmp_path / "x.ipynb", *cells), tmp_path / "out" / "x.ipynb", {})
    assert (result.outcome, result.message) == ("PASSED", "")
    cells = nbformat.read(tmp_path / "out" / "x.ipynb", as_version=4).cells
    return "".join(output.text for cell in cells for output in cell.outputs if output.output_type == "stream")


SPAWN = """import multiprocessing as mp
with mp.get_context('spawn').Pool(1) as pool:
    print(pool.map(squares.square, [2, 3]))"""
LOKY = """from joblib import Parallel, delayed
print(Parallel(n_jobs=2)(delayed(squares.square)(n) for n in (2, 3)))"""


@pytest.mark.parametrize("cell", [SPAWN, LOKY], ids=["multiprocessing", "joblib"])
def test_spawned_processes_find_a_module_beside_the_notebook(tmp_path, write_notebook, cell):
    """They start in the notebook's folder, as from an ordinary kernel."""
    (tmp_path / "squares.py").write_text("def square(n):\n    return n * n\n")
    assert printed(tmp_path, write_notebook, "import squares", cell) == "[4, 9]\n"


def test_half_of_a_surrogate_pair_becomes_a_replacement_character(tmp_path, write_notebook):
    """As in the name of a file that is not UTF-8; a whole pair is that character."""
    cell = r"import os" + "\n" + r"print('\ud800|\ud83d\ude00|' + os.fsdecode(b'r\xe9sum\xe9'))"
    assert printed(tmp_path, write_notebook, cell) == "\ufffd|\U0001f600|r\ufffdsum\ufffd\n"


def test_a_cell_may_fork_and_not_exit(tmp_path, write_notebook):
    """The next cell runs once, in the process that has forked."""
    fork = "import os\npid = os.fork()\nif pid:\n    _ = os.waitpid(pid, 0)"
    assert printed(tmp_path, write_notebook, fork, "print('next')") == "next\n"


def test_an_interrupt_ends_the_processes_of_a_cell(tmp_path, gone):
    """As Jupyter interrupts a kernel: with all it has started in the foreground."""
    messages = []
    with CellSession(str(tmp_path)) as session:

        def on_message(message):
            messages.append(message)
            if "begun" in str(message["content"].get("text")):
                session.interrupt()

        cell = "%%bash\necho begun $$\nsleep 600"
        reply = session.execute(cell, None, on_message)
        assert reply["ename"] in {"KeyboardInterrupt", "CalledProcessError"}
        bash = next(message["content"]["text"] for message in messages if message["msg_type"] == "stream")
        assert gone(int(bash.split()[1]))
        assert session.execute("1 + 1", None, messages.append)["status"] == "ok"


def test_output_captured_by_a_widget_is_in_the_widget(tmp_path, write_notebook):
    """A notebook with widgets gets a Jupyter client, which keeps their state."""
    cell = "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('in' + 'side')\nout"
    execute(write_notebook(tmp_path / "x.ipynb", cell), tmp_path / "out.ipynb", {})
    content = json.loads((tmp_path / "out.ipynb").read_text())
    assert "inside" not in str(content["cells"])
    state = content["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    captured = [one["state"]["outputs"] for one in state.values() if one["model_name"] == "OutputModel"]
    assert captured[0][0]["text"] == "inside\n"
