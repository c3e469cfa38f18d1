"""Take the pictures of the README and of docs/ from the product: ``make pictures``.

A project of its own is made in a temporary folder and run there, so that every picture shows what a newcomer
sees. They need Chromium. Look at each afterwards: a script cannot tell whether a picture is good.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd

from sta410kit.market import load_prices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
STA410 = Path(sys.executable).with_name("sta410")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
_PATIENCE = 120  # seconds
_PORT = 18888


def main() -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = Path(folder) / "desk"
        typed("new", "project", str(project), folder=Path(folder))
        shutil.copytree(ROOT / "notebooks", project / "notebooks", dirs_exist_ok=True)  # with their outputs
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_QUIET))
        typed("run", folder=project)  # warms up: the seconds of the next are those of every other day
        said = typed("run", "--fresh", folder=project)
        terminal(browser, "sta410 run", said.replace(str(project.parent), "~"))
        newest = max((project / "runs").glob("2*"))
        page_picture(browser, newest / "report.html", "report.png", height=1000)
        data_docs(browser, project)
        jupyterlab(browser, project)
        browser.close()


def typed(*words: str, folder: Path) -> str:
    """Return what a command prints in a terminal, colours included."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm-256color"}
    environment["STA410_LEDGER"] = str(folder / "trials.sqlite")
    with subprocess.Popen(
        [STA410, *words], cwd=folder, env=environment, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not more:
                break
            said += more
    os.close(ours)
    if process.returncode:
        sys.exit(f"sta410 {' '.join(words)} ended with {process.returncode}:\n{said.decode()}")
    return said.decode().replace("\r\n", "\n")


def terminal(browser: Browser, command: str, said: str) -> None:
    """Take a picture of a terminal: the command, and the end of what it printed."""
    from rich.console import Console
    from rich.text import Text

    # Progress is written over itself; what stays is what follows the last return of a line.
    lines = [
        line.rpartition("\r")[2] for line in re.sub(r"\x1b\[\d*[ABGKJ]|\x1b\[\?25[lh]", "", said).split("\n")
    ]
    kept = [line for line in lines if not line.startswith(("running ", "starting "))]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=104, file=nowhere, force_terminal=True)
        console.print(f"[bold]$ {command}[/bold]")
        console.print(Text.from_ansi("\n".join(kept).strip()))
        html = console.export_html(inline_styles=True, code_format=_TERMINAL)
    page = browser.new_page(viewport={"width": 980, "height": 400}, device_scale_factor=1.5)
    page.set_content(html)
    page.locator("pre").screenshot(path=IMAGES / "run.png")
    page.close()


_TERMINAL = (
    '<body style="margin:0;background:#fff"><pre style="display:inline-block;margin:0;padding:14px 18px;'
    "font:14px/1.25 'DejaVu Sans Mono',monospace;background:#fdfdfd;color:#1f2933\">{code}</pre></body>"
)


def page_picture(browser: Browser, path: Path, name: str, height: int) -> None:
    """Take a picture of the top of a page."""
    page = browser.new_page(viewport={"width": 1100, "height": height})
    page.goto(path.as_uri())
    page.screenshot(path=IMAGES / name)
    page.close()


def data_docs(browser: Browser, project: Path) -> None:
    """Take a picture of the validation of prices with one wrong bar."""
    prices = load_prices(symbols=["AAPL", "IBM", "MSFT"], start="2009-01-01")
    row = prices.index[(prices["symbol"] == "IBM") & (prices["date"] == pd.Timestamp("2011-03-16"))]
    prices.loc[row, ["open", "high", "low", "close", "adj_close"]] *= 1.3
    prices.to_csv(project / "prices.csv", index=False)
    typed("validate", "prices.csv", folder=project)
    page_picture(
        browser,
        max((project / "runs").glob("*/data_docs/validations/*/*/*/index.html")),
        "data_docs.png",
        900,
    )


def jupyterlab(browser: Browser, project: Path) -> None:
    """Take a picture of JupyterLab at the verdict of 05_evaluate."""
    with lab(project) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(f"{address}/lab/tree/notebooks/05_evaluate.ipynb?reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=1000 * _PATIENCE)
        page.wait_for_timeout(5000)  # the kernel starts, the extensions have looked around
        page.mouse.move(800, 500)
        figure = page.locator(".jp-OutputArea-output img").first
        for _ in range(60):  # JupyterLab renders only the cells near the window
            box = figure.bounding_box() if figure.count() else None
            if box is not None and box["y"] + box["height"] < _LAB_BOTTOM:
                break
            page.mouse.wheel(0, 80)
            page.wait_for_timeout(400)
        page.wait_for_timeout(1500)
        page.screenshot(path=IMAGES / "explore.png")
        page.close()


_LAB_BOTTOM = 800  # of the notebook in a window of 860


@contextmanager
def lab(project: Path) -> Iterator[str]:
    """Start JupyterLab on a project, without a browser; give its address."""
    words = [STA410, "lab", "--no-browser", f"--port={_PORT}", "--IdentityProvider.token="]
    words += ["--allow-root"] if os.getuid() == 0 else []
    with (project / "lab.log").open("wb") as log:
        server = subprocess.Popen(words, cwd=project, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{_PORT}"
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                urlopen(f"{address}/api").close()  # noqa: S310 - our own server
                break
            except (URLError, ConnectionError):
                time.sleep(0.3)
        yield address
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
