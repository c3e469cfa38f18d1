"""A source for secrets only: files, as Docker, Kubernetes and systemd hand them over."""

from collections.abc import Iterable
from pathlib import Path

from sta410kit._internal.settings.found import Found, Layer
from sta410kit.exceptions import ConfigurationError

# Where Docker and Podman mount secrets.
SECRETS_FOLDER = Path("/run/secrets")
# A credential is a line; a file larger than this is something else, named by mistake.
_LARGEST = 64 * 1024


def read_secret_files(
    names: Iterable[str], pointers: Layer, project: Path, secrets_folder: Path = SECRETS_FOLDER
) -> Layer:
    """Return the secrets among `names` that stand in a file of their own.

    Parameters
    ----------
    names : iterable of str
        Variables of secret settings, such as ``ALPACA_API_KEY``.
    pointers : Layer
        Where to look for ``<NAME>_FILE``, a path; a relative one starts at `project`.
    project : Path
        The project folder.
    secrets_folder : Path
        Holds one file a secret, named like the variable in lower case; looked at when there is no
        ``<NAME>_FILE``. It need not exist.

    Raises
    ------
    ConfigurationError
        A file is named and missing, unreadable, empty, too large or not text. The text names the variable
        and the file, never the content.
    """
    layer = {}
    for name in names:
        pointer = pointers.get(f"{name}_FILE")
        if pointer is not None:
            path = project / pointer.text.strip()
            layer[name] = Found(_read(path, f"{name}_FILE (from {pointer.origin})"), f"file {path}")
        else:
            path = secrets_folder / name.lower()
            if _is_there(path):
                layer[name] = Found(_read(path, name), f"file {path}")
    return layer


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that this user may not look into holds no secret for this user
        return False


def _read(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
        text = raw.decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        message = f"{variable}: {path} cannot be read ({reason}); correct the path or the file."
        # A decoding error carries the content, so it is not chained.
        raise ConfigurationError(message) from None
    if not text or len(raw) > _LARGEST:
        reason = "is empty" if not text else f"is larger than {_LARGEST} bytes"
        message = f"{variable}: {path} {reason}; it should hold the secret and nothing else."
        raise ConfigurationError(message)
    return text
