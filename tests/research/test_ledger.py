"""The trials ledger counts every distinct trial once, also from several processes."""

import multiprocessing
import sqlite3
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sta410kit.exceptions import DataLoadingError
from sta410kit.market import load_prices
from sta410kit.research.features import build_features
from sta410kit.research.ledger import Ledger
from sta410kit.research.skill import assess_skill
from sta410kit.research.trial_identity import at_least_once, pack, sharpe_of, unpack
from sta410kit.research.walk_forward import walk_forward
from tests.research.simulated import make_predictions

pytestmark = pytest.mark.unit


def made(seed=0, *, sessions=300, symbols=2, model="ridge", outcomes=0, start=0):  # noqa: PLR0913
    """Return predictions; `seed` is for what is predicted, `outcomes` for what happens, `start` cuts."""
    rng, happened = np.random.default_rng(seed), np.random.default_rng(1000 + outcomes)
    parts = []
    for number in range(symbols):
        predicted, actual = rng.standard_normal(sessions), happened.standard_normal(sessions) / 100
        parts.append(make_predictions(predicted, actual, f"S{number}", model).iloc[start:])
    return pd.concat(parts, ignore_index=True)


def followed(frame):
    return frame.groupby("date")["actual"].mean()


def test_the_same_trial_counts_once_and_another_counts_again(ledger):
    """A re-run, in any order of rows, is no new trial; other predictions are."""
    assert ledger.record_predictions(made()).count == 1
    assert ledger.record_predictions(made().iloc[::-1]).count == 1
    assert ledger.record_predictions(made(seed=1)).count == 2
    assert ledger.record_predictions(made()).count == 2


def test_equal_predictions_in_another_form_are_no_new_trial(ledger):
    """Rounding in the sixteenth digit, minus zero, categories and time zones make no new trial."""
    frame = made()
    frame.loc[0, ["predicted", "actual"]] = 0.0
    ledger.record_predictions(frame)
    assert ledger.record_predictions(frame.assign(predicted=frame["predicted"] * (1 + 1e-15))).count == 1
    other = frame.astype({"symbol": "category", "model": "category"})
    other["date"] = other["date"].dt.tz_localize("UTC")
    assert ledger.record_predictions(other).count == 1
    frame.loc[0, ["predicted", "actual"]] = -0.0
    assert ledger.record_predictions(frame).count == 1


@pytest.mark.parametrize("change", [{"start": 63}, {"symbols": 1}, {"symbols": 3}, {"sessions": 400}])
def test_a_part_of_a_universe_and_one_that_goes_on_share_its_count(ledger, change):
    """Dates that overlap, a subset and a superset of the symbols are no fresh start."""
    ledger.record_predictions(made())
    assert ledger.record_predictions(made(seed=1, **change)).count == 2
    assert ledger.read(made(**change)).count == 2


def test_other_symbols_years_and_horizons_are_counted_apart(ledger):
    """What was tried elsewhere is not held against a forecast."""
    ledger.record_predictions(made())
    frame = made(seed=1)
    assert ledger.record_predictions(frame.assign(horizon=5)).count == 1
    assert ledger.record_predictions(frame.assign(symbol="Z" + frame["symbol"])).count == 1
    later = frame.assign(date=frame["date"] + pd.Timedelta(days=7 * 261))
    assert ledger.record_predictions(later).count == 1


def test_three_symbols_of_two_hundred_share_the_count(ledger):
    """Ten trials on the whole universe count when three of its symbols are judged alone."""
    for seed in range(10):
        ledger.record_predictions(made(seed, sessions=40, symbols=200))
    assert ledger.read(made(sessions=40, symbols=3)).count == 10


def test_a_nightly_run_extends_its_trial(ledger):
    """61 nights of one model are one trial, with the sessions of the last night."""
    whole = made(sessions=360)
    days = np.sort(whole["date"].unique())
    for night in range(61):
        found = ledger.record_predictions(whole[whole["date"] <= days[298 + night]])
    assert (found.count, found.forecasts) == (1, 1)
    assert found.distinct[0].sessions == 359


