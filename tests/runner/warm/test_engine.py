"""A notebook shows what papermill shows, only sooner; and the papermill engine `sta410`."""

import json
import re
from contextlib import suppress

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import write_ipynb

from sta410kit._internal import redaction
from sta410kit._internal.redaction import register
from sta410kit.runner import engine
from sta410kit.runner.execute import execute as run_notebook

pytestmark = pytest.mark.integration

CELLS = {
    "the last value": "1 + 1",
    "streams": "import sys\nprint('out')\nprint('err', file=sys.stderr)",
    "words of native code and subprocesses": (
        "import os\nprint('first')\nos.write(1, b'native ')\n_ = os.system('echo child')\nprint('last')"
    ),
    "a shell line": "!echo hello",
    "a figure": "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.plot([1, 2])\nplt.show()",
    "a figure as the last value": "fig, ax = plt.subplots(figsize=(1, 1))\nfig",
    "a frame": "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "a wide frame": "pd.DataFrame({f'a long name {n}': [n] for n in range(25)})",
    "options of pandas": (
        "{name: pd.get_option(name) for name in ('display.max_columns', 'display.width', 'display.max_rows')}"
    ),
    "options of matplotlib and numpy": (
        "import matplotlib, numpy as np\n"
        "{**{k: str(v) for k, v in matplotlib.rcParams.items() if k != 'figure.hooks'}, "
        "**{k: str(v) for k, v in np.get_printoptions().items()}}"
    ),
    "rich displays": (
        "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>x</b>'), Markdown('*y*'))"
    ),
    "an updated display": (
        "from IPython.display import update_display\n_ = display('old', display_id='d')\n"
        "update_display('new', display_id='d')"
    ),
    "cleared output": (
        "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('kept')"
    ),
    "output cleared later": "print('gone')\nclear_output(wait=True)\nprint('kept')",
    "magics": "%matplotlib inline\n%who_ls int",
    "a cell magic": "%%capture said\nprint('caught')",
    "what was caught": "said.stdout",
    "top-level await": "import asyncio\nawait asyncio.sleep(0, 'slept')",
    "a running loop": "asyncio.run(asyncio.sleep(0))",
    "input": "input('name? ')",
    "an error": "def f():\n    return 1 / 0\nf()",
    "a syntax error": "def f(:\n",
    "an interrupt": "raise KeyboardInterrupt",
    "a warning": "import warnings\nwarnings.warn('careful')",
    "the folder and the path": "import os, sys\nos.getcwd(), sys.argv[0], __name__, '' in sys.path",
    "the environment": "{name: os.environ.get(name) for name in ('MPLBACKEND', 'TERM', 'PAGER', 'CLICOLOR')}",
    "what is underscore": "_",
}


# The order in which an ordinary kernel shows these is chance, and on a busy machine some get lost.
BY_CHANCE = {"streams", "words of native code and subprocesses"}


def words(cell):
    """Return each word with the stream it came on."""
    return [(output.name, word) for output in cell.outputs for word in output.text.split()]


def execute(folder, cells, engine=None):
    """Execute `cells`, each allowed to raise, with papermill or like `sta410 run`; return the code cells."""
    made = [new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in cells]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path, output = folder / "in.ipynb", folder / f"{engine}.ipynb"
    nbformat.write(new_notebook(cells=made, metadata={"kernelspec": spec}), path)
    if engine is None:
        run_notebook(path, output, {})
    else:
        with suppress(
            PapermillExecutionError
        ):  # papermill marks the first error of a notebook, allowed or not
            papermill.execute_notebook(path, output, engine_name=engine, progress_bar=False, cwd=folder)
    saved = nbformat.read(output, as_version=4)
    saved.cells = [cell for cell in saved.cells if cell.cell_type == "code"]
    return saved


