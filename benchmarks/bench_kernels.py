"""Kernels: how fast they give their first result, whether a thousand leave anything behind, what they weigh.

    python benchmarks/bench_kernels.py            # all three tables
    python benchmarks/bench_kernels.py --quick    # smaller numbers, to see that it works

The peer is ipykernel's own kernel in the same environment, talked to in the same way. Ends with 1 when a
reach is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from sta410kit.runner.warm.client import ask

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient

IMPORTS = (
    "import numpy, pandas, matplotlib.pyplot, sklearn.ensemble, statsmodels.tsa.stattools, great_expectations"
)
FASTER, LIGHTER, GROWTH = 10, 0.25, 2**20  # the reaches: times as fast, share of the memory, bytes
SOCKETS = Path(tempfile.mkdtemp(prefix="st-"))  # short, for the paths of Unix sockets end early


class Running(NamedTuple):
    """A kernel, somebody to talk to it, and the process that runs the cells."""

    manager: KernelManager
    client: BlockingKernelClient
    pid: int


def start(kernel: str, code: str) -> Running:
    """Start a kernel and execute `code` in it."""
    connection = str(SOCKETS / f"{uuid4().hex[:8]}.json")
    manager = KernelManager(kernel_name=kernel, transport="ipc", connection_file=connection)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    told: list[str] = []
    reply = client.execute_interactive(
        f"{code}\nimport os\nprint(os.getpid())",
        timeout=120,
        output_hook=lambda message: told.append(message["content"].get("text", "")),
    )
    if reply["content"]["status"] != "ok":
        message = f"{kernel}: {reply['content']['evalue']}"
        raise RuntimeError(message)
    return Running(manager, client, int("".join(told).split()[-1]))


def end(running: Running) -> None:
    """Shut a kernel down and wait until it is gone."""
    running.client.stop_channels()
    running.manager.shutdown_kernel(now=True)
    running.manager.cleanup_resources()


def first_result(kernel: str) -> float:
    """Return the seconds from the start of a kernel to its first result, with everything imported."""
    began = time.perf_counter()
    running = start(kernel, IMPORTS)
    seconds = time.perf_counter() - began
    end(running)
    return seconds


def proportional_size(pid: int) -> int:
    """Return a process's memory in bytes, shared pages counted in shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def weight(kernel: str, number: int) -> int:
    """Return the memory of `number` idle kernels with everything imported, their helpers included."""
    kernels = [start(kernel, IMPORTS) for _ in range(number)]
    processes = {running.pid for running in kernels} | {one.manager.provisioner.pid for one in kernels}
    if kernel == "sta410":
        processes.add(server())  # there would be none without the kernels
    total = sum(proportional_size(pid) for pid in processes)
    for running in kernels:
        end(running)
    return total


def server() -> int:
    """Return the number of the fork server's process."""
    return int(ask("status")[0]["pid"])


def one_start(_: int) -> int:
    """Start a kernel, have it compute, end it; return its process."""
    running = start("sta410", "1 + 1")
    end(running)
    return running.pid


def many_starts(number: int, side_by_side: int) -> dict[str, float]:
    """Start kernels in crowds and return failures, orphans and the growth of the server in bytes."""
    with ThreadPoolExecutor(side_by_side) as pool:
        list(pool.map(one_start, range(side_by_side)))  # what grows once does not count
        before = proportional_size(server())
        futures = [pool.submit(one_start, at) for at in range(number)]
    failed = [future.exception() for future in futures if future.exception() is not None]
    for problem in failed[:3]:
        print(f"  {problem!r}", file=sys.stderr)
    time.sleep(2)
    pids = [future.result() for future in futures if future.exception() is None]
    orphans = sum(Path(f"/proc/{pid}").exists() for pid in pids) + len(ask("status")[0]["children"])
    return {
        "failures": len(failed),
        "orphans": orphans,
        "growth": proportional_size(server()) - before,
    }


def main() -> int:
    """Print the tables; return 0 when every reach is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller numbers")
    quick = parser.parse_args().quick
    repeats, crowd, starts = (2, 4, 48) if quick else (7, 16, 1000)
    if "sta410" not in KernelSpecManager().find_kernel_specs():
        sys.exit("no kernel called sta410 here; type: make install")
    os.environ.pop("MPLBACKEND", None)
    met = []

    first_result("sta410"), first_result("python3")  # starts the server, warms the file cache
    times = {
        name: statistics.median(first_result(name) for _ in range(repeats)) for name in ("sta410", "python3")
    }
    ratio = times["python3"] / times["sta410"]
    met.append(ratio >= FASTER)
    print(f"start to first result, same imports, median of {repeats}:")
    print(f"  ipykernel {times['python3']:.3f} s, sta410 {times['sta410']:.3f} s: {ratio:.1f}x  (reach 10x)")

    sizes = {name: weight(name, crowd) for name in ("sta410", "python3")}
    share = sizes["sta410"] / sizes["python3"]
    met.append(share <= LIGHTER)
    print(f"memory of {crowd} idle kernels, everything imported, proportional set size:")
    print(
        f"  ipykernel {sizes['python3'] / 2**20:,.0f} MiB, sta410 {sizes['sta410'] / 2**20:,.0f} MiB: "
        f"{share:.2f} of it  (reach 0.25)"
    )

    began = time.perf_counter()
    found = many_starts(starts, 16)
    met.append(found["failures"] == found["orphans"] == 0 and found["growth"] < GROWTH)
    print(f"{starts} starts, 16 at a time, {time.perf_counter() - began:.0f} s:")
    print(
        f"  {found['failures']} failures, {found['orphans']} orphans, the server grew by "
        f"{found['growth'] / 2**10:,.0f} KiB  (reach 0, 0, under 1 MiB)"
    )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