def test_refetched_prices_are_the_same_data(ledger):
    """Rescaled by a dividend, rounded to 6 decimals or stored as float32, ridge on them is one trial."""
    prices = load_prices(symbols=["IBM", "MSFT"], start="2009-01-01")
    others = [
        prices,
        prices.assign(adj_close=prices["adj_close"] * 0.987),
        prices.assign(adj_close=prices["adj_close"].round(6)),
        prices.assign(adj_close=prices["adj_close"].astype("float32").astype(float)),
    ]
    for one in others:
        found = ledger.record_predictions(walk_forward(build_features(one), one, model="ridge"))
    assert found.count == 1
    other = walk_forward(build_features(prices), prices, model="boosting")
    assert ledger.record_predictions(other).count == 2


def test_each_model_of_a_frame_is_a_trial_except_zero(ledger):
    """Two models are two trials; predicting zero everywhere tries nothing."""
    frame = pd.concat([made(), made(1, model="boosting"), made(model="naive").assign(predicted=0.0)])
    found = ledger.record_predictions(frame)
    assert [trial.model for trial in found.trials] == ["ridge", "boosting"]
    assert found.forecasts == 2


def test_a_trial_stores_its_scores_and_returns(ledger):
    """Sharpe ratio per session, R², sessions, and the excess of following the sign to seven digits."""
    frame = made(symbols=1)
    (trial,) = (found := ledger.record_predictions(frame)).trials
    returns = (np.sign(frame["predicted"]) - 1) * np.expm1(frame["actual"])  # in excess of holding
    assert trial.sharpe == pytest.approx(returns.mean() / returns.std())
    assert found.sharpes == (trial.sharpe,)
    r2 = 1 - ((frame["actual"] - frame["predicted"]) ** 2).sum() / (frame["actual"] ** 2).sum()
    assert (trial.kind, trial.sessions, trial.r2) == ("skill", 300, pytest.approx(r2))
    assert found.returns()[trial.id].to_numpy() == pytest.approx(returns.to_numpy(), rel=1e-6)


def test_overlapping_targets_have_no_returns_per_session(ledger):
    """At a horizon of five sessions a trial has its R² but no Sharpe ratio, and counts."""
    (daily,) = ledger.record_predictions(made()).trials
    (weekly,) = (found := ledger.record_predictions(made().assign(horizon=5))).trials
    assert daily.sharpe is not None
    assert (weekly.sharpe, weekly.r2) == (None, daily.r2)
    assert (found.count, found.sharpes, found.returns().empty) == (1, (), True)


@pytest.mark.parametrize("target", ["market_excess", "rank"])
def test_what_compares_symbols_has_no_returns_per_session(ledger, target):
    """No position earns the excess over the market or a rank, so a trial has no Sharpe ratio, and counts."""
    found = ledger.record_predictions(made().assign(target=target))
    assert (found.forecasts, found.sharpes) == (1, ())


def test_a_backtest_replaces_the_skill_trial(ledger):
    """Skill and backtest of the same predictions are one trial; another threshold is another."""
    frame = made()
    ledger.record_predictions(frame)
    for strategy in ("threshold=0", "threshold=0", "threshold=0.001"):
        found = ledger.record_backtest(frame, followed(frame), strategy)
    assert len(found.trials) == 3
    assert (found.count, found.forecasts) == (2, 1)
    assert {trial.kind for trial in found.distinct} == {"backtest"}


def test_reading_adds_nothing(ledger):
    """Trials can be looked up without being one; before the first there is no file."""
    assert (ledger.read(made()).count, ledger.read_all()) == (0, [])
    assert not ledger.path.exists()
    ledger.record_predictions(made())
    assert ledger.read(made(seed=1)).count == 1
    ((dataset, trials),) = ledger.read_all()
    assert (dataset["symbols"], dataset["horizon"], dataset["first"]) == ("S0, S1", 1, "2000-01-03")
    assert trials.count == 1


