"""Schedules: once a session, by the exchange's calendar."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from sta410kit.cli.entry import cli
from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.schedules import FileRecord, due, read_schedule, read_schedules

pytestmark = pytest.mark.unit


@pytest.fixture
def nightly(tmp_path):
    """Ask whether the run is due at a moment of November 2024; New York closes at 21:00 UTC."""
    (tmp_path / "schedules.toml").write_text('[nightly]\nafter = "30m"\nmax_age = "20h"\n', encoding="utf-8")
    name, schedule = read_schedule(tmp_path)
    return lambda *when: due(FileRecord(tmp_path), name, schedule, datetime(2024, 11, *when, tzinfo=UTC))


def test_a_run_is_due_once_the_session_has_closed_and_vendors_had_time(nightly):
    """Tuesday 26 November closes at 21:00 UTC; with 30 minutes for vendors it is due at 21:30."""
    assert nightly(26, 21, 29).session == "2024-11-25"
    assert nightly(26, 21, 30) == ("2024-11-26", "2024-11-26 closed 0.5 h ago", True, False)


def test_a_holiday_and_a_half_day_follow_the_calendar(nightly):
    """Thanksgiving has no session; the Friday after it closes at 18:00 UTC."""
    assert nightly(28, 22).session == "2024-11-27"
    assert nightly(29, 18, 30).session == "2024-11-29"
    assert nightly(30, 12).session == "2024-11-29"


def test_a_passed_run_covers_its_session_only(nightly, tmp_path):
    """The next session is due again."""
    FileRecord(tmp_path).note_passed("nightly", "2024-11-26", "run-1")
    assert nightly(26, 22) == ("2024-11-26", "2024-11-26 is done by run run-1", False, False)
    found = nightly(27, 22)
    assert (found.due, found.reason) == (True, "2024-11-27 closed 1.0 h ago, the last run was for 2024-11-26")


def test_a_night_missed_for_too_long_is_not_made_up_for(nightly):
    """20 hours after it was due, at 17:30 UTC of the next day, Tuesday's run is missed."""
    assert nightly(27, 17, 30).due
    assert nightly(27, 17, 31) == ("2024-11-26", "2024-11-26 was missed: it closed 20.5 h ago", False, True)


def test_only_one_process_holds_a_schedule(tmp_path):
    """The second is told so, and may run after the first."""
    one, two = (FileRecord(tmp_path).lease("nightly", "2024-11-26") for _ in range(2))
    with one as first, two as second:
        assert (first, second) == (True, False)
    with FileRecord(tmp_path).lease("nightly", "2024-11-26") as again:
        assert again


@pytest.mark.parametrize(
    ("text", "asked", "message"),
    [
        ("", "", "Name one of its schedules. It declares: none"),
        ("[nightly]\n[weekly]", "", "It declares: nightly, weekly"),
        ("[nightly]", "nihgtly", "Did you mean 'nightly'?"),
        ('[nightly]\nafter = "soon"', "", "nightly.after: after takes something like 90, 15m, 2h or 30d"),
        ("[nightly]\nhour = 3", "", "nightly.hour: Extra inputs are not permitted"),
        ("[nightly", "", "cannot be read"),
    ],
)
def test_what_is_wrong_with_the_file_is_named(tmp_path, text, asked, message):
    """Each message begins with the path of the file."""
    (tmp_path / "schedules.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_schedule(tmp_path, asked)
    assert message in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "schedules.toml"))


@pytest.mark.parametrize("name", ["<img src=x onerror=1>", "../x", 'a"b', "", "L" * 65])
def test_a_name_that_could_be_a_path_or_a_tag_is_refused(tmp_path, name):
    """It would be part of a file's name and of messages; letters of any language may be."""
    (tmp_path / "schedules.toml").write_text(f"['{name}']\n['ŁÓDŹ 株-1']\n")
    assert read_schedule(tmp_path, "ŁÓDŹ 株-1")[0] == "ŁÓDŹ 株-1"
    with pytest.raises(ConfigurationError, match=r"schedules\.toml: .* is no name of a schedule: up to 64"):
        read_schedules(tmp_path)


def test_the_exit_code_of_due_tells_cron(project, monkeypatch):
    """0 when due and 12 when not; the run itself makes the difference."""
    monkeypatch.chdir(project)
    (project / "schedules.toml").write_text("[nightly]\nparameters = { start = 3 }\n", encoding="utf-8")

    def ask(*words):
        return CliRunner().invoke(cli, words, standalone_mode=False)

    assert ask("due").return_value == ExitCode.PASSED
    assert ask("run", "--schedule", "nightly").return_value == ExitCode.PASSED
    assert ask("due", "nightly").return_value == ExitCode.NOT_DUE
    second = ask("run", "--schedule", "nightly")
    assert (second.return_value, "is done by run" in second.output) == (ExitCode.NOT_DUE, True)
    assert isinstance(ask("run", "--schedule", "nightly", "-p", "start=4").exception, ConfigurationError)
