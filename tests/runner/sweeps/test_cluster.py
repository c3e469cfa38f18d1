"""Sweeps on a Dask cluster: a real scheduler, real workers, one of them killed, nothing lost."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError, SchedulerUnavailableError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.limits import Watch
from sta410kit.runner.sweeps import cluster
from sta410kit.runner.sweeps.cluster import execute_order
from sta410kit.runner.sweeps.plan import SweepOptions, plan_sweep
from sta410kit.runner.sweeps.sweep import run_sweep

pytestmark = pytest.mark.slow

PARAMETERS = ("n: int = 1\nrun_dir: str | None = None", "parameters")
CELLS = (
    "from pathlib import Path\nimport time\nfrom sta410kit.steps import record",
    "from beside import double",
    "time.sleep(0.3)\nrecord('double', double(n))\n(Path(run_dir) / 'sub').mkdir()",
    "(Path(run_dir) / 'sub' / 'n.txt').write_text(str(n))\nassert n != 3, 'three'",
)


class Here:
    """A cluster of one worker, which is this process."""

    scheduler = SimpleNamespace(address="tcp://here:1")

    def __init__(self, *, sees=True):
        self.sees = sees

    def submit(self, function, order, **_):
        """Do it at once."""
        answer = function(order)
        return SimpleNamespace(result=lambda **_: answer)

    def run(self, function, *arguments):
        """Return what the worker says; one that sees nothing has other files."""
        answer = function(*arguments)
        return {"here": answer if self.sees or not arguments else dict.fromkeys(answer, "")}

    def wait_for_workers(self, *_, **__):
        """Find it there."""

    def nthreads(self):
        """Return its one thread."""
        return {"here": 1}

    def __enter__(self):
        """Be a client as it is."""
        return self

    def __exit__(self, *_):
        """Close nothing."""


def free_port():
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def processes(*commands, folder):
    """Start commands, each the leader of a group, and end them with all they started."""
    started = []
    try:
        for number, words in enumerate(commands):
            with (folder / f"log{number}").open("wb") as log:
                program = str(Path(sys.executable).with_name("dask"))
                started.append(
                    subprocess.Popen(
                        [program, *words], stdout=log, stderr=log, cwd=folder, start_new_session=True
                    )
                )
        yield started
    finally:
        for one in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()


@pytest.fixture
def notebook(tmp_path, write_notebook):
    """Write a notebook that needs a module beside it and leaves a file."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "beside.py").write_text("def double(x):\n    return 2 * x\n")
    return write_notebook(folder / "x.ipynb", PARAMETERS, *CELLS)


def connect(notebook, address):
    """Connect to a cluster, and do nothing with it."""
    with cluster.cluster(notebook, 0, address):
        pass


@pytest.mark.filterwarnings("default")  # what Dask warns of is its own affair
def test_a_worker_that_is_killed_loses_nothing(tmp_path, notebook, monkeypatch):
    """Its units are done again by others; notebooks, values and files come back to this side."""
    port, calm = free_port(), ["--no-dashboard"]
    address = f"tcp://127.0.0.1:{port}"
    worker = ["worker", address, "--nthreads", "1", "--no-nanny", *calm]
    # Workers have the same environment, so that they share the fork server that is warm already.
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT", "120s")
    monkeypatch.setattr(cluster, "_PATIENCE", 120)
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), *calm]
    with processes(scheduler, worker, worker, worker, folder=tmp_path) as started:
        victim, done = started[1], []

        def kill_one(record):
            done.append(record.name)
            if len(done) == 3:
                os.killpg(victim.pid, signal.SIGKILL)

        plan = plan_sweep(notebook, {"n": [str(n) for n in range(1, 13)]}, {})
        sweep = run_sweep(plan, SweepOptions(scheduler=address, workers=3), kill_one)
    table = pd.read_parquet(sweep.folder / "results.parquet")
    assert victim.returncode == -signal.SIGKILL
    assert sweep.outcome is ExitCode.NOTEBOOK_FAILED
    assert table["double"].tolist() == [2 * n for n in range(1, 13)], table["message"].tolist()
    assert table.loc[table["outcome"] != "PASSED", ["unit", "message"]].to_numpy().tolist() == [
        ["0003", "cell In [6]: AssertionError: three"]
    ]
    for number in range(1, 13):
        home = sweep.folder / "units" / f"{number:04}"
        assert (home / "sub" / "n.txt").read_text() == str(number)
        assert "# Parameters" in (home / "x.ipynb").read_text()


