"""Find what looks like a secret in a line of text, with detect-secrets' plugins and filters, offline."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sta410kit._internal.credentials import problem_with

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_OUT = {"IPPublicDetector"}  # an address is no secret
# Key formats that detect-secrets does not know.
_FORMATS = {
    "Alpaca Key ID": re.compile(
        r"(?<![0-9A-Za-z+/])(?:PK|AK(?!IA)|CK)(?=[A-Z]*[0-9])[A-Z0-9]{18}(?![0-9A-Za-z+/=])"
    ),
    "GitHub Token": re.compile(r"github_pat_[A-Za-z0-9_]{50,}"),
    "Google API Key": re.compile(r"(?<![0-9A-Za-z+/])AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z+/])"),
    "Anthropic or OpenAI Key": re.compile(
        r"(?<![0-9A-Za-z])sk-(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]{20,}"
    ),
    "NPM token": re.compile(r"(?<![0-9A-Za-z])npm_[0-9A-Za-z]{36}(?![0-9A-Za-z])"),
    "Hugging Face Token": re.compile(r"(?<![0-9A-Za-z])hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])"),
}
_WORTH_A_LOOK = re.compile(r"(?i)[0-9a-z+/=_-]{20}|PRIVATE KEY|://|api|key|pass|pwd|secret|hooks\.|\d{8}:")
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?[\w.-]{1,80}\s*[=:]\s*([^\s\"'#,;]{20,})\s*$")
_DIGEST = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{48}|[0-9a-fA-F]{56,128}")
_INTEGRITY = re.compile(r"sha(?:1|256|384|512)-[0-9A-Za-z+/]+=*")  # lock files of npm
_RUN_FOLDER = re.compile(r"/[\w/+-]*/\d{8}-\d{6}-[0-9a-f]{5}(?:/units/\d+)?")  # each of its notebooks has it
_FILE_OR_MODULE = re.compile(r"[\"'][^\"']*[. /][^\"']*[\"']\s*:")  # named after secrets, with its digest
_SHORTEST = 7  # characters of the shortest key, a password in an address: ://a:b@
_LONGEST = 200  # characters; longer random texts are pictures, fonts and arrays
# A line is looked at in stretches, which overlap by more than a key's length: minified files have long ones.
_STRETCH, _OVERLAP = 8192, 512


class Suspect(NamedTuple):
    """Something that looks like a secret: what it looks like, and the text itself, to be masked."""

    detector: str
    value: str


def suspects(line: str, filename: str = "") -> list[Suspect]:
    """Return what looks like a secret in one line of text, each value once.

    Digests in hexadecimal, UUIDs, templates, placeholders and folders of runs do not.

    Parameters
    ----------
    line : str
        The text.
    filename : str, optional
        Decides how detect-secrets reads ``name = value``: only with quotes in source code.
    """
    found: dict[str, Suspect] = {}
    for at in range(0, max(len(line), 1), _STRETCH):
        stretch = line[max(0, at - _OVERLAP) : at + _STRETCH]
        if _WORTH_A_LOOK.search(stretch):
            for one in (*key_formats(stretch), *_by_name_or_entropy(stretch, filename)):
                if not any(one.value in other or other in one.value for other in found):
                    found[one.value] = one
    return list(found.values())


def key_formats(text: str) -> Iterator[Suspect]:
    """Yield what has the format of a well-known kind of key."""
    if len(text) < _SHORTEST:
        return  # detect-secrets need not be imported
    for name, pattern in _FORMATS.items():
        yield from (Suspect(name, match[0]) for match in pattern.finditer(text) if _plausible(match[0]))
    for plugin in _plugins()[0]:
        for value in plugin.analyze_string(text):
            if _plausible(value, shortest=0) and value.lower() not in {
                "password",
                "passwd",
                "pass",
                "secret",
            }:
                yield Suspect(plugin.secret_type, value)


def _by_name_or_entropy(text: str, filename: str) -> Iterator[Suspect]:
    from detect_secrets.plugins.keyword import KeywordDetector

    for plugin in _plugins()[1]:
        for one in plugin.analyze_line(filename=filename, line=text, line_number=1):
            value = one.secret_value or ""
            known = any(form.fullmatch(value) for form in (_DIGEST, _INTEGRITY, _RUN_FOLDER))
            if isinstance(plugin, KeywordDetector):
                harmless = known and _FILE_OR_MODULE.search(text) is not None
            else:
                harmless = known or len(value) > _LONGEST or not any(map(str.isdigit, value))
            if _plausible(value) and not harmless:
                yield Suspect(plugin.secret_type, value)
    assigned = _ASSIGNED.match(text)
    if assigned and not text.rstrip().endswith('"'):
        yield from _by_name_or_entropy(f'"{assigned[1]}"', filename)


def _plausible(value: str, shortest: int = 1) -> bool:
    """Tell whether a value is none of the things that stand where secrets stand: templates, placeholders."""
    from detect_secrets.filters import heuristic

    checks = (
        heuristic.is_potential_uuid,
        heuristic.is_sequential_string,
        heuristic.is_templated_secret,
        heuristic.is_not_alphanumeric_string,
        heuristic.is_prefixed_with_dollar_sign,
    )
    placeholder = bool(shortest) and problem_with(value) is not None
    return bool(value) and not placeholder and not any(check(value) for check in checks)


@cache
def _plugins() -> tuple[list[Any], list[Any]]:
    """Return detect-secrets' plugins: those for key formats, and those for names and entropy."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    kinds: Any = get_mapping_from_secret_type_to_class().values()
    plugins = [kind() for kind in kinds if kind.__name__ not in _LEFT_OUT]
    formats = [one for one in plugins if isinstance(one, RegexBasedDetector)]
    return formats, [one for one in plugins if one not in formats]
