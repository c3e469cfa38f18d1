"""The trials ledger: every distinct trial once, whoever writes, and never a crash."""

import multiprocessing
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataLoadingError
from sta410kit.research import ledger, ledger_file
from sta410kit.research.backtest import backtest
from sta410kit.research.trial_identity import sharpe_of
from sta410kit.research.trial_returns import pack, unpack

pytestmark = pytest.mark.unit


def made(seed=0, *, sessions=300, symbols=2, model="ridge", outcomes=0, start=0):  # noqa: PLR0913
    """Return predictions; `seed` is for what is predicted, `outcomes` for what happens, `start` cuts."""
    rng = np.random.default_rng(seed)
    happened = np.random.default_rng(1000 + outcomes)
    parts = []
    for number in range(symbols):
        columns = {
            "predicted": rng.standard_normal(sessions),
            "actual": happened.standard_normal(sessions) / 100,
        }
        dates = pd.bdate_range("2000-01-03", periods=sessions, unit="us")
        frame = pd.DataFrame(
            {"symbol": f"S{number}", "date": dates, "horizon": 1, "model": model, "fold": 0, **columns}
        )
        parts.append(frame.assign(lower=-1.0, upper=1.0).iloc[start:])
    return pd.concat(parts, ignore_index=True)


def followed(frame):
    return {str(model): part.groupby("date")["actual"].mean() for model, part in frame.groupby("model")}


def looked(frame, **given):
    return ledger.record(
        frame, kind="skill", returns=followed(frame), r2=dict.fromkeys(followed(frame), 0.01), **given
    )


def test_the_same_trial_counts_once_and_another_counts_again():
    """A re-run, in whatever order of rows, is no new trial; other predictions are."""
    assert looked(made()).count == 1
    assert looked(made().iloc[::-1]).count == 1
    assert looked(made(seed=1)).count == 2
    assert looked(made()).count == 2


def test_noise_of_the_arithmetic_is_no_new_trial():
    """Predictions that differ in the sixteenth digit are the same, and so are zero and minus zero."""
    frame = made()
    frame.loc[0, ["predicted", "actual"]] = 0.0
    looked(frame)
    assert looked(frame.assign(predicted=frame["predicted"] * (1 + 1e-15))).count == 1
    frame.loc[0, ["predicted", "actual"]] = -0.0
    assert looked(frame).count == 1


def test_other_outcomes_are_another_dataset():
    """Trials on other prices, or at another horizon, are counted apart."""
    looked(made())
    assert looked(made(outcomes=1)).count == 1
    assert looked(made().assign(horizon=5)).count == 1


@pytest.mark.parametrize("change", [{"start": 63}, {"sessions": 300, "symbols": 1}])
def test_a_part_of_the_same_outcomes_is_the_same_dataset(change):
    """A longer warm-up or fewer symbols do not begin a fresh count."""
    looked(made())
    assert looked(made(seed=1, **change)).count == 2


def test_each_model_of_a_frame_is_a_trial_but_for_zero():
    """Two models are two trials; predicting zero everywhere tries nothing."""
    frame = pd.concat([made(), made(1, model="boosting"), made(model="naive").assign(predicted=0.0)])
    found = looked(frame)
    assert [trial.model for trial in found.trials] == ["ridge", "boosting"]
    assert found.forecasts == 2


def test_a_trial_keeps_what_the_deflated_ratio_needs():
    """Sharpe ratio of a session, R2, sessions, and the returns to seven digits."""
    frame = made()
    found = looked(frame)
    (trial,) = found.trials
    returns = followed(frame)["ridge"]
    assert trial.sharpe == pytest.approx(returns.mean() / returns.std())
    assert found.sharpes == (trial.sharpe,)
    assert (trial.kind, trial.sessions, trial.r2) == ("skill", 300, 0.01)
    assert found.returns()[trial.id].to_numpy() == pytest.approx(returns.to_numpy(), rel=1e-6)


def test_overlapping_targets_make_no_returns_of_a_session():
    """At a horizon of five sessions the look has its R2; an outcome a day would count five times."""
    (daily,) = ledger.record_look(made()).trials
    (weekly,) = ledger.record_look(made().assign(horizon=5)).trials
    assert daily.sharpe is not None
    assert (weekly.sharpe, weekly.r2) == (None, daily.r2)


def test_a_backtest_stands_for_the_look_at_the_skill():
    """Skill and backtest of the same predictions are one trial; another threshold is another."""
    frame = made()
    looked(frame)
    for strategy in ("threshold=0", "threshold=0", "threshold=0.001"):
        found = ledger.record(frame, kind="backtest", returns=followed(frame), strategy=strategy)
    assert len(found.trials) == 3
    assert (found.count, found.forecasts) == (2, 1)
    assert {trial.kind for trial in found.distinct} == {"backtest"}


