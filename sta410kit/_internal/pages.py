"""The HTML pages that the kit writes: one environment for their templates, one style sheet, one policy."""

from functools import cache
from typing import Any

from sta410kit._internal.redaction import redact

# Reports and data docs are static files: no script, no network, only inline styles and embedded images.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - any value a template can show
    """Return an HTML page, values escaped and secrets redacted; a value missing from `values` is an error."""
    return redact(templates().get_template(template).render(**values))


@cache
def templates() -> Any:  # noqa: ANN401 - a Jinja environment
    """Return the environment of the templates; one a process."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("sta410kit._internal")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals["content_security_policy"] = CONTENT_SECURITY_POLICY
    return environment
