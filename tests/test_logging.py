"""Logging: where messages go, what is kept out of them, and several processes at once."""

import json
import logging as standard
import os
import re
import subprocess
import sys
import warnings
from datetime import UTC, datetime

import pytest
from filelock import FileLock
from loguru import logger

from sta410kit import config as config_module
from sta410kit import logging as kit_logging
from sta410kit._internal import redaction
from sta410kit._internal.secret_type import Secret
from sta410kit.config import Config, LoggingConfig
from sta410kit.exceptions import ConfigurationError, ConfigurationWarning
from sta410kit.logging import log_execution_time, log_function_call, setup_logger

pytestmark = pytest.mark.unit

SECRET = "h8Kd02LmQz71XvBn55Ty"  # pragma: allowlist secret


@pytest.fixture
def logs(monkeypatch, tmp_path):
    """Log into an own folder, and put everything back afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kit_logging, "_installed", None)
    monkeypatch.setattr(kit_logging, "_least", {})
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    configure(monkeypatch)
    redaction.register(SECRET)
    root = standard.getLogger()
    level = root.level
    yield tmp_path / "logs"
    root.setLevel(level)
    root.removeHandler(kit_logging._handler)
    while kit_logging._sinks:
        logger.remove(kit_logging._sinks.pop())


def configure(monkeypatch, **settings):
    config = Config(logging=LoggingConfig(**settings))
    monkeypatch.setattr(config_module, "_current", config_module._Current(config, None))


def fail(text):
    raise ValueError(text)


def written(logs, stem="sta410"):
    (path,) = [
        path for path in logs.glob(f"{stem}_*.log") if re.fullmatch(rf"{stem}_\d{{8}}\.log", path.name)
    ]
    return path.read_text(encoding="utf-8")


def test_messages_reach_console_and_file_once(logs, capsys):
    """Setting up twice doubles nothing; each line has time, level, process, name and text."""
    setup_logger("reader")
    setup_logger("reader").info("{} rows", 12154)
    console = capsys.readouterr().err
    assert console == written(logs)
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}} \| INFO     \| {os.getpid()} \| reader:test_mess\w+:\d+"
        r" - 12154 rows\n",
        console,
    )
    assert (logs / f"sta410_{datetime.now(UTC).astimezone():%Y%m%d}.log").is_file()


def test_errors_have_a_file_of_their_own(logs):
    """ERROR and above go to both files, the rest to one."""
    log = setup_logger("x")
    log.warning("one")
    log.error("two")
    log.critical("three")
    assert [line.split(" - ")[1] for line in written(logs).splitlines()] == ["one", "two", "three"]
    assert [line.split(" - ")[1] for line in written(logs, "sta410_errors").splitlines()] == ["two", "three"]


@pytest.mark.usefixtures("logs")
def test_each_logger_has_its_own_level(capsys):
    """A level in any case holds for the logger of that name; the others follow LOG_LEVEL."""
    setup_logger("loud", "debug").debug("heard")
    setup_logger("quiet", "ERROR").warning("not heard")
    setup_logger("usual").debug("not heard")
    setup_logger("usual").info("heard too")
    logger.info("without a name")
    assert [line.split(" - ")[1] for line in capsys.readouterr().err.splitlines()] == [
        "heard",
        "heard too",
        "without a name",
    ]


@pytest.mark.usefixtures("logs")
def test_an_unknown_level_is_refused():
    """The refusal names the levels there are."""
    with pytest.raises(ConfigurationError, match="level: got 'LOUD'; takes DEBUG, INFO"):
        setup_logger("x", "loud")


def test_a_new_configuration_replaces_the_sinks(logs, monkeypatch, capsys):
    """Changing the folder moves the files; the console still shows each line once."""
    setup_logger("x").info("first")
    configure(monkeypatch, log_dir=str(logs.parent / "other"), level="WARNING")
    setup_logger("x").warning("second")
    assert "second" not in written(logs)
    assert written(logs.parent / "other").endswith("- second\n")
    assert capsys.readouterr().err.count("second") == 1


def test_sinks_of_others_stay(logs):
    """A sink that another library has added keeps getting messages, also after loguru's own is gone."""
    heard = []
    own = logger.add(heard.append, format="{message}")
    try:
        setup_logger("x").info("hello")
    finally:
        logger.remove(own)
    assert heard == ["hello\n"]
    assert "hello" in written(logs)


