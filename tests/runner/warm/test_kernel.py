"""The kernel `sta410`: for every Jupyter client an ordinary kernel that is there at once."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from uuid import uuid4

import jupyter_kernel_test
import pytest
from jupyter_client.manager import KernelManager

from sta410kit.runner.warm import client, identity
from sta410kit.runner.warm.identity import package_folders, server_identity
from sta410kit.runner.warm.wire import encode

pytestmark = pytest.mark.integration

PATIENCE = 120  # seconds that an answer may take on a busy machine


class TestProtocol(jupyter_kernel_test.KernelTests):
    """Jupyter's own test of kernels; ranges of history are left out, which plain ipykernel fails too."""

    kernel_name = "sta410"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('x', file=sys.stderr)"
    code_clear_output = "from IPython.display import clear_output; clear_output()"
    code_page_something = "zip?"
    code_generate_error = "raise"
    code_inspect_sample = "zip"
    code_history_pattern = "1?2*"
    supported_history_operations = ("tail", "search")
    completion_samples = ({"text": "zi", "matches": {"zip"}},)
    complete_code_samples = ("1", "print('x')", "def f(x):\n  return x*2\n\n\n")
    incomplete_code_samples = ("print('''hello", "def f(x):\n  x*2")
    invalid_code_samples = ("import = 7q",)
    code_execute_result = ({"code": "1+2+3", "result": "6"},)
    code_display_data = (
        {"code": "from IPython.display import HTML, display; display(HTML('x'))", "mime": "text/html"},
    )

    @classmethod
    def setUpClass(cls):
        """Give a busy machine the time it needs: its authors have a tenth of a second for what is shown."""
        jupyter_kernel_test.TIMEOUT = PATIENCE
        super().setUpClass()
        receive = jupyter_kernel_test.ensure_sync(cls.kc.iopub_channel.get_msg)
        cls.kc.iopub_channel.get_msg = lambda **_: receive(timeout=PATIENCE)

    def flush_channels(self):
        """Pass over what is left of earlier requests: nothing of them comes behind the end of this one."""
        asked = self.kc.kernel_info()
        answer(self.kc, asked)
        while True:
            message = self.kc.get_iopub_msg()
            if message["parent_header"].get("msg_id") == asked and is_idle(message):
                return

    def execute_helper(self, *words, **how):
        """Execute, and wait as long as it takes."""
        return super().execute_helper(*words, **{"timeout": PATIENCE, **how})


def is_idle(message):
    """Tell whether a message says that all is done."""
    return message["content"].get("execution_state") == "idle"


def connection_file():
    """Name a connection file, for without one a client's sockets are relative to its folder."""
    return str(Path(os.environ["XDG_RUNTIME_DIR"]) / f"{uuid4().hex[:8]}.json")


@contextmanager
def started(**keywords):
    """Give a manager and a client of a running kernel."""
    manager = KernelManager(kernel_name="sta410", transport="ipc", connection_file=connection_file())
    manager.start_kernel(**keywords)
    talking = manager.client()
    talking.start_channels()
    try:
        talking.wait_for_ready(timeout=PATIENCE)
        yield manager, talking
    finally:
        talking.stop_channels()
        manager.shutdown_kernel(now=True)


def said(talking, code):
    """Execute `code` and return what it printed; an error is raised."""
    texts = []
    reply = talking.execute_interactive(
        code, timeout=PATIENCE, output_hook=lambda message: texts.append(message["content"].get("text", ""))
    )
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(texts)


def answer(talking, asked):
    """Wait for the reply to one request; late ones to earlier requests are passed over."""
    while True:
        reply = talking.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"]["msg_id"] == asked:
            return reply


@pytest.fixture
def mask():
    """Set the mask of new files to something unusual for the time of a test."""
    before = os.umask(0o27)
    yield 0o27
    os.umask(before)


def test_it_takes_over_folder_environment_and_mask(tmp_path, mask):
    """The kernel is in everything its caller's child."""
    code = "import os\nprint(os.getcwd(), os.environ['MINE'], os.umask(0))"
    with started(cwd=str(tmp_path), env={**os.environ, "MINE": "x"}) as (_, talking):
        assert said(talking, code).split() == [str(tmp_path), "x", str(mask)]


def test_figures_come_out_inline():
    """A preloaded pyplot would keep its headless backend, silently."""
    kinds = []
    with started() as (_, talking):
        talking.execute_interactive(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
            timeout=PATIENCE,
            output_hook=lambda message: kinds.extend(message["content"].get("data", {})),
        )
    assert "image/png" in kinds


def test_a_variable_that_imports_read_once_gets_a_server_of_its_own():
    """`MPLBACKEND` and the like are part of what a server is."""
    plain, other = (server_identity(environ) for environ in ({}, {"MPLBACKEND": "agg"}))
    assert plain[0] != other[0]
    assert plain[1] == other[1]
    assert server_identity({"MY_OWN": "x"}) == plain


