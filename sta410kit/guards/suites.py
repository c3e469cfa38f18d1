"""Where suites are found and what a suite file must look like; no Great Expectations needed.

A suite is a Great Expectations suite in its own JSON. The project's ``expectations/`` comes first, then the
copy shipped with the package. ``meta.severity`` of an expectation says whether its failure stops the chain.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sta410kit._internal.argument_checks import as_number
from sta410kit._internal.project import find_project
from sta410kit._internal.text import did_you_mean
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards.result import CRITICAL, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping

PRICE_COLUMNS = ("symbol", "date", "open", "high", "low", "close", "adj_close", "volume")
BAR, PRICES = PRICE_COLUMNS[2:6], PRICE_COLUMNS[2:7]
STOP, QUARANTINE_SYMBOL, QUARANTINE_BARS = "stop", "quarantine_symbol", "quarantine_bars"
ON_FAILURE = (STOP, QUARANTINE_SYMBOL, QUARANTINE_BARS)
OF_SESSIONS = (
    "expect_dates_without_time",
    "expect_sessions_to_match_calendar",
    "expect_last_session_to_be_recent",
    "expect_history_unrevised",
)
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Limits:
    """How much of a frame may be quarantined; ``meta.quarantine`` of a suite.

    Attributes
    ----------
    max_symbols : float
        Share of the symbols; beyond it the frame is refused.
    max_bars : float
        Share of the bars of all other symbols; beyond it the frame is refused.
    max_bars_per_symbol : float
        Share of a symbol's bars; beyond it the whole symbol is quarantined.
    """

    max_symbols: float = 0.25
    max_bars: float = 0.02
    max_bars_per_symbol: float = 0.05


@dataclass(frozen=True)
class Suite:
    """A suite as its file defines it.

    Attributes
    ----------
    name : str
        The name the suite bears, e.g. ``prices``.
    path : Path
        The file it was read from.
    expectations : tuple of dict
        The expectations, each with ``type``, ``kwargs`` and ``meta`` (``severity`` filled in).
    notes : str
        What the suite says it is for.
    limits : Limits
        How much of a frame may be left out.
    intraday : bool
        Whether its rows are bars within the day; ``meta.intraday`` of the file.
    """

    name: str
    path: Path
    expectations: tuple[dict[str, Any], ...]
    notes: str = ""
    limits: Limits = Limits()
    intraday: bool = False

    @property
    def judges_prices(self) -> bool:
        """Whether it is about daily prices, whose columns may have any names that a source gives them."""
        if self.intraday:
            return False
        named = {name for item in self.expectations for name in columns_of(item["kwargs"])}
        return self.name == "prices" or named.issuperset(PRICE_COLUMNS)

    @property
    def digest(self) -> str:
        """The identity of the rules: it changes when any expectation does."""
        rules = [self.expectations, asdict(self.limits), *(["intraday"] if self.intraday else [])]
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def columns_of(kwargs: Mapping[str, Any]) -> list[str]:
    """Return the columns an expectation names, in order."""
    named = [kwargs[key] for key in ("column", "column_A", "column_B") if kwargs.get(key)]
    for key in ("column_list", "column_set"):
        named += kwargs.get(key) or []
    return list(dict.fromkeys(str(name) for name in named))


def suite_folders() -> list[Path]:
    """Return the folders suites are looked up in, the project's first."""
    project = find_project()
    folders = [project / "expectations"] if project else []
    # An installed kit carries the suites inside; in a checkout they stand beside the package.
    folders.append(_PACKAGE / "expectations")
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        folders.append(_PACKAGE.parent / "expectations")
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def list_suites() -> list[str]:
    """Return the names of all suites that can be asked for, sorted."""
    return sorted({path.stem for folder in suite_folders() for path in folder.glob("*.json")})


