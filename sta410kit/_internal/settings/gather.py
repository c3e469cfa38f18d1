"""Ask every source, in the order of precedence; this is the only place that knows the order."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sta410kit._internal.settings.dotenv_file import read_dotenv, warn_of_misspelt
from sta410kit._internal.settings.found import Found, Layer
from sta410kit._internal.settings.secret_file import read_secret_files
from sta410kit._internal.settings.sections import ENVIRONMENTS
from sta410kit._internal.settings.table import Setting
from sta410kit.exceptions import ConfigurationError


def gather(
    environ: Mapping[str, str], folder: Path | None, secrets_folder: Path, table: Sequence[Setting]
) -> Layer:
    """Return what is found for the settings of `table`, and for any other variable.

    Parameters
    ----------
    environ : mapping of str to str
        The real environment.
    folder : Path or None
        Where ``.env`` and ``.env.<environment>`` are looked for.
    secrets_folder : Path
        Where secret files are looked for.
    table : sequence of Setting
        What is known, for secrets and for the warning about misspelt names.
    """
    known = [one.variable for one in table]
    secret = [one.variable for one in table if one.secret]
    process = {name: Found(text, "environment") for name, text in environ.items() if text.strip()}
    common = read_dotenv(folder / ".env", environ, known) if folder else {}
    selected = _environment({**common, **process})
    # An unknown environment selects no file (it might be a path); it is refused with the other settings.
    special: Layer = {}
    if folder and selected in ENVIRONMENTS:
        special = read_dotenv(folder / f".env.{selected}", environ, known)
    for layer in (common, special):
        warn_of_misspelt(layer, [*known, *(f"{name}_FILE" for name in secret)])
    files = read_secret_files(secret, {**common, **special, **process}, folder or Path(), secrets_folder)
    found = {**common, **special, **files, **process}
    if _environment(found) != selected:
        origin = found["ENVIRONMENT"].origin
        message = (
            f"{origin} sets ENVIRONMENT to something else, but it is read because ENVIRONMENT is {selected}; "
            f"remove that line from {origin}."
        )
        raise ConfigurationError(message)
    return found


def _environment(layer: Layer) -> str:
    return layer["ENVIRONMENT"].text.strip().lower() if "ENVIRONMENT" in layer else "development"
