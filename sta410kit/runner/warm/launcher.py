"""The program of the Jupyter kernel ``sta410``: a proxy for a process forked from the server.

It passes its standard streams, folder, environment, limits and signals on, and ends as that process ends.
Where there is no server it becomes an ordinary kernel.
"""

import os
import select
import signal
import sys

_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT")


def main() -> None:
    """Run the kernel whose arguments this process was given."""
    try:
        from sta410kit.runner.warm import client

        connection = client.connect()
    except Exception as error:  # noqa: BLE001 - the notebook must run all the same
        _fall_back(error)
        return
    from sta410kit.runner.warm.wire import Lines, encode

    # Signals first: one that arrives now waits in the pipe until it can be passed on.
    waker, wakened = os.pipe()
    os.set_blocking(wakened, False)
    signal.set_wakeup_fd(wakened, warn_on_full_buffer=False)
    for name in _FORWARDED:
        signal.signal(getattr(signal, name), lambda *_: None)
    client.fork(connection, [0, 1, 2], "sta410kit.runner.warm.child:run_kernel", sys.argv[1:])
    lines, parent = Lines(connection), os.getppid()
    # When the client dies this process ends; the server sees that and ends the kernel.
    while os.getppid() == parent:
        ready, _, _ = select.select([connection.fileno(), waker], [], [], 1.0)
        if waker in ready:
            for number in os.read(waker, 64):
                connection.sendall(encode({"signal": number}))
        messages = lines.receive() if connection.fileno() in ready else []
        if messages is None:
            sys.exit("sta410kit: the fork server has gone, and the kernel with it")
        for message in messages:
            if "ended" in message:
                _end_as(int(message["ended"]))


def _end_as(code: int) -> None:
    """End with the exit code of the forked process, or by the signal that ended it."""
    if code < 0:
        signal.set_wakeup_fd(-1)
        signal.signal(-code, signal.SIG_DFL) if -code not in {signal.SIGKILL, signal.SIGSTOP} else None
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _fall_back(reason: Exception) -> None:
    """Become an ordinary kernel, with one line that says so."""
    sys.stderr.write(f"sta410kit: starting an ordinary kernel: {reason}\n")
    sys.stderr.flush()
    program = [sys.executable, "-m", "ipykernel_launcher", *sys.argv[1:]]
    os.execv(sys.executable, program)  # noqa: S606 - this Python


if __name__ == "__main__":
    main()
