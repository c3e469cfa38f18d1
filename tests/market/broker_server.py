"""A server on this machine that speaks Alpaca's trading API: an account, its positions, orders taken once."""

import json
from collections import deque
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.market.alpaca_server import KEY, SECRET, SETTINGS, LocalServer


class BrokerServer(LocalServer):
    """Takes orders, but those of `refused` symbols; the next `lost` answers to an order are dropped."""

    def __init__(self, equity=100_000.0, last_equity=100_000.0, positions=(), *, refused=()):
        self.account = {"equity": str(equity), "last_equity": str(last_equity), "trading_blocked": False}
        self.positions = [{"symbol": s, "qty": str(n), "market_value": str(v)} for s, n, v in positions]
        self.refused, self.lost = set(refused), 0
        self.newest = {}  # price by symbol
        self.orders, self.posts = {}, deque()

    def __enter__(self):
        super().__enter__()
        self.settings = {**SETTINGS, "ALPACA_BASE_URL": self.url, "ALPACA_DATA_URL": self.url}
        return self

    def take(self, order):
        """Take an order as Alpaca does; return status and answer."""
        self.posts.append(order)
        name = order["client_order_id"]
        if name in self.orders:
            return 422, {"code": 40010001, "message": "client_order_id must be unique"}
        if order["symbol"] in self.refused:
            return 403, {"code": 40310000, "message": "insufficient buying power"}
        state = {"status": "accepted", "filled_qty": "0", "filled_avg_price": None}
        self.orders[name] = {**order, **state}
        return 200, self.orders[name]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: BrokerServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        known = self.owner.orders.get(parse_qs(url.query).get("client_order_id", [""])[0])
        bars = {
            name: {"t": "2026-01-05T20:59:00Z", "o": price, "h": price, "l": price, "c": price, "v": 1}
            for name, price in self.owner.newest.items()
        }
        missing = 404, {"code": 40410000, "message": "order not found"}
        self._answer(
            *{
                "/v2/account": (200, self.owner.account),
                "/v2/positions": (200, self.owner.positions),
                "/v2/stocks/bars/latest": (200, {"bars": bars}),
                "/v2/orders:by_client_order_id": (200, known) if known else missing,
            }[url.path]
        )

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.owner.take(order)
        if self.owner.lost:
            self.owner.lost -= 1
            self.close_connection = True
        else:
            self._answer(status, answer)

    def _answer(self, status, content):
        if (self.headers.get("APCA-API-KEY-ID"), self.headers.get("APCA-API-SECRET-KEY")) != (KEY, SECRET):
            status, content = 401, {"code": 40110000, "message": "request is not authorized"}
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


BrokerServer.handler = _Handler