def test_it_can_be_interrupted_and_restarted():
    """An interrupt is an exception in the cell; a restart forgets everything."""
    with started() as (manager, talking):
        # What is asked right behind an error is else refused, as by any kernel.
        asked = talking.execute("import time\nx = 1\nprint('begun')\ntime.sleep(600)", stop_on_error=False)
        while True:
            message = talking.get_iopub_msg(timeout=PATIENCE)
            if message["content"].get("text") == "begun\n":
                break
        manager.interrupt_kernel()
        assert answer(talking, asked)["content"]["ename"] == "KeyboardInterrupt"
        assert said(talking, "print(x)") == "1\n"
        manager.restart_kernel(now=True)
        talking.wait_for_ready(timeout=PATIENCE)
        assert said(talking, "print('x' in dir())") == "False\n"


def test_a_kernel_that_dies_takes_its_proxy_with_it(wait_until):
    """The client sees an ending, with the same signal."""
    with started() as (manager, talking):
        talking.execute("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
        assert wait_until(lambda: not manager.is_alive())
        assert manager.provisioner.process.returncode == -signal.SIGKILL


def test_no_orphan_is_left_when_the_client_is_killed(tmp_path, gone):
    """Neither the proxy nor the forked process outlives a client that dies without a word."""
    code = (
        "import sys, time\nfrom jupyter_client.manager import KernelManager\n"
        "m = KernelManager(kernel_name='sta410', transport='ipc', connection_file=sys.argv[1])\n"
        "m.start_kernel()\nc = m.client()\nc.start_channels()\nc.wait_for_ready(120)\n"
        "c.execute_interactive('import os\\nprint(os.getpid())', output_hook=lambda m: "
        "print(m['content'].get('text', ''), flush=True))\n"
        "print(m.provisioner.pid, flush=True)\ntime.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, connection_file()], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    pids = []
    while len(pids) < 2:
        line = process.stdout.readline().strip()
        pids += [int(line)] if line.isdigit() else []
    process.kill()
    process.communicate()
    assert [pid for pid in pids if not gone(pid)] == []


def test_where_no_server_can_be_had_it_is_an_ordinary_kernel(tmp_path):
    """The folder of the servers cannot be made; the kernel starts all the same, with a line that says so."""
    (tmp_path / "file").touch()
    log = tmp_path / "log"
    with (
        log.open("wb") as errors,
        started(env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "file")}, stderr=errors) as (_, talking),
    ):
        assert said(talking, "print('here')") == "here\n"
    assert "sta410kit: starting an ordinary kernel: " in log.read_text()


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"\n", b"[]\n", b"{}\n", b"nonsense\n", b'{"job": 1}', b'{"signal": 9}\n', b"[" * 100_000 + b"\n"],
)
def test_the_server_outlives_nonsense(nonsense):
    """Malformed messages are not served, and later callers are."""
    with client.connect() as connection:
        connection.sendall(nonsense)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(PATIENCE)
        while connection.recv(4096):
            pass
    assert client.ask("status")[0]["pid"]


def ask_to_fork(connection, job, *after):
    """Have a process forked for `job`, send more messages right behind, and return all answers."""
    nothing = os.open(os.devnull, os.O_RDWR)
    client.fork(connection, [nothing] * 3, job, [])
    os.close(nothing)
    for message in after:
        connection.sendall(encode(message))
    connection.settimeout(PATIENCE)
    answer = b""
    while piece := connection.recv(4096):
        answer += piece
    return [json.loads(line) for line in answer.splitlines()]


def test_a_job_that_does_not_exist_ends_alone():
    """The child says what is wrong and ends; the server goes on."""
    with client.connect() as connection:
        answers = ask_to_fork(connection, "no.such.module:run")
    assert [list(answer) for answer in answers] == [["pid"], ["ended"]]
    assert answers[1]["ended"] == 1
    assert client.ask("status")[0]["pid"]


@pytest.mark.parametrize("nonsense", ["text", None, -1, 4711, [9], 1.5, True])
def test_a_signal_that_is_none_ends_no_session(nonsense):
    """It is ignored; the child is ended by the real one, and other sessions are not touched."""
    with client.connect() as connection:
        answers = ask_to_fork(connection, "time:sleep", {"signal": nonsense}, {"signal": int(signal.SIGTERM)})
    assert answers[-1]["ended"] != 0
    assert client.ask("status")[0]["pid"]


def test_a_server_of_another_user_is_not_talked_to(monkeypatch):
    """Who swaps the folder of sockets must not be handed an environment."""
    client.connect().close()
    monkeypatch.setattr(client, "peer_user", lambda _: os.getuid() + 1)
    with pytest.raises(client.ServerUnavailableError, match="belongs to another user"):
        client.connect()


