"""Read settings from the environment, secret files and ``.env`` files, in the order of precedence."""

import io
import warnings
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from sta410kit._internal.settings.fields import Setting
from sta410kit._internal.settings.sections import ENVIRONMENTS
from sta410kit.exceptions import ConfigurationError, ConfigurationWarning

SECRETS_FOLDER = Path("/run/secrets")  # where Docker and Podman mount secrets
_LARGEST_SECRET = 64 * 1024  # bytes; a larger file is something else, named by mistake
# Near enough for a typing error (GD_LRR), far enough from the variables of other tools.
_SIMILAR = 0.8


class Found(NamedTuple):
    """The text of a variable, and its origin: ``environment``, ``.env`` or ``file /run/secrets/...``."""

    text: str
    origin: str

    def __repr__(self) -> str:  # the text may be a secret
        return f"Found(origin={self.origin!r})"


def gather(
    environ: Mapping[str, str], folder: Path | None, secrets_folder: Path, settings: Sequence[Setting]
) -> dict[str, Found]:
    """Return text and origin of each variable that is set to something, by order of precedence."""
    process = {name: Found(text, "environment") for name, text in environ.items() if text.strip()}
    common = read_dotenv(folder / ".env") if folder else {}
    environment = _environment({**common, **process})
    special: dict[str, Found] = {}
    if folder and environment in ENVIRONMENTS:  # another is no file name, and refused with the other settings
        special = read_dotenv(folder / f".env.{environment}")
    _warn_of_misspelt({**common, **special}, settings)
    secret = [one.variable for one in settings if one.secret]
    named = {**common, **special, **process}
    files = {name: one for name in secret if (one := _secret_file(name, named, folder, secrets_folder))}
    found = {**common, **special, **files, **process}
    if _environment(found) != environment:
        origin = found["ENVIRONMENT"].origin
        message = (
            f"{origin} sets ENVIRONMENT to something else, but it is read because ENVIRONMENT is "
            f"{environment}; remove that line from {origin}."
        )
        raise ConfigurationError(message)
    return found


def read_dotenv(path: Path) -> dict[str, Found]:
    """Return the variables of a ``.env`` file; errors name the line and never quote it."""
    if not path.exists() and not path.is_symlink():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        message = f"{path} cannot be read ({reason}); it takes text with one NAME=value a line."
        raise ConfigurationError(message) from None  # a decoding error holds the content
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            statement = binding.original.string
            blank = statement[: len(statement) - len(statement.lstrip())].count("\n")
            message = (
                f"{path}, line {binding.original.line + blank}: not of the form NAME=value "
                "(a missing '=' or an unclosed quote); correct or remove that line."
            )
            raise ConfigurationError(message)
    values = dotenv_values(stream=io.StringIO(text))
    return {name: Found(value, path.name) for name, value in values.items() if value and value.strip()}


def _environment(found: Mapping[str, Found]) -> str:
    return found["ENVIRONMENT"].text.strip().lower() if "ENVIRONMENT" in found else "development"


def _warn_of_misspelt(found: Mapping[str, Found], settings: Sequence[Setting]) -> None:
    known = [one.variable for one in settings] + [f"{one.variable}_FILE" for one in settings if one.secret]
    for name in sorted(found.keys() - known):
        meant = get_close_matches(name.upper(), known, n=1, cutoff=_SIMILAR)
        if meant:
            message = f"{found[name].origin} sets {name}, which no setting reads; did you mean {meant[0]}?"
            warnings.warn(message, ConfigurationWarning, stacklevel=2)


def _secret_file(
    name: str, found: Mapping[str, Found], folder: Path | None, secrets_folder: Path
) -> Found | None:
    """Return what the file that ``<NAME>_FILE`` names holds, or the one in the folder of secrets."""
    pointer = found.get(f"{name}_FILE")
    path = (folder or Path()) / pointer.text.strip() if pointer else secrets_folder / name.lower()
    try:
        if pointer is None and not path.is_file():
            return None
        with path.open("rb") as file:
            raw = file.read(_LARGEST_SECRET + 1)
        text = raw.decode("utf-8-sig").strip()
        reason = "is empty" if not text else "is too large" if len(raw) > _LARGEST_SECRET else ""
    except PermissionError as error:
        if pointer is None:  # a secret of another user
            return None
        reason = f"cannot be read ({error.strerror})"
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({error.strerror if isinstance(error, OSError) else 'not UTF-8 text'})"
    if reason:
        message = f"{name}_FILE: {path} {reason}; it should hold the secret and nothing else."
        raise ConfigurationError(message) from None
    return Found(text, f"file {path}")
