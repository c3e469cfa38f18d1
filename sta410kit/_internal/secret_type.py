"""A masked type for credentials."""

from typing import Self

from pydantic import SecretStr

from sta410kit.exceptions import SecretsManagementError


class Secret(SecretStr):
    """A credential that stays out of every text it is put into."""

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