def test_the_folder_of_sockets_may_not_be_a_link(tmp_path, monkeypatch):
    """Nor may other users enter it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder = tmp_path / f"sta410-{os.getuid()}"
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(client.ServerUnavailableError, match="is not private to you"):
        client.connect()
    folder.unlink()
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(client.ServerUnavailableError, match="is not private to you"):
        client.connect()


def test_the_server_never_holds_an_environment():
    """It is sent to the forked process itself; neither the server nor a later kernel has it."""
    secret = f"sesame-{uuid4().hex}"
    with started(env={**os.environ, "ONLY_HERE": secret}) as (_, talking):
        assert said(talking, "import os\nprint(os.environ['ONLY_HERE'])") == f"{secret}\n"
        for server in client.ask("status"):
            assert secret.encode() not in memory_of(server["pid"])


def memory_of(pid):
    """Return all writable memory of a process."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            (
                addresses,
                rights,
                *_,
            ) = line.split()
            if rights.startswith("rw"):
                begin, end = (int(address, 16) for address in addresses.split("-"))
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    memory.seek(begin)
                    found.append(memory.read(end - begin))
    return b"".join(found)


def test_a_child_has_no_descriptor_of_another_caller():
    """A caller whose request is incomplete has sent its descriptors already."""
    with tempfile.TemporaryFile() as secret, client.connect() as other:
        socket.send_fds(other, [b'{"fork"'], [secret.fileno()] * 3)
        code = "import os\nprint([os.stat(f'/proc/self/fd/{n}').st_ino for n in os.listdir('/proc/self/fd')"
        with started() as (_, talking):
            seen = said(talking, f"{code} if os.path.exists(f'/proc/self/fd/{{n}}')])")
        assert str(os.fstat(secret.fileno()).st_ino) not in seen


@pytest.fixture
def _fresh_identity():
    """Let no other test see what was taken for installed here."""
    yield
    identity._installed.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("_fresh_identity")
def test_a_server_is_replaced_after_an_upgrade(short_folder, monkeypatch, gone):
    """The next caller starts a new server, and the old one ends."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    client.connect().close()
    old = client.ask("status")[0]["pid"]
    (short_folder / "new-1.0.dist-info").mkdir()
    folders = [*package_folders(), short_folder]
    monkeypatch.setattr("sta410kit.runner.warm.identity.package_folders", lambda: folders)
    identity._installed.cache_clear()
    client.connect().close()
    new = client.ask("status")[0]["pid"]
    assert new != old
    assert gone(old)
    assert client.ask("status")[0]["pid"] == new
    client.ask("stop")
    assert gone(new)


def test_standard_input_is_asked_of_the_client():
    """`input()` works where there is somebody to ask."""
    with started() as (_, talking):
        talking.execute("print(input('name? '))", allow_stdin=True)
        assert talking.get_stdin_msg(timeout=PATIENCE)["content"]["prompt"] == "name? "
        talking.input("Ada")
        texts = []
        while "Ada\n" not in texts:
            try:
                texts.append(talking.get_iopub_msg(timeout=PATIENCE)["content"].get("text"))
            except Empty:
                break
        assert "Ada\n" in texts


def debug(talking, command, **arguments):
    """Ask the debugger, as JupyterLab does, and return its answer."""
    content = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
    message = talking.session.msg("debug_request", content)
    talking.control_channel.send(message)
    while True:
        reply = talking.get_control_msg(timeout=PATIENCE)
        if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
            return reply["content"]


@pytest.mark.slow
def test_the_debugger_stops_at_a_breakpoint():
    """A cell halts on the line that was marked, shows its variables, and goes on."""
    code = "x = 41\nx += 1\nprint(x)"
    with started() as (_, talking):
        assert debug(talking, "initialize", clientID="test", adapterID="")["success"]
        assert debug(talking, "attach")["success"]
        path = debug(talking, "dumpCell", code=code)["body"]["sourcePath"]
        source, lines = {"path": path}, [{"line": 2}]
        assert debug(talking, "setBreakpoints", source=source, breakpoints=lines, sourceModified=False)[
            "success"
        ]
        assert debug(talking, "configurationDone")["success"]
        asked = talking.execute(code)
        events = iter(lambda: talking.get_iopub_msg(timeout=PATIENCE)["content"], None)
        stopped = next(event for event in events if event.get("event") == "stopped")
        thread = stopped["body"]["threadId"]
        assert debug(talking, "stackTrace", threadId=thread)["body"]["stackFrames"][0]["line"] == 2
        assert debug(talking, "continue", threadId=thread)["success"]
        assert answer(talking, asked)["content"]["status"] == "ok"
