"""Write down calls and how long they take; `sta410kit.logging` hands both decorators on."""

import inspect
import re
import reprlib
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast, overload

from loguru import logger

from sta410kit._internal.redaction import MASK, redact

if TYPE_CHECKING:
    from loguru import Logger, Record

P = ParamSpec("P")
T = TypeVar("T")

# What an argument is called when its value must not be written down, whatever it is.
_SENSITIVE = re.compile(r"secret|password|passwd|token|api_?key|credential|authorization", re.IGNORECASE)


class _Hidden:
    def __repr__(self) -> str:
        return MASK


class _Brief(reprlib.Repr):
    """Short, scrubbed text for any value, cheap even for a large one."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80

    def repr_str(self, x: str, level: int) -> str:
        # Scrubbed first: shortening may cut a secret into a piece that no longer looks like it.
        return super().repr_str(redact(x), level)

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        return super().repr_dict({k: _Hidden() if _is_sensitive(k) else v for k, v in x.items()}, level)

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - reprlib's signature
        shape = getattr(x, "shape", None)
        if isinstance(shape, tuple):  # a table or an array: its text is long, and slow to make
            return f"<{type(x).__name__} {'x'.join(map(str, shape))}>"
        try:
            text = redact(repr(x))
        except Exception as error:  # noqa: BLE001 - a log line never fails for an argument's broken repr
            return f"<{type(x).__name__}, whose repr raises {type(error).__name__}>"
        return text if len(text) <= self.maxother else f"{text[: self.maxother]}..."


_brief = _Brief()


def speaking_from(name: str, function: str, line: int) -> "Logger":
    """Return the logger as it would be at the place that speaks, rather than where it is called."""

    def move(record: "Record") -> None:
        record["function"], record["line"] = function, line

    return logger.bind(logger=name).patch(move)


def _speaking_from(function: Callable[..., object]) -> "Logger":
    first_line = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
    return speaking_from(function.__module__, function.__qualname__, first_line)


def _is_sensitive(name: object) -> bool:
    return isinstance(name, str) and _SENSITIVE.search(name) is not None


class _Call:
    """One call of a function: logs its beginning and its end."""

    def __init__(
        self,
        function: Callable[..., object],
        level: str,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> None:
        self._function, self._level, self._args, self._kwargs = function, level, args, kwargs

    def __enter__(self) -> Self:
        self._say("called with {}", self._arguments())
        return self

    def returned(self, result: T) -> T:
        self._say("returned {}", _brief.repr(result))
        return result

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self._say("raised {}", _brief.repr(error))

    def _say(self, what: str, detail: str) -> None:
        _speaking_from(self._function).log(self._level, f"{{}} {what}", self._function.__qualname__, detail)

    def _arguments(self) -> str:
        try:
            named = inspect.signature(self._function).bind(*self._args, **self._kwargs).arguments
        except (TypeError, ValueError):
            # They do not fit, and the call itself will say so; or it has no signature.
            named = {"args": self._args, "kwargs": self._kwargs}
        shown = (
            f"{name}={MASK if _is_sensitive(name) else _brief.repr(value)}" for name, value in named.items()
        )
        return ", ".join(shown) or "nothing"


@overload
def log_function_call(function: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def log_function_call(*, level: str = "DEBUG") -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def log_function_call(
    function: Callable[P, T] | None = None, /, *, level: str = "DEBUG"
) -> Callable[P, T] | Callable[[Callable[P, T]], Callable[P, T]]:
    """Log each call of a function: its arguments, what it returned or what it raised.

    Works with and without parentheses, on plain and on ``async`` functions. Arguments are shortened and
    scrubbed; one whose name sounds like a credential (``password``, ``api_key``, …) is never written down.

    Parameters
    ----------
    function : callable
        The function, when used without parentheses.
    level : str
        Severity of the messages.
    """

    def decorate(wrapped: Callable[P, T]) -> Callable[P, T]:
        return _around(wrapped, lambda args, kwargs: _Call(wrapped, level, args, kwargs))

    return decorate if function is None else decorate(function)


class _Timer:
    """Measures the block it surrounds, or each call of the function it decorates."""

    def __init__(self, label: str, threshold: float, function: Callable[..., object] | None = None) -> None:
        self._label, self._threshold, self._function = label, threshold, function
        self._starts: list[float] = []  # a stack, so that one timer may be entered again inside itself

    def __enter__(self) -> Self:
        self._starts.append(time.perf_counter())
        return self

    def returned(self, result: T) -> T:
        return result

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self._starts.pop()
        # depth=1 is the block's own place
        place = _speaking_from(self._function) if self._function else logger.opt(depth=1)
        if seconds > self._threshold:
            place.warning("{} took {:.3f} s, longer than {:g} s", self._label, seconds, self._threshold)
        else:
            place.debug("{} took {:.3f} s", self._label, seconds)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        label = self._label or function.__qualname__
        return _around(function, lambda _args, _kwargs: _Timer(label, self._threshold, function))


@overload
def log_execution_time(target: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def log_execution_time(target: str = "", /, *, threshold: float = 60.0) -> _Timer: ...
def log_execution_time(
    target: Callable[P, T] | str = "", /, *, threshold: float = 60.0
) -> Callable[P, T] | _Timer:
    """Log how long something takes, and warn when it takes longer than `threshold`.

    Three ways to write it::

        @log_execution_time
        def fit(): ...

        @log_execution_time(threshold=5)      # also on async functions
        async def fetch(): ...

        with log_execution_time("features", threshold=5):
            ...

    Parameters
    ----------
    target : callable or str
        The function, when used without parentheses; otherwise what to call the block in the log (a
        decorated function is called by its own name).
    threshold : float
        Seconds of wall-clock time past which the message is a warning instead of a detail.
    """
    if isinstance(target, str):
        return _Timer(target, threshold)
    return _Timer("", threshold)(target)


def _around(function: Callable[P, T], block_of: Callable[[Any, Any], _Call | _Timer]) -> Callable[P, T]:
    """Wrap a plain or ``async`` function so that each call runs inside ``block_of(args, kwargs)``."""
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> object:
            with block_of(args, kwargs) as block:
                return block.returned(await function(*args, **kwargs))

        return cast("Callable[P, T]", awaited)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        with block_of(args, kwargs) as block:
            return block.returned(function(*args, **kwargs))

    return called
