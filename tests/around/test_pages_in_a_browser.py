"""The pages that the kit writes, in a browser: accessible, and nothing is cut off on a phone."""

import os
import shutil
from pathlib import Path

import pytest

from sta410kit import guards
from sta410kit.guards import data_docs
from sta410kit.market import load_prices
from sta410kit.runner.notebook_pages import page_of, write_pages

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SOURCE = """
from sta410kit.steps import record
import pandas as pd
import matplotlib.pyplot as plt
n: int = 1
record("score", n / 4)
print("\\x1b[31mred\\x1b[0m")
plt.plot([1, n])
pd.DataFrame({"a": [1, n]})
"""


@pytest.fixture(scope="module")
def browser():
    """Start Chromium."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    sync = pytest.importorskip("playwright.sync_api")
    switches = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    switches += ["--disable-background-networking", "--disable-component-update"]
    with sync.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=switches)
        yield opened
        opened.close()


@pytest.fixture
def pages(tmp_path, typed):
    """Write a report, a sweep, an executed notebook, and data docs of prices that a gate refuses."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cell = new_code_cell(SOURCE, metadata={"tags": ["parameters"]})
    cells = [new_markdown_cell("# Mine"), cell, new_code_cell("n")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    assert typed("run", "x.ipynb", cwd=tmp_path).returncode == 0
    assert typed("sweep", "x.ipynb", "-g", "n=1,2,3", cwd=tmp_path).returncode == 0
    reports = sorted(tmp_path.glob("**/report.html"))
    (notebook,) = tmp_path.glob("runs/*/x.ipynb")
    write_pages([str(notebook)])
    prices = load_prices(symbols=["IBM", "MSFT"], start="2010-01-01")
    prices.loc[100, ["open", "high", "low", "close"]] *= 2
    prices.loc[200, "high"] = 1.0
    page = data_docs.publish(guards.validate(prices, "prices", strict=True), tmp_path / "docs", frame=prices)
    docs = [page, page.with_name("triage.html"), *(tmp_path / "docs").glob("*.html")]
    return [*reports, page_of(notebook), *docs, tmp_path / "docs" / "expectations" / "prices.html"]


def test_every_page_is_accessible_and_fits_a_phone(browser, pages):
    """axe-core finds nothing, in light and dark, wide and narrow; nothing is asked of any network."""
    from axe_playwright_python.sync_playwright import Axe

    assert len(pages) == 7
    found: list[object] = []

    def note(request):
        if not request.url.startswith(("file:", "data:")):
            found.append(request.url)

    for scheme, width in (("light", 1280), ("dark", 390)):
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
        )
        page = context.new_page()
        page.on("request", note)
        for path in pages:
            page.goto(Path(path).as_uri())
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append((path.name, scheme, "is wider than the window"))
            violations = Axe().run(page).response["violations"]
            found += [(path.name, scheme, one["id"], one["nodes"][0]["html"][:200]) for one in violations]
        context.close()
    assert not found


def test_the_search_runs_under_the_policy_of_the_page(browser, pages):
    """The one script that may run hides what does not have the words."""
    page = browser.new_page()
    path = next(path for path in pages if path.name == "prices.html")
    page.goto(path.as_uri())
    page.fill("#find", "never below the low")
    shown, entries = page.locator("[data-find]:visible"), page.locator("[data-find]")
    assert 0 < shown.count() < entries.count()
    assert all("low" in text.lower() for text in shown.all_text_contents())
