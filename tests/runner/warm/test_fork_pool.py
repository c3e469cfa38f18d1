"""A fork server of one's own: everything loaded once, every process its own, none left."""

import os
import time
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest

from sta410kit.runner.limits import StepStoppedError, Watch
from sta410kit.runner.warm import nested
from sta410kit.runner.warm.client import ServerUnavailableError, connect, run_job
from sta410kit.runner.warm.identity import server_folder
from sta410kit.runner.warm.nested import Nest, OpeningNest
from sta410kit.runner.warm.session import CellSession, ProcessDiedError

pytestmark = pytest.mark.integration


def texts(nest, *cells, folder=None):
    """Return what cells print in a fresh process."""
    found = []

    def keep(message):
        if message["msg_type"] == "stream":
            found.append(message["content"]["text"])

    with CellSession(folder, server=nest.path) as session:
        for cell in cells:
            session.execute(cell, None, keep, None)
    return "".join(found)


def test_every_process_is_its_own(tmp_path, monkeypatch):
    """Modules are there at once, folder and environment are the caller's, nothing is left of another."""
    monkeypatch.setenv("STA410_NEST_TEST", "here")
    look = (
        "import os, sys\n"
        "print('colorsys' in sys.modules, os.getcwd(), os.environ['STA410_NEST_TEST'], sys.argv[1:])"
    )
    with Nest(str(tmp_path), ["colorsys", "no.such.module"]) as nest:
        assert texts(nest, look, folder=str(tmp_path)) == f"True {tmp_path} here []\n"
        assert texts(nest, "x = 1\nprint(os.getpid() if 'os' in globals() else 'fresh')") == "fresh\n"
        assert texts(nest, "print('x' in globals())") == "False\n"
        lucky = "import random, numpy\nprint(random.random(), numpy.random.random())"
        one, other = texts(nest, lucky).split(), texts(nest, lucky).split()
        assert one[0] != other[0]
        assert one[1] != other[1]
    assert list(server_folder().glob("nest-*")) == []
    with pytest.raises(ServerUnavailableError, match="no server listens"):
        CellSession(server=nest.path)


def test_a_module_that_starts_a_thread_is_refused(tmp_path):
    """A fork would be unsafe: the caller hears of it and nobody is forked."""
    (tmp_path / "threaded.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True, name='idler').start()\n"
    )
    with pytest.raises(ServerUnavailableError, match="starts threads: idler"):
        Nest(str(tmp_path), ["threaded"])
    assert list(server_folder().glob("nest-*")) == []


def test_a_function_is_called_once_the_modules_are_loaded(tmp_path):
    """What a notebook would do at its first page is done for all; one that fails does no harm."""
    wanted = ["colorsys", "sys:setrecursionlimit", "sta410kit.guards.data_docs:load_templates"]
    look = (
        "from sta410kit.guards import data_docs\n"
        "print(data_docs._environment.cache_info().currsize, len(data_docs._environment().cache) > 1)"
    )
    with Nest(str(tmp_path), wanted) as nest:
        assert texts(nest, look) == "1 True\n"


def test_a_nest_opens_while_its_owner_gets_ready(tmp_path):
    """Where it listens is known once it does, and it is gone with the block."""
    with OpeningNest(str(tmp_path), ["colorsys"]) as opening:
        with CellSession(server=opening.path) as session:
            assert Path(f"/proc/{session.pid}").exists()
        assert opening.reason is None
    assert not opening._nest.result().path.exists()


def test_a_nest_that_nobody_needs_is_not_opened(tmp_path, monkeypatch):
    """Where every result is taken over, no process is started; those who ask at once share one."""
    opened = []
    monkeypatch.setattr(nested, "Nest", lambda *_: opened.append(1) or Mock(path=tmp_path))
    with OpeningNest(str(tmp_path), []):
        pass
    assert opened == []
    with OpeningNest(str(tmp_path), []) as opening:
        assert opening.open() is opening.open()
        assert opening.path == tmp_path
    assert opened == [1]


