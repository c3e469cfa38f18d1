"""The exceptions: one base, pickling, exit codes."""

import inspect
import pickle

import pytest

from sta410kit import exceptions
from sta410kit.exceptions import (
    ConfigurationError,
    STA410Exception,
    STA410Warning,
)
from sta410kit.exit_codes import ExitCode

pytestmark = pytest.mark.unit

ALL = [one for _, one in inspect.getmembers(exceptions, inspect.isclass) if issubclass(one, Exception)]
ERRORS = [one for one in ALL if issubclass(one, STA410Exception)]


def test_the_promised_names_are_there():
    """The names of the old system."""
    assert {one.__name__ for one in ERRORS} >= {
        "STA410Exception",
        "DataLoadingError",
        "DataValidationError",
        "FeatureEngineeringError",
        "ModelTrainingError",
        "ModelPredictionError",
        "ConfigurationError",
        "SecretsManagementError",
        "TradingExecutionError",
        "CacheError",
        "APIError",
    }


def test_everything_has_one_of_two_bases():
    """An error is a STA410Exception, a warning a STA410Warning; each says what it is."""
    assert all(issubclass(one, STA410Exception | STA410Warning) for one in ALL)
    assert all(one.__doc__ and one.__doc__.strip() for one in ALL)


@pytest.mark.parametrize("kind", ALL)
def test_each_survives_pickling(kind):
    """A worker process can hand it back whole."""
    again = pickle.loads(pickle.dumps(kind("price -1 in row 3")))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert str(again) == "price -1 in row 3"


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_names_an_exit_code_of_failure(kind):
    """Whatever is raised ends a command with a number that means something."""
    assert isinstance(kind.exit_code, ExitCode)
    assert kind.exit_code is not ExitCode.PASSED


def test_a_configuration_error_is_a_value_error():
    """Code written for the old system catches ValueError."""
    assert issubclass(ConfigurationError, ValueError)
    assert ConfigurationError.exit_code is ExitCode.USAGE
