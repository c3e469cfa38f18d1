"""The figure of the verdict."""

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from sta410kit.research import assess_skill, plots

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _headless(monkeypatch):
    """Draw without a screen, whatever the machine has."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    mpl.use("agg")


def made(sessions):
    rng = np.random.default_rng(0)
    dates = pd.bdate_range("2000-01-03", periods=sessions, unit="us")
    columns = {
        "predicted": rng.standard_normal(sessions) / 1e3,
        "actual": rng.standard_normal(sessions) / 1e2,
    }
    frame = pd.DataFrame({"symbol": "A", "date": dates, "horizon": 1, "model": "ridge", "fold": 0, **columns})
    return frame.assign(lower=-1.0, upper=1.0)


@pytest.mark.parametrize("sessions", [2, 600])
def test_the_verdict_is_drawn_with_its_words_and_its_interval(sessions):
    """Title, both panels and the naive line are there, whatever the length; nothing is left open."""
    import matplotlib.pyplot as plt

    verdict = assess_skill(made(sessions), resamples=100)
    figure = plots.plot_verdict(verdict)
    assert figure.get_suptitle() == f"ridge: {verdict.verdict}"
    left, right = figure.axes
    assert left.get_lines()[0].get_ydata()[-1] == pytest.approx(100 * verdict.evidence.r2)
    assert "R2 in 100 resamples of dates" in right.get_title(loc="left")
    labels = [text.get_text() for text in right.get_legend().get_texts()]
    assert f"R2 {verdict.evidence.r2:+z.2%}" in labels
    assert any("best 120 sessions" in t.get_text() for t in left.get_legend().get_texts()) == (
        sessions == 600
    )
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert len(file.getvalue()) > 10_000
    assert plt.get_fignums() == []
