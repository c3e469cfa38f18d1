"""A masked type for credentials."""

from typing import Self

from pydantic import SecretStr

from sta410kit.exceptions import SecretsManagementError


class Secret(SecretStr):
    """A credential that stays out of every text it is put into.

    It is not a ``str``: nothing can print, join, log or send it by mistake. ``str``, ``repr``, an f-string
    and JSON show ten stars, or nothing when it is empty. `get_secret_value` returns the text, at
    the point of use. A pickle would hold the value in clear, so pickling is refused, unless it is empty; the
    other process reads its own configuration.
    """

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        if not self.get_secret_value():
            return type(self), ("",)
        message = (
            "A secret is not pickled, because the pickle would hold it in clear; "
            "call sta410kit.config.get_config() in the other process instead."
        )
        raise SecretsManagementError(message)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    @property
    def __dict__(self) -> dict[str, object]:  # type: ignore[override]
        """Empty: ``vars`` and serializers that go by attributes must not find the value."""
        return {}

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self
