"""Credentials at the point of use.

The configuration holds them masked. What this module hands out is plain text, registered for redaction, so
that it can be sent to the broker and still never shows in a log, a report or a run folder.
"""

import os
import warnings
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from sta410kit._internal.credentials import problems_with_pair, secrets_in_urls
from sta410kit._internal.kernel_redaction import register
from sta410kit._internal.project import project_folder
from sta410kit._internal.settings.fields import is_loopback
from sta410kit._internal.settings.sections import PAPER_ENDPOINT
from sta410kit._internal.settings.sources import SECRETS_FOLDER, Found, gather, read_dotenv
from sta410kit.config import Config, all_settings, get_config
from sta410kit.exceptions import ConfigurationError, LiveTradingWarning, SecretsManagementError

_NEXT_STEP = (
    "Set ALPACA_API_KEY and ALPACA_SECRET_KEY in the environment, in secret files or in .env "
    "(cp .env.example .env), then check them with: sta410 doctor"
)


def get_alpaca_credentials(config: Config | None = None) -> tuple[str, str]:
    """Return Alpaca's key ID and secret key in clear; both are redacted in all output from then on.

    Parameters
    ----------
    config : Config, optional
        The configuration of this process when omitted.

    Raises
    ------
    SecretsManagementError
        One is missing, too short or a placeholder; the text names both variables and no value.
    """
    api = (config or get_config()).api
    api_key, secret_key = api.alpaca_api_key.get_secret_value(), api.alpaca_secret_key.get_secret_value()
    register(api_key)
    register(secret_key)
    validate_api_credentials(api_key, secret_key)
    return api_key, secret_key


def learn_configured_secrets(folder: Path | None = None) -> None:
    """Register the credentials of a project for redaction, without handing them out.

    For a process that writes the output of another one: a papermill engine, a Jupyter server. Wrong settings
    are ignored here; `get_config` reports them.

    Parameters
    ----------
    folder : Path, optional
        A folder or file in the project; the current folder when omitted.
    """
    secret = [one for one in all_settings() if one.secret]
    try:
        found = gather(os.environ, project_folder(folder), SECRETS_FOLDER, all_settings())
    except ConfigurationError:
        found = {name: Found(text, "environment") for name, text in os.environ.items()}
    for one in secret:
        if one.variable in found:
            text = found[one.variable].text
            for part in [text, *(secrets_in_urls(text) if "://" in text else ())]:
                register(part)


def get_alpaca_base_url(config: Config | None = None) -> str:
    """Return the trading endpoint without a slash at its end.

    Parameters
    ----------
    config : Config, optional
        The configuration of this process when omitted.

    Warns
    -----
    LiveTradingWarning
        It is neither Alpaca's paper endpoint nor on this machine, so orders may use real money.
    """
    url = (config or get_config()).api.alpaca_base_url
    host = urlsplit(url).hostname or ""
    if host != urlsplit(PAPER_ENDPOINT).hostname and not is_loopback(host):
        message = f"ALPACA_BASE_URL is {url}, a live endpoint: orders use real money. Paper: {PAPER_ENDPOINT}"
        warnings.warn(message, LiveTradingWarning, stacklevel=2)
    return url


def validate_api_credentials(api_key: str, secret_key: str) -> bool:
    """Return ``True`` when both credentials look real; whether the broker takes them, only a request tells.

    Raises
    ------
    SecretsManagementError
        One is missing, too short, a placeholder or not a single word of text. Every problem is named,
        no value is.
    """
    problems = problems_with_pair(api_key, secret_key)
    if problems:
        message = f"{'; '.join(problems)}. {_NEXT_STEP}"
        raise SecretsManagementError(message)
    return True


def mask_secret(secret: str, visible_chars: int = 4) -> str:
    """Return `secret` as stars except for its last characters, so that two keys can be distinguished.

    Never more than half of it is shown: where `visible_chars` would be more, all of it is stars. There is
    one star for each character hidden.

    Parameters
    ----------
    secret : str
        The text to hide; anything that is not text is refused.
    visible_chars : int
        How many characters to show at the end; 0 or less shows none.

    Raises
    ------
    SecretsManagementError
        `secret` is not text.
    """
    if not isinstance(secret, str):
        message = f"mask_secret takes text, not {type(secret).__name__}."  # type: ignore[unreachable]
        raise SecretsManagementError(message)
    hidden = len(secret) - visible_chars
    if visible_chars <= 0 or hidden < visible_chars:
        return "*" * len(secret)
    return "*" * hidden + secret[-visible_chars:]


def load_secrets_from_file(path: str | Path) -> dict[str, str]:
    """Read secrets from a JSON or ``.env`` file, as the old system did with ``API_KEYs.json``.

    .. deprecated:: 0.1.0
        Put ``ALPACA_API_KEY`` and ``ALPACA_SECRET_KEY`` in the environment or in ``.env``, and call
        `get_alpaca_credentials`.

    Parameters
    ----------
    path : str or Path
        A ``.json`` file holding an object of texts, or objects of texts; anything else is read as
        ``NAME=value`` lines.

    Returns
    -------
    dict of str to str
        Every text by its name; one inside an inner object is named ``outer_inner``. All are registered
        for redaction.

    Raises
    ------
    SecretsManagementError
        The file is missing, unreadable or not of that form. The text quotes nothing from it.
    """
    warnings.warn(
        "load_secrets_from_file is deprecated: a file of plain secrets is easily committed. "
        "Put ALPACA_API_KEY and ALPACA_SECRET_KEY in .env or the environment and call "
        "sta410kit.secrets.get_alpaca_credentials().",
        DeprecationWarning,
        stacklevel=2,
    )
    path = Path(path)
    if not path.is_file():
        message = f"{path}: there is no such file. {_NEXT_STEP}"
        raise SecretsManagementError(message)
    secrets = _from_json(path) if path.suffix.lower() == ".json" else _from_dotenv(path)
    if not secrets:
        message = f"{path} holds no secret. {_NEXT_STEP}"
        raise SecretsManagementError(message)
    for value in secrets.values():
        register(value)
    return secrets


def _from_json(path: Path) -> dict[str, str]:
    form = TypeAdapter(dict[str, str | dict[str, str]])
    try:
        content = form.validate_json(path.read_text(encoding="utf-8-sig"), strict=True)
    except (OSError, ValueError):  # not chained: it may quote the file
        message = f"{path} cannot be read as JSON with texts, or objects of texts. {_NEXT_STEP}"
        raise SecretsManagementError(message) from None
    found: dict[str, str] = {}
    for name, value in content.items():
        found |= {name: value} if isinstance(value, str) else {f"{name}_{k}": v for k, v in value.items()}
    return found


def _from_dotenv(path: Path) -> dict[str, str]:
    try:
        return {name: found.text for name, found in read_dotenv(path).items()}
    except ConfigurationError as error:
        raise SecretsManagementError(str(error)) from error
