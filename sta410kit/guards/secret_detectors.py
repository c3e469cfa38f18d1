"""What looks like a secret though nobody has registered it: known key shapes and random-looking text.

The shapes and the measure of randomness are detect-secrets' plugins, used as a library and offline: nobody is
asked whether a key still works.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sta410kit._internal.credentials import problem_with

if TYPE_CHECKING:
    from collections.abc import Iterator

# An address is no secret; names of variables are judged below.
_LEFT_OUT = {"IPPublicDetector", "KeywordDetector"}
_OWN_SHAPES = {
    "Alpaca Key ID": re.compile(
        r"(?<![0-9A-Za-z+/])(?:PK|AK(?!IA)|CK)(?=[A-Z]*[0-9])[A-Z0-9]{18}(?![0-9A-Za-z+/=])"
    ),
    "GitHub Token": re.compile(r"github_pat_[A-Za-z0-9_]{50,}"),
    "Google API Key": re.compile(r"(?<![0-9A-Za-z+/])AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z+/])"),
    "Google OAuth": re.compile(r"(?<![0-9A-Za-z+/])(?:GOCSPX-[0-9A-Za-z_-]{28}|ya29\.[0-9A-Za-z_-]{40,})"),
    "AI provider's key": re.compile(
        r"(?<![0-9A-Za-z])(?:sk-(?:ant|proj|svcacct|admin)-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{34}(?![A-Za-z0-9]))"
    ),
    "NPM token": re.compile(r"(?<![0-9A-Za-z])npm_[0-9A-Za-z]{36}(?![0-9A-Za-z])"),
    "Stripe webhook secret": re.compile(r"(?<![0-9A-Za-z])whsec_[0-9A-Za-z]{32}"),
    "Provider's token": re.compile(
        r"(?<![0-9A-Za-z])(?:shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|do[opr]_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}"
        r"|key-[0-9a-f]{32})(?![0-9A-Za-z])"
    ),
    "Bearer token": re.compile(r"(?i:authorization[\"']?\s*:\s*[\"']?bearer) +([0-9A-Za-z._~+/-]{20,}=*)"),
    "Address with a password": re.compile(r"[a-z][a-z0-9+]{1,20}://:[^\s:/@\"'{}$<>*]{6,}@[\w.-]+"),
}
_TELLING = (
    r"(?:api|access|secret|private|auth|account|signing|encryption)[-_ ]?(?:key|token)|secret|passw(?:or)?d"
    r"|passphrase|credentials?|bearer"
)
_NAMED = re.compile(
    rf"(?i)(?<![a-z])([a-z0-9_.-]*(?:{_TELLING})[a-z0-9_-]{{0,20}})[\"']?\s*(?:=|:=?|=>)\s*[brfu]?[\"']([^\"'\s]{{8,}})[\"']"
)
_TELLING_NAME = re.compile(rf"(?i)(?:^|[-_.])(?:{_TELLING})(?:$|[-_.]\d*$)")
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?[\w.-]{1,80}\s*[=:]\s*([^\s\"'#,;]{20,})\s*$")
_WORTH_A_LOOK = re.compile(rf"(?i)[0-9a-z+/=_-]{{20}}|PRIVATE KEY|://|{_TELLING}|hooks\.|\d{{8}}:")
_DIGEST = re.compile(r"[0-9a-fA-F]+")
_INTEGRITY = re.compile(r"sha(?:1|256|384|512)-[0-9A-Za-z+/]+=*")  # how lock files of npm write a digest
# Of what only looks random; longer texts are pictures, fonts and arrays.
_SHORTEST_KEY, _LONGEST_KEY = 20, 200
_DIGEST_LENGTHS = {32, 40, 48, 56, 64, 96, 128}
_EXAMPLES = {"password", "passwd", "pass", "secret"}  # in addresses that show how an address is written
_TOKEN = re.compile(r"[0-9A-Za-z+/=_-]{20,}")
# A line is looked at in stretches of this length, which overlap by what a key can be long.
_STRETCH, _OVERLAP = 8192, 512


@dataclass(frozen=True)
class Suspect:
    """Something in a line that looks like a secret.

    Attributes
    ----------
    detector : str
        What it looks like.
    value : str
        The text itself; whoever shows it masks it.
    """

    detector: str
    value: str


def suspects(line: str) -> list[Suspect]:
    """Return what looks like a secret in one line of text, each value once.

    Digests in hexadecimal, UUIDs, counted-up characters, templates and placeholders do not.
    """
    found: dict[str, Suspect] = {}
    for at in range(0, max(len(line), 1), _STRETCH):
        stretch = line[max(0, at - _OVERLAP) : at + _STRETCH]
        if not _WORTH_A_LOOK.search(stretch):
            continue
        for one in (*key_shapes(stretch), *_named(stretch), *_random(stretch)):
            if not any(one.value in other or other in one.value for other in found):
                found[one.value] = one
    return list(found.values())


def key_shapes(text: str) -> Iterator[Suspect]:
    """Yield what has the shape of a well-known kind of key."""
    for name, pattern in _OWN_SHAPES.items():
        for match in pattern.finditer(text):
            value = match[match.lastindex or 0]
            if problem_with(value) is None:
                yield Suspect(name, value)
    for plugin in _plugins()[0]:
        for value in plugin.analyze_string(text):
            if not _harmless(value) and value.lower() not in _EXAMPLES:
                yield Suspect(plugin.secret_type, value.strip("\"'=: \t"))


def looks_random(token: str) -> bool:
    """Tell whether a text without spaces looks drawn at random: long, of mixed kinds, and of high entropy.

    Upper and lower case letters and digits have to be there, so that digests, UUIDs, words and dates are not
    taken for keys; so has to be a single token, which a path of words is not.
    """
    if not _TOKEN.fullmatch(token) or _harmless(token) or _like_a_path(token):
        return False
    kinds = (str.isupper, str.islower, str.isdigit)
    if not all(any(map(kind, token)) for kind in kinds):
        return False
    # The entropy of a sample is at most the logarithm of its length, so a short one is allowed less.
    _, base64_plugin, _ = _plugins()
    return bool(base64_plugin.calculate_shannon_entropy(token) > min(4.5, 0.85 * _bits(len(token))))


def telling_name(name: str) -> bool:
    """Tell whether something of this name is a secret: ``api_key``, ``db_password``."""
    return _TELLING_NAME.search(name) is not None


def _named(text: str) -> Iterator[Suspect]:
    """Yield texts in quotes that are given to a name which tells that they are secret."""
    for match in _NAMED.finditer(text):
        name, value = match.groups()
        if _is_a_digest(value) and ("." in name or not telling_name(name)):
            continue  # of a file or module that is called so
        mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
        if mixed and problem_with(value) is None and not _harmless(value) and not _like_a_path(value):
            yield Suspect("Secret Keyword", value)


def _random(text: str) -> Iterator[Suspect]:
    """Yield texts in quotes, or given to a name on a line of its own, that look drawn at random."""
    _, *by_entropy = _plugins()
    for plugin in by_entropy:
        for value in plugin.analyze_string(text):
            if plugin.calculate_shannon_entropy(value) > plugin.entropy_limit and _is_a_key(value):
                yield Suspect(plugin.secret_type, value)
    assigned = _ASSIGNED.match(text)
    if assigned and looks_random(assigned[1]):
        yield Suspect("High Entropy String", assigned[1])


def _is_a_digest(value: str) -> bool:
    return len(value) in _DIGEST_LENGTHS and _DIGEST.fullmatch(value) is not None


def _is_a_key(value: str) -> bool:
    if not _SHORTEST_KEY <= len(value) <= _LONGEST_KEY or _INTEGRITY.fullmatch(value):
        return False
    if _harmless(value) or _like_a_path(value):
        return False
    return not _is_a_digest(value) and any(map(str.isdigit, value))


def _like_a_path(value: str) -> bool:
    """Tell whether a value reads as names joined by slashes, dashes or underscores."""
    words = re.split(r"[/_\-+=]", value)
    return len(words) > 1 and all(re.fullmatch(r"[A-Z]?[a-z]*|[A-Z]*|\d{0,8}", word) for word in words)


def _harmless(value: str) -> bool:
    from detect_secrets.filters import heuristic

    checks = (
        heuristic.is_potential_uuid,
        heuristic.is_sequential_string,
        heuristic.is_templated_secret,
        heuristic.is_not_alphanumeric_string,
        heuristic.is_prefixed_with_dollar_sign,
    )
    return not value or any(check(value) for check in checks)


def _bits(length: int) -> float:
    import math

    return math.log2(length)


@cache
def _plugins() -> tuple[tuple[Any, ...], Any, Any]:
    """Return detect-secrets' plugins for shapes, and the two that measure entropy."""
    from importlib import import_module
    from pkgutil import iter_modules

    import detect_secrets.plugins as package
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString

    shapes = {}
    for info in iter_modules(package.__path__):
        for name, kind in vars(import_module(f"{package.__name__}.{info.name}")).items():
            regular = isinstance(kind, type) and issubclass(kind, RegexBasedDetector)
            if regular and kind is not RegexBasedDetector and name not in _LEFT_OUT:
                shapes[name] = kind()
    return tuple(shapes.values()), Base64HighEntropyString(), HexHighEntropyString()
