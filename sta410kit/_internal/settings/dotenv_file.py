"""The last source before the defaults: ``.env`` files, read by python-dotenv."""

import io
import stat
import warnings
from collections import ChainMap
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from dotenv.variables import Atom, Variable, parse_variables

from sta410kit._internal.settings.found import Found, Layer
from sta410kit.exceptions import ConfigurationError, ConfigurationWarning

# Close enough to catch a slip of the finger (GD_LRR, LOGLEVEL), far enough from other tools' variables: here
# a name need not be wrong, so less is taken for near than in `sta410kit._internal.text`.
_SIMILAR = 0.8


def read_dotenv(path: Path, environ: Mapping[str, str], watched: Collection[str] = ()) -> Layer:
    """Return the variables that the file at `path` sets to something; nothing when there is no such file.

    ``export``, quotes, comments and ``${NAME}`` work as in python-dotenv. What `environ` holds wins inside
    ``${NAME}``, as it does everywhere else.

    Raises
    ------
    ConfigurationError
        The file cannot be read, is no regular file, is not UTF-8, or has a line that python-dotenv cannot
        understand. The text names the file and the line and never quotes it: half a line of ``.env`` may
        be a password.

    Warns
    -----
    ConfigurationWarning
        One of the variables `watched` is set twice, to different values, or refers with ``${NAME}`` to one
        that is not set.
    """
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        if binding.error or (binding.key is not None and binding.value is None):
            message = (
                f"{path}, line {_line(binding)}: not of the form NAME=value "
                "(a missing '=' or an unclosed quote); correct or remove that line."
            )
            raise ConfigurationError(message)
        if binding.key is not None and binding.value is not None:
            known = ChainMap(dict(environ), values)
            atoms = list(parse_variables(binding.value))
            value = "".join(atom.resolve(known) for atom in atoms)
            doubt = _unset(atoms, known) or _set_again(values.get(binding.key), value)
            if doubt and binding.key in watched:
                # The value is not quoted: it may be a secret.
                message = f"{path.name}, line {_line(binding)}: {binding.key} {doubt}."
                warnings.warn(message, ConfigurationWarning, stacklevel=2)
            values[binding.key] = value
    return {name: Found(text, path.name) for name, text in values.items() if text.strip()}


def _line(binding: Binding) -> int:
    """Return the line a statement stands on; the parser counts the blank ones before it as part of it."""
    statement = binding.original.string
    return binding.original.line + statement[: len(statement) - len(statement.lstrip())].count("\n")


def _unset(atoms: Iterable[Atom], known: Mapping[str, str]) -> str:
    if any(isinstance(atom, Variable) and atom.default is None and atom.name not in known for atom in atoms):
        return "refers with ${...} to a variable that is not set, which counts as empty"
    return ""


def _set_again(earlier: str | None, value: str) -> str:
    return "is set once more; the last line counts" if earlier not in {None, value} else ""


def warn_of_misspelt(layer: Layer, known: Collection[str]) -> None:
    """Warn of each variable in `layer` that nobody reads and that is nearly one of `known`."""
    for name in sorted(set(layer) - set(known)):
        meant = get_close_matches(name.upper(), known, n=1, cutoff=_SIMILAR)
        if meant:
            message = f"{layer[name].origin} sets {name}, which no setting reads; did you mean {meant[0]}?"
            warnings.warn(message, ConfigurationWarning, stacklevel=2)


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            message = f"{path} is not a file; .env files are text with one NAME=value a line. Move it away."
            raise ConfigurationError(message)
        raw = path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            message = f"{path} is a link to a file that does not exist; correct or remove the link."
            raise ConfigurationError(message) from None
        return ""
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); check its owner and permissions."
        raise ConfigurationError(message) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = f"{path}, line {line}: not UTF-8 text; save the file as UTF-8."
        # The original error carries the whole file, secrets included, so it is not chained.
        raise ConfigurationError(message) from None
