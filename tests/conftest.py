"""What holds for every test: the kit's defaults."""

import pytest

from sta410kit.config import all_settings


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer():
    """Take the kit's settings out of the environment: what somebody exported must not change a result."""
    with pytest.MonkeyPatch.context() as environment:
        for one in all_settings():
            environment.delenv(one.variable, raising=False)
            environment.delenv(f"{one.variable}_FILE", raising=False)
        yield
