"""How long it takes to redact a long text, beside the ways one would write it by hand.

Usage: ``python benchmarks/bench_redaction.py [--megabytes N]``. Measured is processor time, which others on
the machine disturb less. The peers look for as many forms of the same secrets: ``str.replace`` for one
after the other, and one regular expression of them all. It is the first look at a text: the kit remembers
long texts that held nothing. Exits 0 when ten megabytes take less than half a second, 1 otherwise.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import string
import sys
import time
from typing import TYPE_CHECKING

from sta410kit._internal import redaction

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 0.05  # seconds a megabyte


def texts(size: int, luck: random.Random) -> dict[str, str]:
    """Return texts of about `size` characters: words, a notebook's JSON, a picture in base64."""
    words = ("".join(luck.choices(string.ascii_lowercase, k=luck.randint(2, 9))) for _ in range(size // 6))
    text = " ".join(words)[:size]
    lines = [text[at : at + 80] for at in range(0, len(text), 80)]
    return {
        "words": text,
        "JSON": json.dumps({"outputs": [{"text": [f"{line}\n" for line in lines]}]}, indent=1)[:size],
        "a picture": base64.b64encode(luck.randbytes(size * 3 // 4)).decode(),
    }


def literals(secrets: list[str]) -> list[str]:
    """Return what the peers look for: each secret plain and in base64 at three offsets."""
    return [
        form
        for secret in secrets
        for form in (
            secret,
            *(base64.b64encode(bytes(at) + secret.encode()).decode()[4:-4] for at in range(3)),
        )
    ]


def replaced(text: str, wanted: list[str]) -> str:
    """Scrub one literal after the other."""
    for literal in wanted:
        text = text.replace(literal, "***")
    return text


def seconds(work: Callable[[str], str], text: str) -> float:
    """Return how long `work` took on a text that holds no secret."""
    began = time.process_time()
    if work(text) != text:
        sys.exit("a clean text was changed")
    return time.process_time() - began


def main() -> int:
    """Print seconds and ratios; return whether the limit was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=10)
    size = parser.parse_args().megabytes * 10**6
    luck = random.Random(1)  # noqa: S311 - the same texts each time
    secrets = ["".join(luck.choices(string.ascii_letters + string.digits, k=40)) for _ in range(5)]
    for secret in secrets:
        redaction.register(secret)
    wanted = literals(secrets)
    together = re.compile("|".join(map(re.escape, wanted)))
    redaction.redact(texts(300_000, luck)["words"])  # the first call prepares the search
    worst = 0.0
    print(f"{'text':<12}{'sta410kit':>12}{'str.replace':>20}{'one expression':>20}")
    for name, text in texts(size, luck).items():
        ours = seconds(redaction.redact, text)
        one_by_one = seconds(lambda given: replaced(given, wanted), text)
        at_once = seconds(lambda given: together.sub("***", given), text[: size // 10]) * 10
        row = "".join(f"{peer:>11.3f} ({peer / ours:>4.1f}x)" for peer in (one_by_one, at_once))
        print(f"{name:<12}{ours:>12.3f}  {row}")
        worst = max(worst, ours / (size / 10**6))
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
