"""The runner's pages, written from the templates in ``templates/``."""

from __future__ import annotations

from functools import cache
from typing import Any

from sta410kit._internal.redaction import redact


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template shows
    """Return a page in HTML, secrets scrubbed; a value the template asks for and is not given is an error."""
    return redact(_environment().get_template(template).render(**values))


@cache
def _environment() -> Any:  # noqa: ANN401 - a Jinja environment
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader("sta410kit.runner"), PackageLoader("sta410kit.guards")])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
