"""The application: routes over one project."""

from pathlib import Path

from fastapi import FastAPI

from sta410kit import __version__
from sta410kit.service import api, pages
from sta410kit.service.pages.errors import add_error_pages
from sta410kit.service.security import protect
from sta410kit.service.site import ServiceOptions, Site, open_site, site_of

__all__ = ["ServiceOptions", "Site", "create_app", "site_of"]


def create_app(project: Path, options: ServiceOptions | None = None) -> FastAPI:
    """Return the application that serves a project.

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
    app = FastAPI(title="sta410kit", version=__version__, summary="Runs, forecasts and their evidence.")
    app.state.site = site
    protect(app, site.options)
    app.include_router(api.router)
    app.include_router(pages.router)
    add_error_pages(app)
    return app