def test_secrets_are_redacted_everywhere(logs, capsys):
    """Messages, tracebacks and records of libraries hide a registered value in every sink."""
    log = setup_logger("x")
    text = f"key {SECRET}"
    log.info(text)
    try:
        int(SECRET)
    except ValueError:
        log.exception("failed")
    standard.getLogger("library").error("uses %s", SECRET)
    warnings.showwarning(f"old key {SECRET}", UserWarning, "cell.py", 7)
    shown = [capsys.readouterr().err, written(logs), written(logs, "sta410_errors")]
    assert not any(SECRET in text for text in shown)
    assert "ValueError: invalid literal for int() with base 10: '***'" in shown[2]
    assert shown[0].count("***") == 4


def test_a_traceback_shows_no_values_of_variables(logs):
    """What stood in a variable is not written down."""
    log = setup_logger("x")
    private = "unregistered-account-number"
    try:
        _ = len(private) / 0
    except ZeroDivisionError:
        log.exception("failed")
    assert "ZeroDivisionError" in written(logs, "sta410_errors")
    assert "unregistered-account-number" not in written(logs, "sta410_errors")


def test_library_records_arrive_with_their_own_place(logs):
    """Name, level, function and exception of the standard library's record are kept."""
    setup_logger("x")
    log = standard.getLogger("library.part")
    log.info("%d rows", 3)
    log.debug("not wanted")
    log.log(25, "between")
    misfit = standard.LogRecord("library", standard.INFO, __file__, 1, "%d rows", ("three",), None)
    kit_logging._handler.handle(misfit)  # pytest's own handler would raise
    try:
        _ = {}["missing"]
    except KeyError:
        log.exception("failed")
    lines = written(logs).splitlines()
    assert "| INFO     |" in lines[0]
    assert "| library.part:test_library_records_arrive_with_their_own_place:" in lines[0]
    assert lines[0].endswith(" - 3 rows")
    assert "| Level 25 |" in lines[1]
    assert lines[2].endswith("%d rows (the arguments of this message do not fit it: TypeError)")
    assert "KeyError: 'missing'" in lines[-1]
    assert not any("not wanted" in line for line in lines)


def test_the_root_level_is_lowered_and_never_raised(logs, monkeypatch):
    """Others' handlers keep what they got before."""
    root = standard.getLogger()
    root.setLevel(standard.DEBUG)
    setup_logger("x")
    assert root.level == standard.DEBUG
    root.setLevel(standard.WARNING)
    configure(monkeypatch, log_dir=str(logs), level="INFO")
    setup_logger("x")
    assert root.level == standard.INFO


def test_warnings_are_routed_and_never_lost(logs, capsys, monkeypatch):
    """A warning becomes a log line; one that the level would drop is shown as Python shows it."""
    filters = list(warnings.filters)
    setup_logger("x")
    warnings.showwarning("careful", UserWarning, "cell.py", 7)
    assert "| WARNING  |" in written(logs)
    assert "warnings:UserWarning:7 - careful (cell.py:7)" in written(logs)
    configure(monkeypatch, level="ERROR")
    setup_logger("x")
    capsys.readouterr()
    warnings.showwarning(f"quiet {SECRET}", UserWarning, "cell.py", 8)
    assert capsys.readouterr().err == "cell.py:8: UserWarning: quiet ***\n"
    monkeypatch.setattr(sys, "stderr", None)
    warnings.showwarning("no stream", UserWarning, "cell.py", 9)
    assert warnings.filters == filters


def test_a_warning_for_a_file_goes_there(logs, tmp_path):
    """Whoever asks for a warning in a file gets it in that file."""
    setup_logger("x")
    with (tmp_path / "mine.txt").open("w") as file:
        warnings.showwarning("careful", UserWarning, "cell.py", 7, file, "x = 1")
    assert (tmp_path / "mine.txt").read_text() == "cell.py:7: UserWarning: careful\n  x = 1\n"
    assert not list(logs.glob("sta410_2*.log"))


