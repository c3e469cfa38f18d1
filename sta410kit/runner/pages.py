"""Render the runner's HTML pages from ``templates/``."""

from functools import cache
from typing import Any

from sta410kit._internal.pages import CONTENT_SECURITY_POLICY
from sta410kit._internal.redaction import redact


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - any value a template can show
    """Return an HTML page, values escaped and secrets redacted; a value missing from `values` is an error."""
    return redact(_environment().get_template(template).render(**values))


@cache
def _environment() -> Any:  # noqa: ANN401 - a Jinja environment
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader("sta410kit.runner"), PackageLoader("sta410kit.guards")])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.globals["content_security_policy"] = CONTENT_SECURITY_POLICY
    return environment
