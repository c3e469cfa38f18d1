"""The application: routes over one project."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from sta410kit import __version__
from sta410kit.runner.warm.client import warm_up
from sta410kit.service import api, pages
from sta410kit.service.api import health
from sta410kit.service.pages.errors import add_error_pages
from sta410kit.service.security import LARGEST_BODY, Guard
from sta410kit.service.site import ServiceOptions, Site, open_site, site_of
from sta410kit.service.timer import Timer
from sta410kit.service.worker import Worker

__all__ = ["ServiceOptions", "Site", "create_app", "site_of"]

_ABOUT = """Start runs and sweeps, follow them, and read what they left.

Send a token from `sta410 user add` as `Authorization: Bearer TOKEN`. A **viewer** reads, a **runner** also
starts and cancels, an **admin** also manages users. Errors are `application/problem+json` (RFC 9457)."""

_TAGS = {
    "runs": "Start, list, read, compare and follow runs.",
    "artifacts": "The files that a run left.",
    "validations": "What the gates of a run found.",
    "jobs": "The queue: what was asked for, and what came of it.",
    "sweeps": "The chain, or a notebook, with every combination of some values.",
    "forecasts": "The newest forecasts, and how earlier ones came out.",
    "research": "Trials, and how fresh the data are.",
    "users": "Who may use the service.",
    "health": "For load balancers and containers; no token.",
}


def create_app(project: Path, options: ServiceOptions | None = None) -> FastAPI:
    """Return the application that serves a project.

    The current folder of the process has to be in the project, as for the command line.

    Parameters
    ----------
    project : Path
        The folder that holds ``notebooks/pipeline.toml``.
    options : ServiceOptions, optional
        What ``sta410 serve`` was started with.

    Raises
    ------
    ConfigurationError
        The folder is no project, or the database cannot be used.
    """
    site = open_site(project, options or ServiceOptions())
    app = FastAPI(
        title="sta410kit",
        version=__version__,
        description=_ABOUT,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
        openapi_url=None,  # it is read with a token, see `api`
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.site, app.state.collector = site, health.collector_of(site)
    app.add_middleware(Guard, options=site.options)
    for part in (api, health, pages):
        app.include_router(part.router, max_body_size=LARGEST_BODY)
    add_error_pages(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the worker and the schedules beside the application."""
    site: Site = app.state.site
    worker = Worker(site.database, site.project, site.options.concurrency)
    app.state.worker = worker if site.options.concurrency else None
    parts: list[Worker | Timer] = [worker] if site.options.concurrency else []
    if site.options.schedules:
        parts.append(Timer(site.database, site.project))
    warm_up()  # by it the values of the first request are checked
    for part in parts:
        part.start()
    try:
        yield
    finally:
        site.stopping.set()
        for part in reversed(parts):
            await asyncio.to_thread(part.stop)
        site.index.__exit__()
        site.database.close()
