"""The text of one setting, and where it was found."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Found:
    """A variable's text as it was written, before anything is made of it.

    Attributes
    ----------
    text : str
        Never shown in a ``repr``: it may be a secret.
    origin : str
        ``environment``, ``.env``, ``.env.production`` or ``file /run/secrets/alpaca_api_key``.
    """

    text: str = field(repr=False)
    origin: str


# What one source says, by variable name. A variable that is set to nothing counts as not set.
Layer = Mapping[str, Found]