def test_a_nest_opens_without_modules_that_make_it_unsafe(tmp_path):
    """One thread in one module does not take the speed from all."""
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    with OpeningNest(str(tmp_path), ["threaded"]) as opening:
        assert opening.path is not None
        with CellSession(server=opening.path):
            pass


def test_why_no_nest_could_be_opened_is_kept(tmp_path, monkeypatch):
    """The owner goes on without, and can say why."""

    def refuse(*_):
        message = "none today"
        raise ServerUnavailableError(message)

    monkeypatch.setattr(nested, "Nest", refuse)
    with OpeningNest(str(tmp_path), []) as opening:
        assert opening.path is None
        assert str(opening.reason) == "none today"


def test_children_end_with_the_nest(tmp_path, gone):
    """Nobody stays behind when its owner has gone."""
    with Nest(str(tmp_path)) as nest, CellSession(server=nest.path) as session:
        assert Path(f"/proc/{session.pid}").exists()
        nest.close()
        assert gone(session.pid)
        with pytest.raises(ProcessDiedError):
            session.execute("1", None, lambda _: None, None)


def test_what_a_cell_has_forked_ends_with_its_process(tmp_path, gone):
    """A process that the notebook forgot does not stay on the machine."""
    source = "import os, time\npid = os.fork()\nif not pid:\n    time.sleep(600)\n    os._exit(0)\nprint(pid)"
    with Nest(str(tmp_path)) as nest:
        assert gone(int(texts(nest, source)))


def test_an_interrupt_is_not_lost_because_the_cell_has_not_begun(tmp_path):
    """It comes by another way than the cell, and so before it or behind it."""
    with Nest(str(tmp_path)) as nest, CellSession(server=nest.path) as session:
        session.interrupt()
        reply = session.execute("import time\ntime.sleep(600)", None, lambda _: None, 120)
    assert reply["ename"] == "KeyboardInterrupt"


def test_whoever_has_a_process_knows_its_number(tmp_path, monkeypatch):
    """Also where the process is ready before the server has told it: no limit could hold without it."""
    real, told = CellSession._hear_from_the_server, []

    def late(session):
        if session.language_info:  # that is, the process was quicker
            told.append(1)
            real(session)

    monkeypatch.setattr(CellSession, "_hear_from_the_server", late)
    with Nest(str(tmp_path)) as nest, CellSession(server=nest.path) as session:
        assert told
        assert Path(f"/proc/{session.pid}").exists()


def test_what_a_killed_owner_left_is_removed():
    """At the next start; what belongs to a living one stays."""
    old, living = server_folder() / "nest-999999999-abc", server_folder() / f"nest-{os.getpid()}-abc"
    for folder in (old, living):
        folder.mkdir(mode=0o700)
    nested._sweep_up()
    assert (old.exists(), living.exists()) == (False, True)
    living.rmdir()


def test_a_job_is_done_and_its_ending_told(tmp_path):
    """A warm process does it; one that raises is no success."""
    connect().close()
    columns = tmp_path / "columns.json"
    columns.write_text('{"a": [1, null]}')
    assert run_job("sta410kit.runner.sweeps.table:write", [str(columns), str(tmp_path / "t.parquet")]) is True
    assert (tmp_path / "t.parquet").is_file()
    assert run_job("sta410kit.runner.sweeps.table:write", ["no-such-file", "x"]) is False


@pytest.mark.usefixtures("slow_server")
def test_a_job_does_not_wait_for_a_server_to_start():
    """It is done otherwise."""
    with pytest.raises(ServerUnavailableError, match="no server listens"):
        run_job("sta410kit.runner.sweeps.table:write", [])


@pytest.mark.usefixtures("slow_server")
def test_whoever_waits_for_a_server_can_be_told_not_to():
    """The one that starts it, and the one that waits for that; the nest's owner is not held up either."""
    begun = time.monotonic()
    with OpeningNest("/", []) as opening:
        for wait in (connect, opening.wait, lambda look: CellSession(watch=lambda _: look())):
            with pytest.raises(StepStoppedError, match="the run's deadline is over"):
                wait(partial(Watch(deadline=time.monotonic() + 0.3), 0))
    assert isinstance(opening.reason, ServerUnavailableError)
    assert time.monotonic() - begun < 30
