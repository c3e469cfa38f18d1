"""The templates of the pages that the guards write."""

from __future__ import annotations

from functools import cache
from typing import Any

from sta410kit._internal.pages import CONTENT_SECURITY_POLICY


def render_page(template: str, **values: object) -> str:
    """Return a page; text is escaped, `failures` and `sections` are HTML."""
    from markupsafe import Markup

    safe = {"failures", "sections"}  # already HTML, escaped where it was made
    values = {
        key: ([Markup(part) for part in value] if isinstance(value, list) else Markup(value))  # noqa: S704
        if key in safe
        else value
        for key, value in values.items()
    }
    return str(templates().get_template(template).render(**values))


@cache
def templates() -> Any:  # noqa: ANN401 - a Jinja environment
    """Return the environment of the templates; one a process."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sta410kit.guards"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["content_security_policy"] = CONTENT_SECURITY_POLICY
    return environment
