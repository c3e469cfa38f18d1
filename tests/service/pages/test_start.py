"""Starting a run from a form, and following it in the queue."""

import re

import pytest

pytestmark = pytest.mark.integration


def test_the_form_has_the_parameters_that_can_be_given(pages, service):
    """Of the whole chain, without what a run sets itself; of one notebook; choices are offered."""
    with service.client("runner", accept="text/html") as runner:
        chain = runner.get("/start").text
        names = re.findall(r'name="p\.(\w+)"', chain)
        assert {"model", "horizon", "symbols", "source"} <= set(names)
        assert {"run_dir", "prices", "features"} & set(names) == set()
        assert '<option value="boosting">' in chain
        one = re.findall(r'name="p\.(\w+)"', runner.get("/start?notebook=notebooks/01_ingest.ipynb").text)
        assert ("source" in one, "model" in one) == (True, False)
    assert "Start a run" not in pages.get("/").text


def test_a_wrong_parameter_is_refused_with_a_suggestion(client):
    """The form keeps what was typed; nothing is queued."""
    page = client.post("/start", data={"p.strt": "3"})
    assert page.status_code == 422
    assert "Did you mean &#39;start&#39;" in page.text
    assert 'name="p.strt" value="3"' in page.text
    outside = client.post("/start", data={"notebook": "../one.ipynb"})
    assert outside.status_code == 404
    assert "Nothing waits" in client.get("/queue").text


def test_a_job_is_queued_followed_and_cancelled(client, make_run):
    """Its page leads to the run once there is one; empty fields keep the defaults."""
    asked = client.post("/start", data={"p.start": "", "notebook": "notebooks/one.ipynb", "fresh": "1"})
    assert (asked.status_code, asked.headers["location"]) == (303, "/queue/1")
    waiting = client.get("/queue/1").text
    assert ("all defaults" in waiting, "waits for its turn" in waiting) == (True, True)
    assert client.get("/queue/1?part=state").headers["x-state"] == "queued"
    assert "notebooks/one.ipynb" in client.get("/queue").text
    assert client.post("/queue/1/cancel").headers["location"] == "/queue"
    assert "cancelled" in client.get("/queue").text
    run = make_run(given={"start": "3"}).name
    refused = client.post(f"/runs/{run}/cancel")
    assert (refused.status_code, "stop it where it was started" in refused.text) == (409, True)
    assert 'name="p.start" value="3"' in client.get(f"/start?again={run}").text
    assert client.get("/queue/99").status_code == 404
