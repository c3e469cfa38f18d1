"""One of several processes that ask Alpaca at once: ``python -m tests.market.resilience.worker SECONDS``.

Each line of its input names the requests to make, and is answered by a line: what came, or why nothing did.
"""

import sys
import warnings
from contextlib import closing

from sta410kit.exceptions import APIError
from sta410kit.market.resilience.rate_limit import RateLimitWarning
from sta410kit.market.sources.alpaca import AlpacaSource

PARAMS = {"limit": "10000", "start": "2024-01-01", "end": "2024-12-31T00:00:00Z"}


def ask(client, name):
    try:
        answer = client.get("/v2/stocks/bars", {**PARAMS, "symbols": name})
    except APIError as error:
        return "refused" if "times in a row" in str(error) else "failed"
    return ",".join(f"{symbol}:{len(bars)}" for symbol, bars in answer["bars"].items())


def main(seconds):
    warnings.simplefilter("ignore", RateLimitWarning)  # Redis is killed in between
    source = AlpacaSource(calls=190, seconds=float(seconds))
    with closing(source._client()) as client:
        client._service.breaker.cool_down = 5
        for line in sys.stdin:
            sys.stdout.write(" ".join(ask(client, name) for name in line.split()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
