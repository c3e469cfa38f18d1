"""One logger for the kit: console, daily files, and the log records and warnings of libraries.

    >>> from sta410kit.logging import setup_logger
    >>> log = setup_logger(__name__)
    >>> log.info("{} rows read", 12154)

Everything passes through `sta410kit._internal.redaction` on its way out, tracebacks included.
"""

import logging
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from loguru import logger

from sta410kit._internal.log_calls import log_execution_time, log_function_call, logger_at
from sta410kit._internal.log_files import DailyFile, prepare
from sta410kit._internal.project import project_folder
from sta410kit._internal.redaction import redact
from sta410kit.config import LoggingConfig, get_config
from sta410kit.exceptions import ConfigurationWarning

if TYPE_CHECKING:
    from loguru import Logger, Message, Record

__all__ = ["log_execution_time", "log_function_call", "setup_logger"]

_LINE = (
    "{{time:YYYY-MM-DD HH:mm:ss.SSS}} | {{level: <8}} | {{process}} | {}:{{function}}:{{line}} - {{message}}"
    "\n{{exception}}"
)

_lock = threading.Lock()
# The sinks of this module and what they were made for; sinks of others are not touched.
_installed: tuple[LoggingConfig, Path] | None = None
_sinks: list[int] = []
# The least severity that each named logger lets through; "" is for all others.
_least: dict[str, int] = {}


def setup_logger(name: str, log_level: str | None = None) -> "Logger":
    """Return the logger called `name`, and make sure that messages go where the configuration says.

    The sinks are the console (standard error), ``sta410_YYYYMMDD.log`` and, for ERROR and above,
    ``sta410_errors_YYYYMMDD.log`` in ``LOG_DIR``. Log records of the standard library and Python warnings
    arrive there too. Warning filters stay as they are, and a warning that the level would drop is shown the
    way Python shows it. Calling this again adds nothing, from any thread.

    Parameters
    ----------
    name : str
        Shown in each line; usually ``__name__``.
    log_level : str, optional
        Least severe message of this logger, in any case; ``LOG_LEVEL`` when omitted.

    Raises
    ------
    ConfigurationError
        `log_level` is not DEBUG, INFO, WARNING, ERROR or CRITICAL; or the configuration is wrong.

    Warns
    -----
    ConfigurationWarning
        The log folder cannot be written; messages then go to the console only, because a night's work
        should not be lost for its log.
    """
    config = get_config().logging
    level = config.level if log_level is None else LoggingConfig(level=cast("Any", log_level)).level
    folder = project_folder() / config.log_dir
    with _lock:
        _least[""] = logger.level(config.level).no
        _least[name] = logger.level(level).no
        problem = _install(config, folder)
        _route_library_records()
    if problem is not None:
        message = f"LOG_DIR: {folder} cannot be written ({problem.strerror}); logging to the console only."
        warnings.warn(message, ConfigurationWarning, stacklevel=2)
    # Again each time: leaving a catch_warnings() block puts the old one back.
    warnings.showwarning = _show_warning
    return logger.bind(logger=name)


def _install(config: LoggingConfig, folder: Path) -> OSError | None:
    """Put the sinks in place, once for each configuration; return why there are no files, if so."""
    global _installed  # noqa: PLW0603 - loguru has one set of sinks a process, and so has this module
    if _installed == (config, folder):
        return None
    if _installed is None:
        with suppress(ValueError):  # removed already
            logger.remove(0)  # loguru's own sink would show every line a second time, not redacted
    while _sinks:
        logger.remove(_sinks.pop())
    _add(_console)
    problem = prepare(folder)
    if problem is None:
        keep = partial(
            DailyFile,
            folder,
            max_size=config.max_file_size,
            backups=config.backup_count,
            json_lines=config.json_lines,
        )
        _add(keep("sta410"))
        _add(keep("sta410_errors"), "ERROR")
    _installed = (config, folder)
    return problem


def _add(sink: "Callable[[Message], None]", level: str | int = 0) -> None:
    # diagnose would print the values of variables into tracebacks, secrets among them.
    _sinks.append(
        logger.add(sink, level=level, format=_line, filter=_wanted, backtrace=False, diagnose=False)
    )


def _line(record: "Record") -> str:
    return _LINE.format("{extra[logger]}" if "logger" in record["extra"] else "{name}")


def _wanted(record: "Record") -> bool:
    name = str(record["extra"].get("logger", record["name"]))
    return record["level"].no >= _least.get(name, _least[""])


def _console(message: "Message") -> None:
    # Looked up each time: notebooks and tests put their own stream there. A closed one loses nothing but the
    # console's copy, and a log line is no reason to end the work.
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.write(redact(message))


class _ToLoguru(logging.Handler):
    """Forwards records of the standard library as if they had been logged here."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001 - a library's faulty log call must not stop the work
            text = f"{record.msg!s} (the arguments of this message do not fit it: {type(error).__name__})"
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:  # a level of the library's own
            level = max(record.levelno, 0)
        here = logger_at(record.name, record.funcName or "?", record.lineno)
        here.opt(exception=record.exc_info).log(level, "{}", text)


_handler = _ToLoguru()


def _route_library_records() -> None:
    root = logging.getLogger()
    if _handler not in root.handlers:
        root.addHandler(_handler)
    # Lowered so that what is wanted arrives here; never raised, which would hide it from other handlers.
    root.setLevel(min(root.level, *_least.values()))


def _show_warning(  # noqa: PLR0913, PLR0917 - the signature of warnings.showwarning
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if file is None and logger.level("WARNING").no >= _least[""]:
        logger_at("warnings", category.__name__, lineno).warning("{} ({}:{})", message, filename, lineno)
        return
    stream = file or sys.stderr
    if stream is not None:
        stream.write(redact(warnings.formatwarning(message, category, filename, lineno, line)))
