"""What a real credential looks like: evidence only, in words that never hold the value."""

import re

# Alpaca's key has 20 characters and its secret 40; half of the shorter is a loose lower bound on purpose.
MINIMUM_LENGTH = 10
# Fewer different characters than this is a keyboard held down, not a key.
_FEWEST_DIFFERENT = 5
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
