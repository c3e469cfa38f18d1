"""Serve the application with uvicorn."""

from pathlib import Path

from sta410kit.service.app import ServiceOptions, create_app


def serve(project: Path, options: ServiceOptions) -> None:
    """Serve a project until the process is interrupted."""
    import uvicorn

    app = create_app(project, options)
    uvicorn.run(app, host=options.host, port=options.port, log_config=None, server_header=False)
