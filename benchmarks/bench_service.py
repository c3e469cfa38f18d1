"""200 readers of the API, alone and while the service runs the chain, beside a bare FastAPI application.

The bare application answers ``{"hello": "world"}`` on the same machine, to the same number of readers; they
share its processors with the servers. No request may fail.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).parents[1]
PATHS = ("/api/v1/runs", "/api/v1/forecasts", "/api/v1/jobs", "/api/v1/runs/latest")
BARE = """import uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def hello(): return {"hello": "world"}
uvicorn.run(app, port=PORT, log_level="error")"""


async def read(
    url: str, headers: dict[str, str], paths: tuple[str, ...], readers: int, seconds: float
) -> tuple[list[float], list[str]]:
    """Let so many readers ask one address after the other; return the seconds of each, and the errors.

    Each keeps one connection and reads no more than it must: a client library would need more of the
    processors than the servers do.
    """
    times: list[float] = []
    errors: list[str] = []
    where = urlsplit(url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": where.netloc, **headers}.items())
    until = time.monotonic() + seconds

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        while time.monotonic() < until:
            began = time.perf_counter()
            writer.write(f"GET {paths[number % len(paths)]} HTTP/1.1\r\n{lines}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            times.append(time.perf_counter() - began)
            if b" 200 " not in head.split(b"\r\n")[0]:
                errors.append(head.decode())
            number += 1
        writer.close()

    done = await asyncio.gather(*map(one, range(readers)), return_exceptions=True)
    return times, errors + [repr(end) for end in done if end is not None]


def report(name: str, times: list[float], errors: list[str], seconds: float) -> None:
    """Print requests a second, median and 95th percentile."""
    middle = 1000 * statistics.median(times)
    p95 = 1000 * statistics.quantiles(times, n=20)[-1]
    rate = len(times) / seconds
    print(
        f"{name:28} {rate:8.0f} requests/s  median {middle:7.1f} ms  p95 {p95:7.1f} ms  errors {len(errors)}"
    )


def main() -> int:
    """Measure both, one after the other."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--readers", type=int, default=200)
    options.add_argument("--seconds", type=float, default=20)
    asked = options.parse_args()
    kit = [sys.executable, "-m", "sta410kit"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("notebooks", "expectations"):
            shutil.copytree(ROOT / part, folder / part)
        subprocess.run([*kit, "run"], cwd=folder, check=True, capture_output=True)
        token = subprocess.run([*kit, "user", "add", "reader", "--role", "runner"], cwd=folder, check=True,
                               capture_output=True, text=True).stdout.strip()  # fmt: skip
        serve = [*kit, "serve", "--port", "0", "--requests", "100000000"]
        with subprocess.Popen(
            serve, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "LOG_LEVEL": "WARNING"},
        ) as process:  # fmt: skip
            url, headers = process.stdout.readline().split()[1], {"Authorization": f"Bearer {token}"}
            alone, errors = asyncio.run(read(url, headers, PATHS, asked.readers, asked.seconds))
            httpx.post(
                f"{url}/api/v1/runs", json={"fresh": True}, headers=headers, timeout=120
            ).raise_for_status()
            beside, more = asyncio.run(read(url, headers, PATHS, asked.readers, asked.seconds))
            process.terminate()
        with subprocess.Popen([sys.executable, "-c", BARE.replace("PORT", "8499")]) as process:
            time.sleep(3)
            bare, failed = asyncio.run(
                read("http://127.0.0.1:8499", {}, ("/",), asked.readers, asked.seconds)
            )
            process.terminate()
    report("bare FastAPI", bare, failed, asked.seconds)
    report("service", alone, errors, asked.seconds)
    report("service, while a chain runs", beside, more, asked.seconds)
    print(*[*errors, *more][:3], sep="\n")
    return 1 if errors or more else 0


if __name__ == "__main__":
    sys.exit(main())