def without_chance(outputs):
    """Return outputs as text, without process numbers; adjacent pieces of a stream are one."""
    joined = []
    for output in outputs:
        if joined and output.output_type == "stream" and joined[-1].get("name") == output.name:
            joined[-1]["text"] += output.text
        else:
            joined.append(dict(output))
    return re.sub(r"ipykernel_\d+", "ipykernel_N", json.dumps(joined, sort_keys=True, indent=1))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Execute the same cells by both engines."""
    folder = tmp_path_factory.mktemp("engines")
    with pytest.MonkeyPatch.context() as environment:
        # ipykernel lets the words of native code and subprocesses go by when it finds pytest at work.
        environment.delenv("PYTEST_CURRENT_TEST")
        return execute(folder, CELLS.values()), execute(folder, CELLS.values(), "nbclient")


@pytest.mark.parametrize("number", range(len(CELLS)), ids=list(CELLS))
def test_a_cell_shows_what_it_shows_in_an_ordinary_kernel(both, number):
    """Outputs, execution counts and the metadata that papermill and nbclient leave are the same."""
    ours, theirs = (notebook.cells[number] for notebook in both)
    if list(CELLS)[number] in BY_CHANCE:
        assert set(words(theirs)) <= set(words(ours))
    else:
        assert without_chance(ours.outputs) == without_chance(theirs.outputs)
    assert ours.execution_count == theirs.execution_count == number + 1
    assert set(ours.metadata) == set(theirs.metadata)
    assert set(ours.metadata.execution) == set(theirs.metadata.execution)


def test_the_notebooks_metadata_are_the_same(both):
    """Language and kernel are noted alike."""
    ours, theirs = (dict(notebook.metadata) for notebook in both)
    assert {**ours, "papermill": 0} == {**theirs, "papermill": 0}


def test_streams_keep_their_order(tmp_path):
    """Where an ordinary kernel mixes them up by chance, they are as they were written."""
    source = (
        "import sys, os\nfor i in range(3):\n    print(i)\n    print(-i, file=sys.stderr)\nos.write(2, b'!')"
    )
    outputs = execute(tmp_path, [source]).cells[0].outputs
    assert [output.text for output in outputs[:6]] == ["0\n", "0\n", "1\n", "-1\n", "2\n", "-2\n!"]


def test_a_huge_output_comes_whole(tmp_path):
    """What is too long for a request to the server is not too long for a notebook."""
    source = "from IPython.display import HTML\nHTML('x' * 17_000_000)"
    (output,) = execute(tmp_path, [source]).cells[0].outputs
    assert len(output.data["text/html"]) == 17_000_000


def test_each_notebook_starts_afresh(tmp_path):
    """No variable, module attribute, environment or random state of an earlier notebook is left."""
    source = (
        "import os, numpy as np, pandas as pd\nprint('seen' in dir(pd), 'SEEN' in os.environ)\n"
        "pd.seen = os.environ['SEEN'] = 'x'\nnp.random.rand()"
    )
    first, second = (execute(tmp_path, [source]).cells[0].outputs for _ in range(2))
    assert first[0].text == second[0].text == "False False\n"
    assert first[1].data != second[1].data


def test_a_module_that_was_edited_is_imported_anew(tmp_path):
    """Only third-party packages are kept warm."""
    for value in (1, 22):  # of another size, for Python sees changes by seconds and bytes
        (tmp_path / "mine.py").write_text(f"value = {value}\n")
        outputs = execute(tmp_path, ["import mine\nmine.value"]).cells[0].outputs
        assert outputs[0].data["text/plain"] == str(value)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "by SIGKILL"),
        (
            "import os\nos.write(2, b'broken heart')\nos.abort()",
            "by SIGABRT; the end of its standard error:\nbroken heart",
        ),
    ],
)
def test_a_process_that_dies_is_said_to_have_died_and_of_what(tmp_path, write_notebook, source, cause):
    """The cells before it are saved."""
    notebook = write_notebook(tmp_path / "x.ipynb", "'before'", source, "'after'")
    result = run_notebook(notebook, tmp_path / "out.ipynb", {})
    assert result.outcome == "NOTEBOOK_FAILED"
    assert result.message.startswith(f"Kernel died {cause}")
    assert "'before'" in str(nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].outputs)


def test_the_caller_learns_the_secrets_of_a_process_that_dies(tmp_path):
    """At once, not at the end of the cell, which never comes."""
    source = (
        "import os\nfrom sta410kit._internal.kernel_redaction import register\n"
        "register('sesame-dies-4711')\nos._exit(3)"
    )
    execute(tmp_path, [source])
    assert "sesame-dies-4711" in redaction.registered()


def test_a_forked_grandchild_does_not_disturb_the_channel(tmp_path):
    """Processes that a cell forks may print as they like."""
    source = (
        "import multiprocessing as mp\nwith mp.get_context('fork').Pool(1) as pool:\n"
        "    print(pool.map(abs, [-1, -2]))\n    pool.map(print, ['x', 'x'])"
    )
    outputs = execute(tmp_path, [source, "'still here'"]).cells
    assert outputs[0].outputs[0].text == "[1, 2]\nx\nx\n"
    assert outputs[1].outputs[0].data["text/plain"] == "'still here'"


def test_papermill_never_writes_a_secret(tmp_path, monkeypatch):
    """Neither in the engine nor itself, when it writes the notebook once more."""
    written = []

    def write(notebook, path):
        written.append(nbformat.writes(notebook))
        write_ipynb(notebook, path)

    for module in (engine, papermill.execute):
        monkeypatch.setattr(module, "write_ipynb", write)
    register("sesame-open-4711")
    saved = execute(tmp_path, ["print('sesame-' + 'open-4711')", "1 / 0"], "sta410")
    assert len(written) >= 3
    assert not any("sesame-open-4711" in text for text in written)
    assert "***" in saved.cells[0].outputs[0].text


def test_papermill_gets_a_kernel_forked_from_the_server(tmp_path):
    """Its parent is no Jupyter client."""
    saved = execute(
        tmp_path, ["import os, pathlib\npathlib.Path(f'/proc/{os.getppid()}/cmdline').read_text()"], "sta410"
    )
    assert "sta410kit.runner.warm.server" in saved.cells[0].outputs[0].data["text/plain"]