def test_what_a_worker_does_leaves_nothing_there(notebook, monkeypatch, tmp_path):
    """All it made comes back, and its folder is gone."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    files = {path.name: path.read_bytes() for path in notebook.parent.iterdir()}
    order = {
        "files": files, "notebook": "x.ipynb", "values": {"n": 4}, "takes_folder": True,
        "seconds": None, "memory": None,
    }  # fmt: skip
    answer = execute_order(order)
    assert answer["result"]["outcome"] == "PASSED"
    assert answer["result"]["recorded"] == {"double": 8}
    assert sorted(answer["files"]) == ["sub/n.txt", "x.ipynb"]
    assert answer["left_behind"] == {}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("sta410-unit")] == []


def test_a_file_too_large_to_come_back_fails_its_unit(notebook, monkeypatch):
    """With its name and size; what came back is kept. A unit that has failed already keeps its own reason."""
    monkeypatch.setattr(cluster, "_LARGEST", 2**19)
    (notebook.parent / "beside.py").write_text(
        "from pathlib import Path\n\ndef double(n):\n    Path('../left/big').write_bytes(bytes(2**20))\n"
        "    return 2 * n\n"
    )
    monkeypatch.setattr(cluster, "_connect", lambda _: Here())
    too_large = "too large to be sent back from the worker, and lost: big (1 MiB)"
    for n, message in ((1, too_large), (3, "three")):
        output = notebook.parent.parent / "units" / str(n) / "x.ipynb"
        output.parent.mkdir(parents=True)
        with cluster.cluster(notebook, 1, "tcp://here:1") as (unit, _):
            result = unit(notebook, {"n": n, "run_dir": output.parent}, output, Watch())
        assert result.outcome == "NOTEBOOK_FAILED"
        assert message in result.message
        assert result.recorded == {"double": 2 * n}
        assert sorted(path.name for path in output.parent.iterdir()) == ["sub", "x.ipynb"]


def test_a_file_of_a_parameter_must_be_seen_by_every_worker_as_it_is_here(tmp_path):
    """A folder by its name, a file by its content."""
    path = tmp_path / "in.csv"
    path.write_text("a")
    paths = [str(path), str(tmp_path)]
    here = cluster.seen(paths)
    assert here[str(tmp_path)] == "folder"
    assert cluster.seen([str(tmp_path / "none")]) == {str(tmp_path / "none"): ""}
    cluster._refuse_unseen(Client({"a": here, "b": here}), paths)
    with pytest.raises(ConfigurationError, match=rf"worker b does not see {path}, which a parameter names"):
        cluster._refuse_unseen(Client({"a": here, "b": here | {str(path): ""}}), paths)
    with pytest.raises(ConfigurationError, match=f"worker a sees other content under {path}"):
        cluster._refuse_unseen(Client({"a": here | {str(path): "x"}}), paths)
    cluster._refuse_unseen(Client(AssertionError("no worker is asked")), [])


@pytest.mark.filterwarnings("default")
def test_a_scheduler_that_does_not_answer_is_told(notebook, monkeypatch):
    """With the command that starts one, and the exit code of a source that is not there."""
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    port = free_port()
    with pytest.raises(SchedulerUnavailableError, match=f"start one with `dask scheduler --port {port}`"):
        connect(notebook, f"tcp://127.0.0.1:{port}")


class Future:
    """A future that is never done, or raises."""

    def __init__(self, error):
        self.error, self.cancelled = error, False

    def result(self, timeout):
        """Raise the error after a moment."""
        time.sleep(min(timeout, 0.01))
        raise self.error

    def cancel(self):
        """Take note."""
        self.cancelled = True


@pytest.mark.filterwarnings("default")
def test_what_goes_wrong_ends_one_unit():
    """Ctrl-C, the deadline, workers that die again and again, a cluster that is gone."""
    from distributed import KilledWorker
    from distributed import TimeoutError as NotYet

    output = Path("x.ipynb")
    stop = threading.Event()
    stop.set()
    waiting = Future(NotYet())
    assert cluster._wait(waiting, output, Watch(stop=stop)).outcome == "INTERRUPTED"
    assert waiting.cancelled
    late = cluster._wait(Future(NotYet()), output, Watch(deadline=time.monotonic() + 0.1))
    assert late.outcome == "TIMED_OUT"
    died = cluster._wait(Future(KilledWorker("task", SimpleNamespace(address="tcp://x"), 3)), output, Watch())
    assert died.outcome == "NOTEBOOK_FAILED"
    assert "its workers died" in died.message
    gone = cluster._wait(Future(OSError("gone")), output, Watch())
    assert (gone.outcome, gone.message) == (
        "SCHEDULER_UNAVAILABLE", "the cluster could not execute it: OSError: gone",
    )  # fmt: skip


class Client:
    """A client whose workers give prepared answers."""

    def __init__(self, versions):
        self.versions, self.scheduler = versions, SimpleNamespace(address="tcp://here:1")

    def wait_for_workers(self, count, timeout):
        """Wait in vain where there are none."""
        if not self.versions:
            raise TimeoutError(count, timeout)

    def run(self, *_):
        """Return the versions, or what a worker raised."""
        if isinstance(self.versions, Exception):
            raise self.versions
        return self.versions

    def nthreads(self):
        """Return two threads a worker."""
        return dict.fromkeys(self.versions, 2)


def test_workers_must_be_there_and_have_this_kit():
    """Each error names what to type, and where."""
    assert cluster._check_workers(Client(dict.fromkeys("abc", cluster.kit_version()))) == 6
    with pytest.raises(
        SchedulerUnavailableError, match="has no workers; start one with `dask worker tcp://here:1`"
    ):
        cluster._check_workers(Client({}))
    with pytest.raises(ConfigurationError, match=r"worker b has sta410kit 0\.0\.1, here it is"):
        cluster._check_workers(Client({"a": cluster.kit_version(), "b": "0.0.1"}))
    with pytest.raises(ConfigurationError, match="cannot load the kit: No module named 'sta410kit'"):
        cluster._check_workers(Client(ModuleNotFoundError("No module named 'sta410kit'")))
