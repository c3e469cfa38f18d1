"""The holdout in the chain: what has seen it is another result, and the checklist tells of it."""

from datetime import date

import pandas as pd
import pytest

from sta410kit import steps
from sta410kit.config import Config, ModelConfig, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.holdout import unseal
from sta410kit.runner.doctor import _holdout
from sta410kit.runner.frames import read_frame
from tests.runner.conftest import run_chain

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _forget():
    yield
    set_config(None)


def run(project):
    """Run the chain and return whether each step was reused, and its holdout."""
    done = run_chain(project)
    assert done.outcome == 0
    return [(bool(step.reused), step.parts["holdout"]) for step in done.steps]


def test_a_result_that_has_seen_the_holdout_is_another_one(project, monkeypatch):
    """Unsealing runs everything anew; sealed again, the old results come back."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOLDOUT_START", "2012-01-01")
    assert run(project) == [(False, "sealed from 2012-01-01")] * 2
    unseal("look", hours=1)
    assert run(project) == [(False, "open from 2012-01-01")] * 2
    assert run(project) == [(True, "open from 2012-01-01")] * 2
    (project / "holdout.jsonl").unlink()
    assert run(project) == [(True, "sealed from 2012-01-01")] * 2


def test_a_step_during_which_it_was_opened_counts_for_neither(one_step, monkeypatch):
    """Which of the two it has seen is unknown."""
    project = one_step(
        "from sta410kit.holdout import unseal\nunseal('while it runs')\n"
        "(Path(run_dir) / 'number.txt').write_text('2')"
    )
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOLDOUT_START", "2012-01-01")
    (first,) = run(project)
    assert first[1].startswith("opened or sealed while it ran, in 2")
    assert run(project)[0] == (False, "open from 2012-01-01")


def test_the_checklist_tells_of_it(project, monkeypatch):
    """None, sealed, open; and how often it was looked into."""
    monkeypatch.chdir(project)
    assert _holdout() is None
    set_config(None)
    monkeypatch.setenv("HOLDOUT_START", str(date(2012, 1, 1)))
    assert (_holdout().state, _holdout().text) == ("ok", "sealed from 2012-01-01")
    unseal("a look")
    assert _holdout().state == "warning"
    assert "OPEN until" in _holdout().text
    assert "a look); looked into 1 time, see sta410 unseal --list" in _holdout().text
    set_config(Config())
    assert _holdout().text == "none any more; looked into 1 time, see sta410 unseal --list"


@pytest.fixture
def made_before(tmp_path):
    """Give a file of predictions into 2012 that was made before the holdout was sealed."""
    days = pd.bdate_range("2011-12-26", periods=10, unit="us")
    frame = pd.DataFrame({"symbol": "A", "date": days, "predicted": 0.01})
    frame.to_parquet(tmp_path / "made.parquet", index=False)
    frame.to_csv(tmp_path / "made.csv", index=False)
    set_config(Config(model=ModelConfig(holdout_start=date(2012, 1, 1))))
    return tmp_path


def test_a_step_refuses_what_an_earlier_run_made_of_the_holdout(made_before, monkeypatch):
    """Its figures would be those of sealed sessions; unsealed they may be seen."""
    monkeypatch.chdir(made_before)
    monkeypatch.setattr(steps, "read_accepted", lambda path, _: pd.read_parquet(path))
    path, prices = made_before / "made.parquet", pd.DataFrame()
    for action in (
        lambda: steps.features(path, prices),
        lambda: steps.predictions(path, prices, 42),
        lambda: steps.prices(path),
    ):
        with pytest.raises(
            ConfigurationError, match=r"made\.parquet holds 5 rows of the sealed holdout.*unseal"
        ):
            action()
    unseal("look")
    assert len(steps.predictions(path, prices, 42)) == 10


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_files_of_any_suite_are_held_back_from_the_commands(made_before, suffix, monkeypatch):
    """A draft, a verdict or mutants of sealed sessions would tell of them; a file without dates has none."""
    monkeypatch.chdir(made_before)
    path = made_before / f"made.{suffix}"
    frame = read_frame(path, prices=False)
    assert frame["date"].max() == pd.Timestamp("2011-12-30")
    assert len(frame) == 5
    unseal("look")
    assert len(read_frame(path, prices=False)) == 10
    (made_before / "plain.csv").write_text("name,value\na,1\n")
    (made_before / "holdout.jsonl").unlink()
    assert len(read_frame(made_before / "plain.csv", prices=False)) == 1
