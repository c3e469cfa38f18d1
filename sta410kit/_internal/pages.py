"""The HTML pages that the kit writes: one environment for their templates, one style sheet, one policy.

Reports, notebooks and data docs are files: they load nothing, and work without a script. The only script that
may run is ``search.js``, which a page has inside, known by its digest.
"""

from functools import cache
from typing import Any

from sta410kit._internal.redaction import redact
from sta410kit._internal.text import utc

NO_SCRIPT = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
CONTENT_SECURITY_POLICY = f"{NO_SCRIPT}; script-src 'sha256-YWeYJY890szwmp3Z2P1NSdiQYkZD9EbnkrVBYUKBj5s='"


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - any value a template can show
    """Return an HTML page, values escaped and secrets redacted; a value missing from `values` is an error."""
    return redact(templates().get_template(template).render(**values))


def templates_of(*packages: str, **options: Any) -> Any:  # noqa: ANN401 - Jinja's
    """Return a new environment of the templates of `packages` and of those that all pages share."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader(name) for name in (*packages, "sta410kit._internal")])
    found = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, **options
    )
    found.filters["utc"] = utc
    return found


@cache
def templates() -> Any:  # noqa: ANN401 - a Jinja environment
    """Return the environment of the templates of files; one a process."""
    from markupsafe import Markup

    environment = templates_of()
    environment.globals["content_security_policy"] = CONTENT_SECURITY_POLICY
    script = environment.loader.get_source(environment, "search.js")[0]
    environment.globals["search_script"] = Markup(script.rstrip("\n"))  # noqa: S704 - the kit's own
    return environment
