"""The pages in Debian's Chromium: a walk through them, axe-core on each, and nothing cut off on a phone."""

import os
import re
import shutil
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.integration, pytest.mark.slow]
CHROMIUM = shutil.which("chromium") or ""
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
PATIENCE = 400_000  # milliseconds; long enough for the slowest and busiest machine
if not CHROMIUM:
    assert "CI" not in os.environ, "chromium is missing: .ci/run installs it"
    pytest.skip("chromium is not installed", allow_module_level=True)


@contextmanager
def browser():
    """Start Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def log_in(page, service, role):
    """Log in as the user with this role."""
    page.goto(f"{service.url}/login")
    page.get_by_label("Token").fill(service.tokens[role])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Runs")).to_be_visible(timeout=PATIENCE)


def open_page(context, complaints):
    """Open a page that notes what the console says, such as what the policy has blocked."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def test_a_walk_through_the_pages(service, run):
    """From the login to a run, its notebook and data docs; the list is filtered, two runs are compared."""
    other = service.project / "runs" / "20200101-000000-000aa"
    shutil.copytree(service.project / "runs" / run, other)
    complaints = []
    with browser() as chromium:
        page = open_page(chromium.new_context(), complaints)
        page.goto(f"{service.url}/runs/{run}")  # leads to the login, and from there back
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("not valid")
        page.get_by_label("Token").fill(service.tokens["viewer"])
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="No skill shown")).to_be_visible()
        page.get_by_role("link", name="Runs").first.click()
        expect(page.get_by_role("link", name="Start a run")).to_have_count(0)
        page.get_by_role("link", name="R²").click()
        expect(page.locator("th[aria-sort=descending]")).to_have_text("R²")
        page.get_by_label("Model").select_option("ridge")
        page.get_by_role("button", name="Show").click()
        expect(page).to_have_url(re.compile("model=ridge"))
        compare = page.get_by_role("button", name="compare")
        expect(compare).to_be_disabled()
        for tick in page.get_by_role("checkbox").all()[:2]:
            tick.check()
        compare.click()
        expect(page.get_by_role("heading", name="Two runs side by side")).to_be_visible()
        page.locator("th a").last.click()
        page.get_by_role("link", name="04_train", exact=True).first.click()
        expect(page.frame_locator("iframe").get_by_role("heading", name="4. Train")).to_be_visible()
        page.goto(f"{service.url}/runs/{run}")
        page.get_by_role("link", name="Data docs", exact=True).click()
        expect(page.get_by_role("heading", name="Data docs")).to_be_visible()
        page.get_by_role("link", name="prices").first.click()
        expect(page.get_by_role("heading", name=re.compile("prices: .*accepted"))).to_be_visible()
    shutil.rmtree(other)
    # The browser asks for an icon that a static page cannot have, a refused login is an error to it, and
    # the script of the data docs does not run in their frame.
    assert [one for one in complaints if not re.search("40[134]|Blocked script", one)] == []


def test_a_run_is_started_and_followed_to_its_end(project, serve_project, monkeypatch):
    """Its steps appear while it goes on; at its end the page says how it ended, without a reload by hand."""
    slow = [new_code_cell("n: int = 1"), new_code_cell("import time\ntime.sleep(3)\nprint(n)")]
    slow[0].metadata["tags"] = ["parameters"]
    write(new_notebook(cells=slow), project / "notebooks" / "two.ipynb")
    (project / "notebooks" / "pipeline.toml").write_text(
        '[[step]]\nnotebook = "one.ipynb"\nproduces = {}\n[[step]]\nnotebook = "two.ipynb"\n'
    )
    monkeypatch.chdir(project)
    complaints = []
    with serve_project(project, concurrency=1) as service, browser() as chromium:
        page = open_page(chromium.new_context(), complaints)
        log_in(page, service, "runner")
        page.get_by_role("link", name="Start a run").click()
        page.get_by_label("start int").fill("many")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("takes int, got 'many'", timeout=PATIENCE)
        page.get_by_label("start int").fill("7")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page).to_have_url(re.compile(r"/runs/\d+-"), timeout=PATIENCE)
        expect(page.get_by_role("heading", name=re.compile("PASSED"))).to_be_visible(timeout=PATIENCE)
        expect(page.locator("#parameters")).to_contain_text("7")
        expect(page.locator("#progress")).to_contain_text("two")
    assert [one for one in complaints if "422" not in one] == []


def test_no_page_has_an_accessibility_violation_or_is_cut_off(service, run):
    """By axe-core, in light and dark, on a screen and on a phone of 390 pixels."""
    paths = [
        *(
            "/",
            "/forecasts",
            "/night",
            "/data",
            "/sweeps",
            "/ledger",
            "/accepted",
            "/queue",
            "/start",
            "/users",
        ),
        *(f"/runs/{run}", f"/compare?first={run}&second={run}", f"/profile/{run}", "/missing", "/login"),
        *(f"/runs/{run}/artifacts/prices.parquet", f"/runs/{run}/notebooks/04_train.ipynb"),
        *(f"/runs/{run}/files/report.html", f"/runs/{run}/files/04_train.ipynb"),
    ]
    found = []
    with browser() as chromium:
        for scheme in ("light", "dark"):
            # axe-core is injected, which the policy of the pages would refuse.
            context = chromium.new_context(color_scheme=scheme, bypass_csp=True)
            page = open_page(context, [])
            log_in(page, service, "admin")
            for path in paths:
                for width in (1280, 390):
                    page.set_viewport_size({"width": width, "height": 800})
                    page.goto(service.url + path)
                    wrong = Axe().run(page).response["violations"]
                    found += [(path, scheme, width, one["id"], one["nodes"][0]["target"]) for one in wrong]
                    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                        found.append((path, scheme, width, "wider than the screen"))
    assert found == []