def test_rows_are_never_changed_or_removed(ledger):
    """SQLite refuses updates and deletions."""
    ledger.record_predictions(made())
    with closing(sqlite3.connect(ledger.path)) as connection:
        for order in ("DELETE FROM trials", "UPDATE trials SET model = 'x'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(order)


def record_some(path, first):
    """Record five trials: the job of one process of several."""
    for seed in range(first, first + 5):
        Ledger(path).record_predictions(made(seed=seed, sessions=30))


def test_concurrent_processes_record_every_trial(ledger):
    """Processes that create the ledger at the same time record every trial on one dataset."""
    starter = multiprocessing.get_context("fork")
    workers = [starter.Process(target=record_some, args=(ledger.path, 5 * n)) for n in range(2)]
    for worker in workers:
        worker.start()
    record_some(ledger.path, 100)
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    ((_, trials),) = ledger.read_all()
    assert trials.count == 15


def test_the_default_ledger_belongs_to_the_project(tmp_path, monkeypatch):
    """It is found from any folder of the project; outside one nothing is counted."""
    monkeypatch.delenv("STA410_LEDGER")
    monkeypatch.chdir(tmp_path)
    for found in (Ledger.of_project().record_predictions(made()), Ledger.of_project().read(made())):
        assert (found.count, "this is no project" in found.problem) == (0, True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert Ledger.of_project().record_predictions(made()).count == 1
    assert (tmp_path / "runs" / "trials.sqlite").is_file()
    monkeypatch.setenv("STA410_LEDGER", "other.sqlite")
    assert Ledger.of_project().path == Path("other.sqlite")


def test_a_ledger_that_cannot_be_written_is_still_read(ledger, monkeypatch):
    """The recorded trials count, the new one does not, and the reason is given."""
    ledger.record_predictions(made())
    connect = sqlite3.connect

    def read_only(path, **options):
        return connect(path if options.get("uri") else f"file:{path}?mode=ro", **{**options, "uri": True})

    monkeypatch.setattr(sqlite3, "connect", read_only)
    found = ledger.record_predictions(made(seed=1))
    assert found.count == 1
    assert not found.returns().empty
    assert "readonly database), so this trial is not counted" in found.problem


def test_an_unusable_file_is_reported_and_not_modified(tmp_path):
    """A file that is no database, of a newer schema, or where the folder should be is left as it is."""
    ledger = Ledger(tmp_path / "trials.sqlite")
    ledger.path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    assert "file is not a database" in ledger.record_predictions(made()).problem
    assert "cannot be read (file is not a database)" in ledger.read(made()).problem
    with pytest.raises(DataLoadingError, match="Move it away"):
        ledger.read_all()
    assert ledger.path.read_bytes().startswith(b"not a database")
    with pytest.raises(DataLoadingError, match="not a readable trials ledger"):
        Ledger(tmp_path).read_all()
    newer = Ledger(tmp_path / "newer.sqlite")
    with closing(sqlite3.connect(newer.path)) as connection:
        connection.execute("PRAGMA user_version = 3")
    assert "written by a newer version of the kit" in newer.record_predictions(made()).problem
    nowhere = Ledger(ledger.path / "trials.sqlite").record_predictions(made())
    assert nowhere.count == 0
    assert "so this trial is not counted" in nowhere.problem


def test_damaged_returns_are_dropped(ledger):
    """Bytes that SQLite does not look into may be damaged; the count remains."""
    found = ledger.record_predictions(made())
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.executescript("DROP TRIGGER no_update; UPDATE trials SET returns = x'00010203ff'")
    assert found.returns().empty
    assert ledger.read(made()).count == 1


def test_a_ledger_can_be_copied_as_it_was(ledger, tmp_path):
    """Trials recorded after a moment are not in the copy, which is append-only too."""
    ledger.record_predictions(made())
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.executescript(
            "DROP TRIGGER no_update; UPDATE trials SET recorded = '2020-01-02T10:00:00Z';"
        )
    ledger.record_predictions(made(seed=1))
    moment = datetime(2020, 1, 2, 10, tzinfo=UTC)  # the second itself counts
    copy = Ledger(ledger.copy_as_of(moment, tmp_path / "copy.sqlite"))
    assert (copy.read(made()).count, ledger.read(made()).count) == (1, 2)
    with closing(sqlite3.connect(copy.path)) as held, pytest.raises(sqlite3.IntegrityError, match="append"):
        held.execute("DELETE FROM trials")
    missing = Ledger(tmp_path / "none.sqlite")
    assert Ledger(missing.copy_as_of(moment, tmp_path / "empty.sqlite")).record_predictions(made()).count == 1
    assert not missing.path.exists()


def test_a_verdict_counts_the_same_in_a_copy_up_to_its_newest_trial(ledger, tmp_path):
    """Three later models change neither count nor p value there, and are named beside the verdict."""
    ledger.record_predictions(made(seed=7))
    verdict = assess_skill(made(), ledger=ledger)
    evidence = asdict(verdict.evidence)
    assert (evidence["trials"], evidence["newest_trial"]) == (2, 2)
    ledger.record_backtest(made(), followed(made()))  # of a forecast that is counted already
    assert assess_skill(made(), ledger=ledger).evidence == verdict.evidence
    assert ledger.recounted(evidence) == ""
    for seed in (1, 2, 3):
        ledger.record_predictions(made(seed=seed))
    assert assess_skill(made(), ledger=ledger).evidence.trials == 5
    now = datetime.now(UTC)
    copy = Ledger(ledger.copy_as_of(now, tmp_path / "copy.sqlite", evidence["newest_trial"]))
    assert assess_skill(made(), ledger=copy).evidence == verdict.evidence
    assert [trial.kind for trial in copy.read(made()).trials] == ["skill", "skill", "backtest"]
    p_value = max(evidence["p_value"], at_least_once(evidence["p_information"], 5))
    assert ledger.recounted(evidence) == (
        f"Since then 3 forecasts of the same outcomes were tried: p = {p_value:.3f} after 5 trials."
    )
    assert Ledger(tmp_path / "none.sqlite").recounted(evidence) == ""
    assert ledger.recounted({}) == ""


def test_returns_survive_packing_in_any_order():
    """Dates come back in order, values to seven digits; none at all stay none."""
    dates = pd.DatetimeIndex(["2001-02-03", "1999-12-31", "2000-02-29"])
    back = unpack(pack(pd.Series([0.1, -0.2, 0.3], dates)))
    assert back.index.strftime("%Y-%m-%d").tolist() == ["1999-12-31", "2000-02-29", "2001-02-03"]
    assert back.to_numpy() == pytest.approx([-0.2, 0.3, 0.1], rel=1e-6)
    assert unpack(pack(pd.Series([], pd.DatetimeIndex([]), dtype=float))).empty


@pytest.mark.parametrize("returns", [[], [0.01], [0.01, 0.01001], [0.01, 0.01001, np.nan]])
def test_fewer_than_three_returns_have_no_sharpe_ratio(returns):
    """Two returns that are close by chance would have a ratio of a thousand."""
    assert sharpe_of(pd.Series(returns, dtype=float)) is None


def test_constant_returns_have_no_sharpe_ratio():
    """Rounding errors are no deviation."""
    closes = pd.Series(100 * 1.001 ** np.arange(300))
    assert sharpe_of(closes.pct_change().dropna()) is None
    assert sharpe_of(pd.Series([0.01, -0.01, 0.02])) == pytest.approx(0.4364357804719848)


def test_the_same_predictions_of_another_target_are_another_trial_of_the_same_count(ledger):
    """Choosing the target by its result is choosing the luckiest; a rank has no returns."""
    frame = made()
    ledger.record_predictions(frame)
    trials = ledger.record_predictions(frame.assign(target="rank"))
    assert [trial.model for trial in trials.trials] == ["ridge", "ridge, rank"]
    assert (trials.count, trials.trials[1].sharpe) == (2, None)
    assert ledger.record_predictions(frame.assign(target="close_to_close")).count == 2
