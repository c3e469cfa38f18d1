"""What a real credential looks like: evidence only, in words that never hold the value."""

import re
from urllib.parse import unquote

# Alpaca's key has 20 characters and its secret 40; half of the shorter is a loose lower bound on purpose.
MINIMUM_LENGTH = 10
# Fewer different characters than this is a keyboard held down, not a key.
_FEWEST_DIFFERENT = 5
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+")  # a name or a number of a machine
_PLACEHOLDER = re.compile(
    r"your[-_ ]|[-_ ]here$|change[-_ ]?me|replace[-_ ]?(me|this|with)|placeholder|example|dummy|insert[-_ ]"
    r"|todo|x{5,}|^<.*>$|\*{3,}|\.{3,}|^alpaca_(api|secret)_key$",
    re.IGNORECASE,
)


def problem_with(value: object) -> str | None:
    """Say what is wrong with a credential, or ``None`` when it looks real."""
    if not isinstance(value, str):
        return f"is a {type(value).__name__}, not text"
    checks = {
        "is missing": not value.strip(),
        "holds spaces, line breaks or control characters": " " in value or not value.isprintable(),
        "is a placeholder": _PLACEHOLDER.search(value) is not None,
        f"is too short (fewer than {MINIMUM_LENGTH} characters)": len(value) < MINIMUM_LENGTH,
        "is a placeholder (a few characters repeated)": len(set(value)) < _FEWEST_DIFFERENT,
    }
    return next((problem for problem, holds in checks.items() if holds), None)


def problems_with_pair(api_key: object, secret_key: object) -> list[str]:
    """Return one line for each thing wrong with Alpaca's key pair, naming the variable; empty when fine."""
    pair = {"ALPACA_API_KEY": api_key, "ALPACA_SECRET_KEY": secret_key}
    problems = [f"{name} {problem}" for name, value in pair.items() if (problem := problem_with(value))]
    if not problems and api_key == secret_key:
        problems.append("ALPACA_API_KEY and ALPACA_SECRET_KEY are the same value")
    return problems


_TOKEN = 8  # characters of a random part of an address; a shorter one may be a word


def split_urls(text: str) -> list[str]:
    """Return the addresses in a list that commas separate; a comma within an address stays."""
    return [url.strip() for url in re.split(r"[,\s]+(?=[a-zA-Z][\w+.-]*://)", text.strip()) if url.strip()]


def secrets_in_urls(text: str) -> list[str]:
    """Return what is to be redacted of such addresses: each as a whole, its password, and parts like tokens.

    A part of host, path or query counts as a token if it mixes letters and digits or is as long as no word.
    """
    found = []
    for url in split_urls(text):
        _, _, rest = url.partition("://")
        login, at, _ = rest.partition("/")[0].rpartition("@")
        found += [url, login.partition(":")[2] if at else ""]
        for part in map(unquote, re.split(r"[/?&=@:]", rest)):
            mixed = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
            if len(part) >= (_TOKEN if mixed else 3 * _TOKEN) and not _HOST.fullmatch(part):
                found.append(part)
    return [part for part in dict.fromkeys(found) if part]