def read_suite(name: str | Path) -> Suite:
    """Read the suite called `name`, or the suite file that `name` is the path of.

    Raises
    ------
    ConfigurationError
        No such suite, or its file is not a suite: names the file, the place in it and what is wrong.
    """
    path = _locate(name)
    where = f"suite file {path}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{where} cannot be read as JSON: {error}"
        raise ConfigurationError(message) from error
    if not isinstance(content, dict) or not isinstance(content.get("expectations"), list):
        raise ConfigurationError(where + ": expected an object with a list called 'expectations'")
    if not content["expectations"]:
        raise ConfigurationError(where + " holds no expectation; an empty gate accepts everything")
    inside = content.get("name") or path.stem
    if inside != path.stem or not re.fullmatch(r"[\w.-]+", path.stem):
        message = f"{where} is named {inside!r} inside; give the suite its file's name, in letters"
        raise ConfigurationError(message)
    for number, item in enumerate(content["expectations"], 1):
        if problem := _problem(item):
            kind = f" ({item['type']})" if isinstance(item, dict) and item.get("type") else ""
            message = f"{where}: expectation {number}{kind} {problem}"
            raise ConfigurationError(message)
    notes = content.get("notes") or ""
    return Suite(
        name=path.stem,
        path=path,
        expectations=tuple(
            {
                **item,
                "kwargs": item.get("kwargs", {}),
                "meta": {"severity": CRITICAL, **(item.get("meta") or {})},
            }
            for item in content["expectations"]
        ),
        notes=notes if isinstance(notes, str) else "\n".join(map(str, notes)),
        limits=_limits(content.get("meta"), f"{where}: meta.quarantine"),
        intraday=_is_intraday(content, where),
    )


def _is_intraday(content: dict[str, Any], where: str) -> bool:
    """Return ``meta.intraday``; a suite of intraday bars has no expectation about sessions."""
    meta = content.get("meta")
    intraday = meta.get("intraday", False) if isinstance(meta, dict) else False
    if not isinstance(intraday, bool):
        message = f"{where}: meta.intraday is {intraday!r}; it takes true or false"
        raise ConfigurationError(message)
    of_sessions = [item["type"] for item in content["expectations"] if item["type"] in OF_SESSIONS]
    if intraday and of_sessions:
        message = f"{where}: {of_sessions[0]} is about sessions, but meta.intraday is true; remove either"
        raise ConfigurationError(message)
    return intraday


def _limits(meta: object, where: str) -> Limits:
    """Return the limits in ``meta.quarantine``, the usual ones where it says nothing."""
    given = (meta.get("quarantine") or {}) if isinstance(meta, dict) else {}
    names = [one.name for one in fields(Limits)]
    if not isinstance(given, dict):
        message = f"{where} is {given!r}; it takes an object with {', '.join(names)}"
        raise ConfigurationError(message)
    for name, share in given.items():
        if name not in names:
            message = f"{where} has no limit called {name!r}.{did_you_mean(name, names)}"
            raise ConfigurationError(message)
        if not 0 <= as_number(share) <= 1:
            message = f"{where}.{name} is {share!r}; it takes a share from 0 to 1"
            raise ConfigurationError(message)
    return Limits(**given)


def _locate(name: str | Path) -> Path:
    text = str(name)
    if text.endswith(".json"):
        try:
            there = Path(text).is_file()
        except OSError as error:  # too long for a path, or in a folder that is closed
            message = f"the suite file {text[:100]!r} cannot be looked up ({error.strerror})"
            raise ConfigurationError(message) from error
        if not there:
            message = f"no suite file {text}"
            raise ConfigurationError(message)
        return Path(text)
    places = [folder / f"{text}.json" for folder in suite_folders()]
    if found := next((path for path in places if path.is_file()), None):
        return found
    known = list_suites()
    message = f"no suite called '{text}'.{did_you_mean(text, known)} Suites: {', '.join(known) or 'none'}."
    raise ConfigurationError(message)


def _problem(item: Any) -> str:  # noqa: ANN401 - anything that JSON has
    """Return what is wrong with an expectation that Great Expectations would drop silently, if anything."""
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return "has no 'type'"
    meta = item.get("meta") or {}
    if not isinstance(item.get("kwargs", {}), dict) or not isinstance(meta, dict):
        return "has 'kwargs' or 'meta' that are no objects; both must be objects"
    severity, action = meta.get("severity", CRITICAL), meta.get("on_failure", STOP)
    if severity not in SEVERITIES:
        return f"has severity {severity!r}; it takes one of {', '.join(SEVERITIES)}"
    if action not in ON_FAILURE:
        return f"has on_failure {action!r}; it takes one of {', '.join(ON_FAILURE)}"
    if severity != CRITICAL and "on_failure" in meta:
        return f"has on_failure {action!r}; but severity {severity!r}, which leaves nothing out"
    return ""


def cannot_be_loaded(suite: str, item: Mapping[str, Any], reason: str) -> ConfigurationError:
    """Return the error of an expectation whose type or arguments do not fit."""
    return ConfigurationError(
        f"suite '{suite}': {item['type']} with {item['kwargs']} cannot be loaded ({reason}); "
        "correct its type or arguments in the suite file"
    )
