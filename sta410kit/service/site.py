"""What the service serves: a project with its runs, a database, and the options it was started with."""

import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from sta410kit._internal.project import MARKER, OUTSIDE
from sta410kit.exceptions import ConfigurationError
from sta410kit.research.ledger import Ledger
from sta410kit.runner.listing import ListedRun, list_runs
from sta410kit.runner.registry import Registry
from sta410kit.runner.trials import ledger_rows
from sta410kit.service.database import Database, open_database
from sta410kit.service.limits import Limits
from sta410kit.service.users import Users


@dataclass(frozen=True)
class ServiceOptions:
    """Options of ``sta410 serve`` and ``sta410 ui``."""

    host: str = "127.0.0.1"
    port: int = 8410
    url: str = ""  # the address people open, for links in messages; by default that of host and port
    concurrency: int = 1  # runs at the same time; 0 leaves them to other services over the same database
    anonymous_read: bool = False  # whether pages and API can be read without a token
    local: bool = False  # ``sta410 ui``: one person on this machine, no login
    schedules: bool = True  # whether to start what schedules.toml declares
    requests: int = 1200  # a minute, for each token

    @property
    def address(self) -> str:
        """The address that people open, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.url or f"http://{host}:{self.port}").rstrip("/")


@dataclass(frozen=True)
class Site:
    """One project as the service sees it."""

    project: Path
    options: ServiceOptions
    database: Database
    users: Users
    limits: Limits
    stopping: threading.Event = field(default_factory=threading.Event)  # set when the service is to end

    @property
    def runs(self) -> Path:
        """The folder of its runs."""
        return self.project / "runs"

    @cached_property
    def index(self) -> Registry:
        """The index of its runs, in which their manifests are remembered."""
        return Registry(self.runs)

    def listed(self) -> list[ListedRun]:
        """Return its runs, newest first; manifests that have not changed are not read again."""
        return list_runs(self.runs, index=self.index)

    def trials(self) -> list[dict[str, Any]]:
        """Return what was tried on each dataset and target."""
        path = Ledger.of_project(self.project).path
        if path is None or not path.is_file():
            return []
        found: list[dict[str, Any]] = self.index.remembered(path, ledger_rows)
        return found


async def _site(request: Request) -> Site:
    return site_of(request)


Served = Annotated[Site, Depends(_site)]  # the site that answers a request


def open_site(project: Path, options: ServiceOptions) -> Site:
    """Return the site of a project, its database opened and brought up to date."""
    project = project.resolve()
    if not (project / MARKER).is_file():
        message = f"{project} {OUTSIDE}; change into a project"
        raise ConfigurationError(message)
    if not can_write(project):
        message = f"{project / 'runs'} cannot be written, so that no run could begin; correct its permissions"
        raise ConfigurationError(message)
    database = open_database(project)
    return Site(project, options, database, Users(database), Limits(options.requests))


def can_write(project: Path) -> bool:
    """Tell whether the runs of a project can be written."""
    runs = project / "runs"
    return os.access(runs if runs.is_dir() else project, os.W_OK)


def site_of(request: Request) -> Site:
    """Return the site that answers a request."""
    return cast("Site", request.app.state.site)
