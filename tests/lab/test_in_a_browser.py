"""JupyterLab in Chromium: the warm kernel, connected notebooks, the gate and its data docs."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from sta410kit.market import load_prices

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
READY = """() => [...document.querySelectorAll('.jp-Toolbar-kernelName')]
    .some(e => /ipykernel/.test(e.textContent))
    && document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'"""
PATIENCE = 600_000  # milliseconds, on a busy machine


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Copy the project, beside a file of prices with one close a hundred times too high."""
    folder = tmp_path_factory.mktemp("explored")
    for name in ("notebooks", "expectations"):
        shutil.copytree(ROOT / name, folder / name)
    prices = load_prices(symbols=["AAPL", "IBM", "MSFT"], start="2005-01-01")
    prices.loc[1000, "close"] *= 100
    prices.to_csv(folder / "broken.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def address(project):
    """Start `sta410 lab` on a free port; give its address."""
    if find_spec("jupyterlab") is None:
        assert "CI" not in os.environ, "CI needs the extra lab: make test-all installs it"
        pytest.skip("JupyterLab is not installed: make lab installs it")
    if not Path(CHROMIUM).exists():
        assert "CI" not in os.environ, f"CI needs {CHROMIUM}"
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=t", "--allow-root"]
    log = (project / "lab.log").open("wb")
    with (
        log,
        subprocess.Popen(
            [sys.executable, "-m", "sta410kit", "lab", *options], cwd=project, stdout=log, stderr=log
        ) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        for _ in range(240):
            time.sleep(0.5)
            try:
                urllib.request.urlopen(f"{url}/api").close()  # noqa: S310 - this machine
                break
            except OSError:
                assert server.poll() is None, (project / "lab.log").read_text()
        yield url
        server.terminate()


@pytest.fixture(scope="module")
def page(address):
    """Open a browser; no request may go to another host."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        yield page
        own = (address, address.replace("http", "ws"), "data:", "blob:")
        assert [url for url in asked if not url.startswith(own)] == []
        browser.close()


def open_notebook(page, address, name):
    """Open a notebook and wait until its kernel has started."""
    page.goto(f"{address}/lab/tree/notebooks/{name}.ipynb?reset&token=t")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(READY)


def run(page, cells, add=""):
    """Run the first cells, one after the other, `add` as the end of the first code cell."""
    first = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    first.click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(add)
    if add:
        first.get_by_text(add.strip()).wait_for()
    for _ in range(cells):
        page.keyboard.press("Shift+Enter")


def until(page, done):
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not (found := done()):
        assert time.monotonic() < deadline
        page.wait_for_timeout(500)
    return found


def outputs_with(page, path, text):
    """Save the notebook until its outputs hold a text, and return them as text."""

    def saved():
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1500)
        try:
            cells = json.loads(path.read_text("utf-8"))["cells"]
        except ValueError:  # it is being written
            return ""
        found = [output for cell in cells for output in cell.get("outputs", [])]
        shown = [
            one.get("data", {}).get("text/plain") or one.get("text") or one.get("evalue", "") for one in found
        ]
        words = "\n".join("".join(one) for one in shown)
        return words if text in words else ""

    return until(page, saved)


def test_start_here_opens_with_its_kernel_and_an_untouched_notebook_stays_as_it_is(page, address, project):
    """The warm kernel goes by the committed notebooks' name; saving writes the same bytes."""
    path = project / "notebooks" / "start_here.ipynb"
    before = path.read_bytes()
    open_notebook(page, address, "start_here")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    assert path.read_bytes() == before
    notebook = json.loads(before)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    path.write_text(json.dumps(notebook))
    open_notebook(page, address, "start_here")
    run(page, 8)
    outputs_with(page, path, "r2_against_naive")
    page.screenshot(path=project / "start_here.png")


def test_a_model_swapped_in_04_is_the_one_that_05_judges(page, address, project):
    """And 05 says so in its first output."""
    open_notebook(page, address, "04_train")
    run(page, 15, add='\nmodel = "naive"')
    until(page, (project / "runs/explore/04_train/model.skops").is_file)
    open_notebook(page, address, "05_evaluate")
    run(page, 4)
    text = outputs_with(page, project / "notebooks/05_evaluate.ipynb", "This is the naive forecast")
    assert "predictions: naive, 1 session ahead; from 04_train" in text
    page.screenshot(path=project / "05_evaluate.png")


def test_a_wrong_price_stops_the_gate_and_the_link_opens_the_bar(page, address, project):
    """01 reads the file, 02 takes it from there; the data docs open on Jupyter's server."""
    open_notebook(page, address, "01_ingest")
    run(page, 12, add='\npath = "../broken.csv"')
    until(page, (project / "runs/explore/01_ingest/raw_prices.parquet").is_file)
    open_notebook(page, address, "02_validate")
    run(page, 8, add="\nstrict = True")
    text = outputs_with(page, project / "notebooks/02_validate.ipynb", "the gate 'prices' refused the data")
    assert "raw_prices: files; AAPL, IBM, MSFT, 2005-01-03 to 2013-03-01; from 01_ingest" in text
    page.screenshot(path=project / "02_validate.png")
    with page.expect_popup() as opened:
        page.get_by_text("Open the data docs of 02_validate").last.click()
    docs = opened.value
    docs.locator("a[href*='validations/']").first.click()
    docs.wait_for_url("**/files/runs/explore/02_validate/data_docs/validations/prices/**", timeout=PATIENCE)
    assert "2008-12-22" in docs.content()
    docs.screenshot(path=project / "data_docs.png")