def test_json_lines(logs, monkeypatch):
    """Each line is one object, redacted before it is spelt as JSON."""
    configure(monkeypatch, json_lines=True)
    quoted = 'pass"word\\with\nall'
    redaction.register(quoted)

    class Broken:
        def __str__(self):
            message = "no"
            raise RuntimeError(message)

    log = setup_logger("x").bind(
        run="r1", rows=3, key=Secret(SECRET), broken=Broken(), level="mine", none=None
    )
    text = f"key {SECRET} and {quoted}"
    log.info(text)
    try:
        fail(quoted)
    except ValueError:
        log.exception("line\nbreak")
    first, second = [json.loads(line) for line in written(logs).splitlines()]
    assert (first["message"], first["level"], first["logger"]) == ("key *** and ***", "INFO", "x")
    assert (first["run"], first["rows"], first["key"], first["none"]) == ("r1", 3, "**********", None)
    assert first["broken"] == "<Broken, whose str raises RuntimeError>"
    assert first["process"] == os.getpid()
    assert first["function"] == "test_json_lines"
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert second["message"] == "line\nbreak"
    assert second["exception"].endswith("ValueError: ***\n")


def test_rotation_by_size(logs, monkeypatch):
    """Full files are set aside up to the number configured; the oldest go."""
    configure(monkeypatch, max_file_size=300, backup_count=2)
    log = setup_logger("x")
    for number in range(20):
        text = f"message number {number:04}"
        log.info(text)
    files = sorted(logs.glob("sta410_2*"), key=lambda path: path.name)
    assert [path.name.partition(".log")[2] for path in files] == ["", ".1", ".2"]
    assert all(path.stat().st_size <= 300 for path in files)
    kept = re.findall(r"number (\d{4})", "".join(path.read_text() for path in reversed(files)))
    assert kept == [f"{number:04}" for number in range(20 - len(kept), 20)]
    assert len(kept) >= 4


def test_rotation_without_backups_and_with_a_message_too_large(logs, monkeypatch):
    """With no backups the file starts anew; a message larger than a file is written whole."""
    configure(monkeypatch, max_file_size=10, backup_count=0)
    log = setup_logger("x")
    log.info("first")
    log.info("second")
    assert written(logs).count("\n") == 1
    assert "second" in written(logs)
    assert [path.name for path in logs.glob("sta410_2*.log.*")] == []


def test_a_log_folder_that_cannot_be_written_is_warned_of(logs, monkeypatch, capsys):
    """Messages then go to the console only; the work goes on."""
    logs.write_text("a file where the folder should be")
    with pytest.warns(
        ConfigurationWarning, match=r"LOG_DIR: .*logs cannot be written \(.*\); logging to the console"
    ):
        log = setup_logger("x")
    log.info("still here")
    assert "still here" in capsys.readouterr().err
    setup_logger("x")  # once for each configuration
    monkeypatch.setattr(kit_logging, "_installed", None)
    with pytest.warns(ConfigurationWarning):
        setup_logger("x")


def test_a_disk_that_fails_later_is_reported_once(logs, capsys, monkeypatch):
    """The first lost line is reported on the console, and writing is tried again each time."""
    log = setup_logger("x")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(FileLock, "acquire", fail)
        log.info("one")
        log.info("two")
        assert capsys.readouterr().err.count("cannot be logged to (No space left on device)") == 1
        full.setattr(sys, "stderr", None)
        log.error("three")
    log.info("four")
    assert [line.split(" - ")[1] for line in written(logs).splitlines()] == ["four"]
    monkeypatch.setattr(FileLock, "acquire", fail)
    capsys.readouterr()
    log.info("five")  # it had been mended meanwhile, so this is news
    assert capsys.readouterr().err.count("cannot be logged to") == 1


def test_a_closed_console_does_not_stop_the_work(logs, monkeypatch, tmp_path):
    """The files still get the message."""
    log = setup_logger("x")
    closed = (tmp_path / "closed").open("w")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    log.info("still written")
    assert "still written" in written(logs)


WRITER = """
import sys
from sta410kit.config import Config, LoggingConfig, set_config
from sta410kit.logging import setup_logger
set_config(Config(logging=LoggingConfig(log_dir=sys.argv[1], max_file_size=4000, backup_count=500)))
log = setup_logger("writer")
for number in range(150):
    log.info("from {} number {:03} {}", sys.argv[2], number, "x" * (number % 60))
"""


