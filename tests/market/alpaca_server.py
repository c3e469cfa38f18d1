"""A server on this machine that speaks Alpaca's market data API and misbehaves on demand."""

import json
import socket
import struct
import threading
import time
from collections import deque
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEY, SECRET = "PKTESTONLY7Q2X9V4BN1", "s3cr3tForTestsOnly8fKq2mVx0Lr5Wd7TzHy1Bn4"  # pragma: allowlist secret
SETTINGS = {"ALPACA_API_KEY": KEY, "ALPACA_SECRET_KEY": SECRET, "REQUEST_RETRY_DELAY": "0.02"}


class LocalServer:
    """Answers on a port of its own with the class `handler`, which reaches the server as `owner`."""

    handler = BaseHTTPRequestHandler

    def __enter__(self):
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (self.handler,), {"owner": self})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class AlpacaServer(LocalServer):
    """Serves the bars and actions it is given.

    `faults` holds what the next requests get instead of an answer, one each: a status such as ``"502"``,
    ``"reset"``, ``"stall"``, ``"drip"``, ``"truncated"``, ``"html"``, or a dict sent as the answer;
    ``("429", {"Retry-After": "1"})`` adds headers. `refuse_all` gives the same fault to every request.
    """

    def __init__(self, bars=None, actions=None, *, page_size=10_000, limit=None, clock_skew=0.0):
        self.bars, self.actions, self.page_size = bars or {}, actions or {}, page_size
        self.limit, self.clock_skew = limit, clock_skew  # limit: requests, seconds
        self.faults, self.refuse_all = deque(), None
        self.arrivals, self.requests = [], []
        self._lock = threading.Lock()

    @property
    def settings(self):
        """The environment of a client of this server."""
        return {**SETTINGS, "ALPACA_DATA_URL": self.url}

    def arrive(self, path, query):
        """Count a request; return the fault it gets."""
        with self._lock:
            now = time.monotonic()
            self.arrivals.append(now)
            self.requests.append((path, query))
            if self.limit and self.within(self.limit[1], now) > self.limit[0]:
                return ("429", {})
            fault = self.faults.popleft() if self.faults else self.refuse_all
        return fault if isinstance(fault, tuple) else (fault, {})

    def within(self, seconds, until):
        """Return how many requests have arrived in the `seconds` up to `until`."""
        return sum(until - seconds < moment <= until for moment in self.arrivals[-2000:])

    def most_within(self, seconds):
        """Return the most requests that any window of `seconds` has seen."""
        inside, most = deque(), 0
        for moment in sorted(self.arrivals):
            inside.append(moment)
            while inside[0] <= moment - seconds:
                inside.popleft()
            most = max(most, len(inside))
        return most

    def answer(self, path, query):
        """Return what the true API would."""
        start = int(query.get("page_token", "0"))
        end = start + min(self.page_size, int(query["limit"]))
        first, last = query["start"][:10], query["end"]
        if path == "/v2/stocks/bars":
            rows = [
                (symbol, {"t": stamp, "o": o, "h": h, "l": low, "c": c, "v": v, "n": 10, "vw": c})
                for symbol in sorted(query["symbols"].split(","))
                for stamp, o, h, low, c, v in self.bars.get(symbol, [])
                if first <= stamp[:10] and stamp <= last
            ]
            name = "bars"
        else:
            rows = [
                (kind, one)
                for kind, ones in self.actions.items()
                for one in ones
                if first <= one["process_date"] <= last and one["symbol"] in query["symbols"].split(",")
            ]
            name = "corporate_actions"
        found = {}
        for key, row in rows[start:end]:
            found.setdefault(key, []).append(row)
        return {name: found, "next_page_token": str(end) if end < len(rows) else None}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: AlpacaServer

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate((timestamp or time.time()) + self.owner.clock_skew, usegmt=True)

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        fault, headers = self.owner.arrive(url.path, query)
        keys = (self.headers.get("APCA-API-KEY-ID"), self.headers.get("APCA-API-SECRET-KEY"))
        if keys != (KEY, SECRET):
            self._send(401, {"message": f"unauthorized: {keys[0]} {keys[1]}"})
        elif isinstance(fault, dict):
            self._send(200, fault)
        elif fault is None:
            self._send(200, self.owner.answer(url.path, query))
        else:
            self._misbehave(fault, headers, self.owner.answer(url.path, query))

    def _misbehave(self, fault, headers, answer):
        page = b"<html><head><title>Bad Gateway</title></head></html>"
        if fault == "reset":
            linger = struct.pack("ii", 1, 0)  # closing sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
        elif fault == "stall":
            time.sleep(2.5)
            self.close_connection = True
        elif fault == "drip":
            self._send(200, b" " * 40, pause=0.1)
        elif fault == "truncated":
            self._send(200, json.dumps(answer).encode()[:-20])
        elif fault == "html":
            self._send(200, page)
        else:
            said = {
                "403": {"code": 42210000, "message": "subscription does not permit querying recent SIP data"},
                "429": {"message": "too many requests."},
                "502": page,
            }.get(fault, {"message": "sorry"})
            self._send(int(fault), said, headers)

    def _send(self, status, body, headers=None, pause=0.0):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for at in range(0, len(body), 1) if pause else (0,):
                self.wfile.write(body[at : at + 1] if pause else body)
                time.sleep(pause)
        except OSError:  # the client has gone
            self.close_connection = True


AlpacaServer.handler = _Handler
