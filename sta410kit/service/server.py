"""Serve the application with uvicorn until it is told to stop."""

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvicorn

from sta410kit.config import get_config, set_config
from sta410kit.exceptions import ConfigurationError
from sta410kit.logging import setup_logger
from sta410kit.secrets import learn_configured_secrets
from sta410kit.service.app import create_app
from sta410kit.service.site import ServiceOptions, Site

_PATIENCE = 10  # seconds in which answers under way may end


def serve(project: Path, options: ServiceOptions, announce: Callable[[str], None]) -> None:
    """Serve a project, whose folder becomes the current one, until SIGINT or SIGTERM.

    Calls `announce` with the address as soon as connections are accepted.
    """
    os.chdir(project)
    if options.url and not get_config().night.service_url:
        os.environ["SERVICE_URL"] = options.url  # for links in alerts, which runs send too
        set_config(None)
        get_config()  # refuses what is no address, before anything is served
    learn_configured_secrets(project)
    log = setup_logger("sta410kit.service")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every question it asks
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    listener = _listen(options)
    with listener:
        options = replace(options, port=listener.getsockname()[1])
        app = create_app(project, options)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # `security` writes its own
            server_header=False,
            timeout_graceful_shutdown=_PATIENCE,
            timeout_keep_alive=30,
            limit_concurrency=1000,
            h11_max_incomplete_event_size=32 * 1024,
        )
        announce(options.address)
        log.info("serving {} on {}", project, options.address)  # noqa: PLE1205 - loguru, not logging
        with suppress(KeyboardInterrupt):  # the signal that has ended it, which uvicorn raises once more
            _Server(config, app.state.site).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends streams of events at once when it is told to stop: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._site.stopping.set()
        super().handle_exit(sig, frame)


def _listen(options: ServiceOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        message = f"cannot listen on {options.host} port {options.port} ({reason}); try another --port"
        raise ConfigurationError(message) from error
    # asyncio does so only for sockets of its own; an answer in two parts would wait 40 ms between them.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
