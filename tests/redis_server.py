"""A Redis that tests start and kill."""

import signal
import socket
import subprocess

import redis as redis_client


class RedisServer:
    """A redis-server with an append-only file, as in the compose file."""

    def __init__(self, folder, wait_until):
        self._folder, self._wait_until = folder, wait_until
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self._folder),
        ]
        self._process = subprocess.Popen([*command, "--appendonly", "yes"], stdout=subprocess.DEVNULL)
        assert self._wait_until(self.answers)

    def answers(self):
        try:
            with redis_client.Redis.from_url(self.url) as client:
                return client.ping()
        except redis_client.RedisError:
            return False

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def flush(self):
        with redis_client.Redis.from_url(self.url) as client:
            client.flushall()

    def counts(self):
        with redis_client.Redis.from_url(self.url) as client:
            return client.dbsize()