def test_every_backtest_is_written_down(walks, walk_predictions):
    """Its Sharpe ratio after costs is in the ledger; double costs are the same trial."""
    tested = backtest(walk_predictions, walks)
    (trial,) = ledger.read(walk_predictions).trials
    net = tested.frame["net"]
    assert trial.sharpe == pytest.approx(net.mean() / net.std())
    assert (trial.kind, trial.strategy) == ("backtest", "threshold=0.0")
    backtest(walk_predictions, walks, cost_bps=10.0)
    assert ledger.read(walk_predictions).count == 1
    backtest(walk_predictions, walks, threshold=0.001)
    assert ledger.read(walk_predictions).count == 2


def test_a_backtest_that_cannot_be_written_down_still_runs(walks, walk_predictions, tmp_path, monkeypatch):
    """Outside a project, and where no file can be, there is a result; reading tells it is not counted."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("STA410_LEDGER", str(tmp_path / "file" / "trials.sqlite"))
    assert not backtest(walk_predictions, walks).frame.empty
    assert "not in the ledger" in ledger.read(walk_predictions).problem
    monkeypatch.delenv("STA410_LEDGER")
    monkeypatch.chdir(tmp_path)
    assert not backtest(walk_predictions, walks).frame.empty


def test_overlapping_targets_have_no_returns():
    """Without returns a trial counts all the same."""
    found = ledger.record(made(), kind="skill", returns={}, r2={"ridge": float("nan")})
    assert found.count == 1
    assert found.sharpes == ()
    assert found.returns().empty
    assert found.trials[0].r2 is None


def test_reading_adds_nothing():
    """What was tried can be looked up without being a trial."""
    assert ledger.read(made()).count == 0
    looked(made())
    assert ledger.read(made()).problem == ""
    other = ledger.read(made(seed=1))
    assert other.count == 1
    assert "these predictions are not in the ledger" in other.problem


def test_rows_are_never_changed_or_removed():
    """The file itself refuses."""
    looked(made())
    with closing(sqlite3.connect(ledger.ledger_path())) as connection:
        for order in ("DELETE FROM trials", "UPDATE trials SET model = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                connection.execute(order)


def record_some(path, first):
    """Record five trials; the job of one process of several."""
    for seed in range(first, first + 5):
        looked(made(seed=seed, sessions=30), path=path)


def test_several_processes_lose_nothing(tmp_path):
    """Four processes that begin the ledger at once leave every trial of each, on one dataset."""
    path = tmp_path / "new" / "trials.sqlite"
    starter = multiprocessing.get_context("spawn")
    workers = [starter.Process(target=record_some, args=(path, 5 * n)) for n in range(2)]
    for worker in workers:
        worker.start()
    record_some(path, 100)
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    ((dataset, trials),) = ledger.read_all(path)
    assert trials.count == 15
    assert (dataset["symbols"], dataset["horizon"], dataset["first"]) == ("S0, S1", 1, "2000-01-03")


def test_it_belongs_to_the_project(tmp_path, monkeypatch):
    """From anywhere inside it, and its runs folder is made if need be; outside nothing is counted."""
    monkeypatch.delenv("STA410_LEDGER")
    monkeypatch.chdir(tmp_path)
    assert ledger.ledger_path() is None
    for found in (looked(made()), ledger.read(made())):
        assert found.count == 0
        assert "this is no project" in found.problem
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert looked(made()).count == 1
    assert (tmp_path / "runs" / "trials.sqlite").is_file()


def test_a_ledger_that_cannot_be_written_is_read_and_says_so(tmp_path, monkeypatch):
    """The trials that are there count, the new one does not, and the reason is told."""
    path = tmp_path / "trials.sqlite"
    looked(made(), path=path)
    monkeypatch.setattr(ledger, "write_trials", refuse)
    found = looked(made(seed=1), path=path)
    assert found.count == 1
    assert not found.returns().empty
    assert (
        "cannot be written (attempt to write a readonly database), so this trial is not counted"
        in found.problem
    )


def refuse(*_):
    message = "attempt to write a readonly database"
    raise sqlite3.OperationalError(message)


def test_a_place_where_no_file_can_be_stops_nobody(tmp_path):
    """A file where the folder should be: no count, and the reason."""
    (tmp_path / "runs").touch()
    found = looked(made(), path=tmp_path / "runs" / "trials.sqlite")
    assert found.count == 0
    assert "so this trial is not counted" in found.problem


def test_a_broken_file_is_told_and_left_alone(tmp_path):
    """What is no database is not overwritten."""
    path = tmp_path / "trials.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    assert "file is not a database" in looked(made(), path=path).problem
    assert "cannot be read (file is not a database)" in ledger.read(made(), path).problem
    with pytest.raises(DataLoadingError, match="Move it away"):
        ledger.read_all(path)
    assert path.read_bytes().startswith(b"not a database")
    with pytest.raises(DataLoadingError, match="cannot be read as a trials ledger"):
        ledger.read_all(tmp_path)  # a folder in its place is no empty ledger


def test_returns_that_cannot_be_read_are_none(tmp_path):
    """Bytes that SQLite does not look into may be damaged; the count stands."""
    path = tmp_path / "l.sqlite"
    found = looked(made(), path=path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TRIGGER trials_stay_as_they_are; UPDATE trials SET returns = x'00010203ff'"
        )
        connection.commit()
    assert found.returns().empty
    assert ledger.read(made(), path).count == 1


def test_a_ledger_of_a_newer_kit_is_left_alone(tmp_path):
    """What this version does not know is not touched."""
    path = tmp_path / "trials.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    assert "a newer version of the kit made it" in looked(made(), path=path).problem


def test_a_failed_write_leaves_nothing_half_done(tmp_path):
    """A row the table refuses takes its dataset with it."""
    path = tmp_path / "trials.sqlite"
    looked(made(), path=path)
    with closing(ledger_file.open_ledger(path)) as connection:
        dataset = ledger.trial_identity.dataset_of(made(outcomes=1))
        with pytest.raises(sqlite3.IntegrityError):
            ledger_file.write_trials(
                connection, dataset, [("skill", None, "digest", "", 1, None, None, None)]
            )
        assert connection.execute("SELECT count(*) FROM datasets").fetchone() == (1,)


def test_no_file_is_an_empty_ledger(tmp_path):
    """Before the first trial there is nothing to read, and reading makes no file."""
    assert ledger.read_all(tmp_path / "none.sqlite") == []
    assert not (tmp_path / "none.sqlite").exists()


def test_returns_survive_packing_whatever_their_order():
    """Dates come back in order, values to seven digits; none at all stay none."""
    dates = pd.DatetimeIndex(["2001-02-03", "1999-12-31", "2000-02-29"])
    back = unpack(pack(pd.Series([0.1, -0.2, 0.3], dates)))
    assert back.index.strftime("%Y-%m-%d").tolist() == ["1999-12-31", "2000-02-29", "2001-02-03"]
    assert back.to_numpy() == pytest.approx([-0.2, 0.3, 0.1], rel=1e-6)
    assert unpack(pack(pd.Series([], pd.DatetimeIndex([]), dtype=float))).empty


def test_a_ledger_can_be_read_as_it_was(tmp_path):
    """What was recorded after a moment is not in the copy; the ledger itself stays whole."""
    path, before = tmp_path / "trials.sqlite", os.environ["STA410_LEDGER"]
    looked(made(), path=path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TRIGGER trials_stay_as_they_are; UPDATE trials SET recorded = '2020-01-02T10:00:00Z';"
        )
    looked(made(seed=1), path=path)
    with ledger.as_of(datetime(2020, 1, 3, tzinfo=UTC), path, tmp_path / "copy.sqlite"):
        assert ledger.ledger_path() == tmp_path / "copy.sqlite"
        assert ledger.read(made()).count == 1
        assert looked(made(seed=2)).count == 2
    assert os.environ["STA410_LEDGER"] == before
    assert ledger.read(made(), path).count == 2


def test_a_copy_holds_what_was_recorded_by_that_second_and_only_grows_too(tmp_path):
    """A run's own trials may bear the second in which it began; and nobody takes any out."""
    path, copy = tmp_path / "trials.sqlite", tmp_path / "copy.sqlite"
    (trial,) = looked(made(), path=path).trials
    ledger_file.copy_as_of(path, datetime.fromisoformat(trial.recorded), copy)
    assert ledger.read(made(), copy).count == 1
    with closing(sqlite3.connect(copy)) as held, pytest.raises(sqlite3.IntegrityError, match="only grows"):
        held.execute("DELETE FROM trials")


def test_no_ledger_was_an_empty_one(tmp_path):
    """A project without a ledger counts from nothing."""
    with ledger.as_of(datetime(2020, 1, 3, tzinfo=UTC), tmp_path / "none.sqlite", tmp_path / "copy.sqlite"):
        assert looked(made()).count == 1
    assert not (tmp_path / "none.sqlite").exists()


def test_returns_that_are_always_the_same_have_no_sharpe_ratio():
    """Rounding is no deviation; a ratio of 1e12 in the ledger would drown every later trial."""
    closes = pd.Series(100 * 1.001 ** np.arange(300))
    assert sharpe_of(closes.pct_change().dropna()) is None
    assert sharpe_of(pd.Series([0.01, -0.01, 0.02])) == pytest.approx(0.4364357804719848)


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01001], [0.01, 0.01001, np.nan]])
def test_fewer_than_three_returns_have_no_sharpe_ratio(returns):
    """Two that are near by chance would have one of a thousand, and the ledger only grows."""
    assert sharpe_of(pd.Series(returns, dtype=float)) is None
