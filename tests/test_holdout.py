"""The sealed holdout: what is open, for how long, and a record that cannot be changed unnoticed."""

import getpass
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sta410kit import holdout
from sta410kit._internal import checkout
from sta410kit._internal.redaction import register
from sta410kit.config import Config, ModelConfig, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.holdout import RECORD, current_seal, unseal, unsealings

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("project")]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Stand in a project whose holdout begins with 2012."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    starting(date(2012, 1, 1))
    yield tmp_path
    set_config(None)


def starting(day):
    set_config(Config(model=ModelConfig(holdout_start=day)))


@pytest.fixture
def clock(monkeypatch):
    """Give a clock that can be put forward."""

    class Clock(datetime):
        ahead = timedelta(0)

        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 5, 1, 12, tzinfo=tz) + cls.ahead

    monkeypatch.setattr(holdout, "datetime", Clock)
    return Clock


def test_without_a_setting_nothing_is_sealed(project):
    """The default: everything loads, and there is nothing to open."""
    starting(None)
    assert (current_seal().closed, current_seal().state) == (False, "none")
    with pytest.raises(ConfigurationError, match="HOLDOUT_START is not set"):
        unseal("a look")
    assert not (project / RECORD).exists()


def test_it_is_sealed_until_it_is_opened_and_again_afterwards(clock):
    """An unsealing lasts for its hours and no longer; to the millisecond."""
    assert (current_seal().closed, current_seal().state) == (True, "sealed from 2012-01-01")
    unseal("is ridge better than naive?", 2)
    for ahead, opened in ((0, True), (7199.999, True), (7200, False), (-0.001, False)):
        clock.ahead = timedelta(seconds=ahead)
        assert current_seal().closed is not opened
        assert current_seal().state == f"{'open' if opened else 'sealed'} from 2012-01-01"


@pytest.mark.usefixtures("clock")
def test_the_record_says_who_when_why_and_what(project):
    """One line of JSON each, in the project folder; blanks in the reason are made one."""
    subprocess.run(["git", "init", "-q", project], check=True)
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", project, *identity, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    commit = subprocess.check_output(["git", "-C", project, "rev-parse", "HEAD"], text=True).strip()
    one = unseal("  final \n look ", 0.5)
    assert unsealings() == [one]
    (line,) = (project / RECORD).read_text().splitlines()
    assert json.loads(line) == {
        "at": "2026-05-01T12:00:00.000+00:00",
        "until": "2026-05-01T12:30:00.000+00:00",
        "who": getpass.getuser(),
        "host": one.host,
        "why": "final look",
        "commit": commit,
        "holdout_start": "2012-01-01",
        "previous": "",
    }
    assert unseal("again").previous != ""


def test_an_unsealing_opens_what_it_names():
    """Another, earlier holdout stays closed; a later one lies inside what was opened."""
    unseal("look")
    starting(date(2011, 1, 1))
    assert current_seal().closed
    starting(date(2013, 1, 1))
    assert not current_seal().closed


@pytest.mark.parametrize("hours", [0, -1, 169, float("nan"), float("inf")])
def test_hours_are_bounded(hours):
    """At most a week: an open end would be no seal."""
    with pytest.raises(ConfigurationError, match=r"--hours is .*above 0 and at most 168"):
        unseal("look", hours)


def test_a_week_is_the_longest(clock):
    """To the last hour; of two unsealings that are open, the later one is named."""
    unseal("a whole week", 168)
    clock.ahead = timedelta(hours=1)
    last = unseal("an hour more", 1)
    assert current_seal().opened == last
    clock.ahead = timedelta(hours=167)
    assert current_seal().opened.why == "a whole week"


def test_a_secret_in_the_reason_is_not_recorded(project):
    """The record is committed like code."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    register(secret)
    assert unseal(f"does {secret} work?").why == "does *** work?"
    assert secret not in (project / RECORD).read_text()


@pytest.mark.parametrize("why", ["", " \n"])
def test_a_reason_is_needed(why):
    """An empty one is none."""
    with pytest.raises(ConfigurationError, match="--why is empty"):
        unseal(why)


def damage(lines, how):
    if how == "changed":
        return [lines[0].replace("first", "worst"), *lines[1:]]
    if how in {"longer", "never"}:  # the last line, which none behind it tells of
        at = json.loads(lines[2])["at"]
        until = at if how == "never" else "2099-01-01T00:00:00.000+00:00"
        return [*lines[:2], json.dumps(json.loads(lines[2]) | {"until": until})]
    return {"taken out": [lines[0], lines[2]], "no JSON": [*lines, "{"], "other keys": [*lines, "{}"]}[how]


@pytest.mark.parametrize(
    ("how", "number"),
    [("changed", 2), ("taken out", 2), ("no JSON", 4), ("other keys", 4), ("longer", 3), ("never", 3)],
)
def test_an_altered_record_is_noticed_and_nothing_opens(project, how, number):
    """The line is named, and how to get the record back; no other line is added behind it."""
    for why in ("first", "second", "third"):
        unseal(why)
    lines = damage((project / RECORD).read_text().splitlines(), how)
    (project / RECORD).write_text("\n".join(lines) + "\n")
    for action in (unsealings, current_seal, lambda: unseal("fourth")):
        with pytest.raises(ConfigurationError, match=rf"line {number}: the record .* altered .*git checkout"):
            action()
    assert (project / RECORD).read_text().splitlines() == lines


def test_a_missing_end_of_line_loses_nothing(project):
    """An editor may have taken it."""
    unseal("first")
    path = project / RECORD
    path.write_bytes(path.read_bytes().rstrip())
    unseal("second")
    assert [one.why for one in unsealings()] == ["first", "second"]


def test_unsealings_at_the_same_time_are_all_recorded():
    """Each line holds the digest of the one before, by any writer."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: unseal(f"look {number}"), range(24)))
    assert sorted(one.why for one in unsealings()) == sorted(f"look {number}" for number in range(24))


def test_a_record_that_cannot_be_written_or_read_is_an_error(project):
    """Nothing is opened without a record."""
    (project / RECORD).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        unseal("look")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        unsealings()


def test_a_user_without_a_name_and_a_machine_without_git(monkeypatch):
    """Containers have such; the unsealing is recorded all the same."""

    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr(checkout.getpass, "getuser", refuse)
    monkeypatch.setattr(checkout.subprocess, "run", refuse)
    one = unseal("look", folder=Path.cwd())
    assert (one.who, one.commit) == ("unknown", "")
    assert current_seal(Path.cwd()).opened == one
    assert datetime.fromisoformat(one.at) <= datetime.now(UTC)
