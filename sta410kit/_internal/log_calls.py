"""Log calls and how long they take; `sta410kit.logging` exports both decorators."""

import inspect
import re
import reprlib
import time
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

from loguru import logger

from sta410kit._internal.redaction import MASK, redact

if TYPE_CHECKING:
    from loguru import Logger, Record

P = ParamSpec("P")
T = TypeVar("T")

# Names of arguments whose values are never logged.
_SENSITIVE = re.compile(r"secret|password|passwd|token|api_?key|credential|authorization", re.IGNORECASE)


class _Hidden:
    def __repr__(self) -> str:
        return MASK


class _Brief(reprlib.Repr):
    """Short, redacted text for any value, cheap even for a large one."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80

    def repr_str(self, x: str, level: int) -> str:
        # Redacted first: shortening may cut a secret into a piece that no longer looks like it.
        return super().repr_str(redact(x), level)

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        hidden = {key: _Hidden() if _SENSITIVE.search(str(key)) else value for key, value in x.items()}
        return super().repr_dict(hidden, level)

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - reprlib's signature
        shape = getattr(x, "shape", None)
        if isinstance(shape, tuple):  # a table or an array: its text is long, and slow to make
            return f"<{type(x).__name__} {'x'.join(map(str, shape))}>"
        try:
            text = redact(repr(x))
        except Exception as error:  # noqa: BLE001 - a log line never fails for an argument's broken repr
            return f"<{type(x).__name__}, whose repr raises {type(error).__name__}>"
        return text if len(text) <= self.maxother else f"{text[: self.maxother]}..."


_brief = _Brief().repr


def logger_at(name: str, function: str, line: int) -> "Logger":
    """Return the logger as it would be at another place than the one that calls it."""

    def move(record: "Record") -> None:
        record["function"], record["line"] = function, line

    return logger.bind(logger=name).patch(move)


def _logger_of(function: Callable[..., object]) -> "Logger":
    first_line = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
    return logger_at(function.__module__, function.__qualname__, first_line)


@overload
def log_function_call(function: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def log_function_call(*, level: str = "DEBUG") -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def log_function_call(
    function: Callable[P, T] | None = None, /, *, level: str = "DEBUG"
) -> Callable[P, T] | Callable[[Callable[P, T]], Callable[P, T]]:
    """Log each call of a function: its arguments, what it returned or what it raised.

    Works with and without parentheses. Arguments are shortened and redacted; the value of one whose name
    sounds like a credential (``password``, ``api_key``, …) is never logged.

    Parameters
    ----------
    function : callable
        The function, when used without parentheses.
    level : str
        Severity of the messages.
    """

    def decorate(wrapped: Callable[P, T]) -> Callable[P, T]:
        @wraps(wrapped)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            name, log = wrapped.__qualname__, _logger_of(wrapped)
            log.log(level, "{} called with {}", name, _arguments(wrapped, args, kwargs))
            try:
                result = wrapped(*args, **kwargs)
            except BaseException as error:
                log.log(level, "{} raised {}", name, _brief(error))
                raise
            log.log(level, "{} returned {}", name, _brief(result))
            return result

        return called

    return decorate if function is None else decorate(function)


def _arguments(function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, Any]) -> str:
    try:
        named = inspect.signature(function).bind(*args, **kwargs).arguments
    except (
        TypeError,
        ValueError,
    ):  # they do not fit, which the call itself reports; or there is no signature
        named = {"args": args, "kwargs": kwargs}
    hidden = {name: _Hidden() if _SENSITIVE.search(name) else value for name, value in named.items()}
    return ", ".join(f"{name}={_brief(value)}" for name, value in hidden.items()) or "nothing"


class _Timer:
    """Measures the block it surrounds, or each call of the function it decorates."""

    def __init__(self, label: str, threshold: float, function: Callable[..., object] | None = None) -> None:
        self._label, self._threshold, self._function = label, threshold, function
        self._starts: list[float] = []  # a stack, so that one timer may be entered again inside itself

    def __enter__(self) -> Self:
        self._starts.append(time.perf_counter())
        return self

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self._starts.pop()
        place = _logger_of(self._function) if self._function else logger.opt(depth=1)  # that of the block
        if seconds > self._threshold:
            place.warning("{} took {:.3f} s, longer than {:g} s", self._label, seconds, self._threshold)
        else:
            place.debug("{} took {:.3f} s", self._label, seconds)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            with _Timer(self._label or function.__qualname__, self._threshold, function):
                return function(*args, **kwargs)

        return timed


@overload
def log_execution_time(target: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def log_execution_time(target: str = "", /, *, threshold: float = 60.0) -> _Timer: ...
def log_execution_time(
    target: Callable[P, T] | str = "", /, *, threshold: float = 60.0
) -> Callable[P, T] | _Timer:
    """Log how long a function or a block takes, and warn when it takes longer than `threshold`.

    Parameters
    ----------
    target : callable or str
        The function, when used as a decorator without parentheses; otherwise the name of the block in the
        log (a decorated function has its own).
    threshold : float
        Seconds of wall-clock time past which the message is a warning instead of a detail.

    Examples
    --------
    >>> @log_execution_time(threshold=5)
    ... def fit(): ...
    >>> with log_execution_time("features", threshold=5):
    ...     pass
    """
    if isinstance(target, str):
        return _Timer(target, threshold)
    return _Timer("", threshold)(target)