@pytest.mark.integration
def test_several_processes_lose_and_tear_no_line(tmp_path):
    """Four processes write through many rotations; every line is there, once and whole."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], stderr=subprocess.DEVNULL)
        for name in "abcd"
    ]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0, 0, 0]
    files = list(tmp_path.glob("sta410_2*"))
    assert len(files) > 10
    assert all(path.stat().st_size <= 4000 for path in files)
    lines = "".join(path.read_text() for path in files).splitlines()
    seen = [re.search(r" - from (\w) number (\d{3}) (x*)$", line) for line in lines]
    assert all(seen)
    assert all(len(match[3]) == int(match[2]) % 60 for match in seen)
    expected = {(name, f"{number:03}") for name in "abcd" for number in range(150)}
    assert sorted((match[1], match[2]) for match in seen) == sorted(expected)


def messages(capsys):
    return [line.split(" - ", 1)[1] for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("logs")
def test_calls_are_logged_with_arguments_and_result(capsys):
    """With and without parentheses; arguments are shortened and redacted, credentials by name too."""
    setup_logger(__name__, "DEBUG")

    @log_function_call
    def fetch(symbol, api_key, *rest, **options):  # noqa: ARG001 - only shown
        return [symbol]

    @log_function_call(level="INFO")
    def nothing():
        """Do nothing."""

    assert fetch("IBM", "never-shown", SECRET, password="hush", nested={"token": "hush", 1: 2}) == ["IBM"]
    assert nothing() is None
    assert nothing.__doc__ == "Do nothing."
    name = "test_calls_are_logged_with_arguments_and_result.<locals>."
    arguments = "symbol='IBM', api_key=***, rest=('***',)"
    options = "{'nested': {'token': ***, 1: 2}, 'password': ***}"
    assert messages(capsys) == [
        f"{name}fetch called with {arguments}, options={options}",
        f"{name}fetch returned ['IBM']",
        f"{name}nothing called with nothing",
        f"{name}nothing returned None",
    ]


@pytest.mark.usefixtures("logs")
def test_what_a_call_raises_is_logged_and_raised(capsys):
    """The exception goes on; arguments that do not fit are shown as they came."""
    setup_logger(__name__, "DEBUG")

    @log_function_call
    def fail(x):
        message = f"cannot {SECRET} {x}"
        raise ValueError(message)

    with pytest.raises(ValueError, match="cannot"):
        fail(1)
    with pytest.raises(TypeError):
        fail(1, 2)
    lines = [
        text.replace("test_what_a_call_raises_is_logged_and_raised.<locals>.", "")
        for text in messages(capsys)
    ]
    assert lines[:3] == [
        "fail called with x=1",
        "fail raised ValueError('cannot *** 1')",
        "fail called with args=(1, 2), kwargs={}",
    ]


@pytest.mark.usefixtures("logs")
def test_arguments_of_any_kind_are_shown_briefly(capsys):
    """Tables by their shape, long texts cut after redaction, broken ones by their class."""
    setup_logger(__name__, "DEBUG")

    class Table:
        shape = (12154, 9)

    class Broken:
        def __repr__(self):
            message = "no"
            raise RuntimeError(message)

    class Long:
        def __repr__(self):
            return "y" * 500

    @log_function_call
    def take(*values):
        return len(values)

    assert take(Table(), Broken(), Long(), "z" * 70 + SECRET + "z" * 70, 3.5) == 5
    line = messages(capsys)[0]
    assert "<Table 12154x9>" in line
    assert "<Broken, whose repr raises RuntimeError>" in line
    assert f"{'y' * 80}..." in line
    assert SECRET[:6] not in line
    assert SECRET[-6:] not in line
    assert line.endswith("3.5)")


def test_time_is_logged_in_all_three_ways(logs):
    """Bare, with a threshold, and as a block; past the threshold it is a warning."""
    setup_logger(__name__, "DEBUG")

    @log_execution_time
    def quick():
        return 1

    @log_execution_time("slow part", threshold=0)
    def slow(depth):
        return slow(depth - 1) if depth else 0

    assert quick() == 1
    assert slow(1) == 0
    timer = log_execution_time("block", threshold=0)
    with timer, timer:
        pass

    def fail():
        with log_execution_time("failing", threshold=9):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    lines = [
        re.sub(r"^.*?\| (\w+) .* - (.*?) took [\d.]+ s", r"\1 \2", line)
        for line in written(logs).splitlines()
    ]
    assert [re.sub(r"test_\w+\.<locals>\.", "", line) for line in lines] == [
        "DEBUG quick",
        "WARNING slow part, longer than 0 s",
        "WARNING slow part, longer than 0 s",
        "WARNING block, longer than 0 s",
        "WARNING block, longer than 0 s",
        "DEBUG failing",
    ]
