"""The channels that alerts are sent to, through apprise: all at once, and none delays the others."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sta410kit._internal.credentials import split_urls
from sta410kit._internal.redaction import redact
from sta410kit.config import get_config
from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity = Literal["info", "success", "warning", "failure"]
PATIENCE = 5.0  # seconds for all channels together
_NO_PICTURES = {"image_url_mask": "", "image_url_logo": ""}  # apprise would show those on its own site


@dataclass(frozen=True)
class Message:
    """What people read."""

    title: str
    text: str
    severity: Severity = "info"


@dataclass
class Delivery:
    """Whether a channel took a message; it is named by its place in ALERT_URLS and kind: ``2 (slack)``."""

    channel: str
    problem: str = ""  # why not, without anything secret; empty where it did

    @property
    def sent(self) -> bool:
        """Whether the channel took it."""
        return not self.problem


def channel_urls() -> list[str]:
    """Return the addresses of ALERT_URLS.

    Raises
    ------
    ConfigurationError
        There are some, and apprise is not installed.
    """
    urls = split_urls(get_config().night.alert_urls.get_secret_value())
    if urls:
        _apprise()
    return urls


def channel_name(place: int, url: str) -> str:
    """Return what a channel is called where its address must not be seen."""
    return f"{place} ({url.partition('://')[0].lower()})"


def deliver(message: Message, urls: Sequence[str], patience: float = PATIENCE) -> list[Delivery]:
    """Send a message to each address at the same time and return how that went, in their order.

    A channel that has not answered in time counts as failed. Its thread is left behind and ends with the
    process at the latest.
    """
    found = [Delivery(channel_name(place, url)) for place, url in enumerate(urls, 1)]
    threads = []
    for delivery, url in zip(found, urls, strict=True):
        sender = _sender(url)  # not in the thread: it imports a hundred modules, and asks nobody
        delivery.problem = f"no answer within {patience:g} s" if sender else "apprise knows no such address"
        if sender:
            threads.append(threading.Thread(target=_send, args=(sender, message, delivery), daemon=True))
            threads[-1].start()
    until = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [Delivery(one.channel, one.problem) for one in found]  # a late answer changes nothing any more


def _sender(url: str) -> Any:  # noqa: ANN401 - apprise has no types
    """Return what sends to an address; nothing where it is none."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(app_id="sta410kit", app_desc="sta410kit", app_url="", **_NO_PICTURES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # in its plugins
        channel = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if channel is None:
        return None
    sender = apprise.Apprise(asset=asset)
    sender.add(channel)
    return sender


def _send(sender: Any, message: Message, delivery: Delivery) -> None:  # noqa: ANN401
    """Send to one address; note in `delivery` what went wrong."""
    apprise = _apprise()
    try:
        taken = sender.notify(
            body=redact(message.text),
            title=redact(message.title),
            notify_type=apprise.NotifyType(message.severity),
            body_format=apprise.NotifyFormat.TEXT,
        )
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and its text may hold the address
        delivery.problem = f"it failed with {type(error).__name__}"
    else:
        delivery.problem = "" if taken else "it did not take the message"


def _apprise() -> Any:  # noqa: ANN401
    try:
        import apprise
    except ModuleNotFoundError as error:
        message = "ALERT_URLS needs apprise: pip install 'sta410kit[night]'"
        raise ConfigurationError(message) from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its records show hosts and tokens
    return apprise
