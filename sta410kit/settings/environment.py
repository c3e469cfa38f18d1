"""The first source: variables of the process."""

from collections.abc import Mapping

from sta410kit.settings.found import Found, Layer


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Return the variables of `environ` that are set to something."""
    return {name: Found(text, "environment") for name, text in environ.items() if text.strip()}
