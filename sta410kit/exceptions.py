"""The exceptions and warnings of the kit, each with one base class.

Every exception carries one message and nothing else, so all of them survive pickling, and each class
names the exit code that a command ends with when nothing catches it.
"""

from sta410kit.exit_codes import ExitCode


class STA410Exception(Exception):  # noqa: N818 - the seed's name
    """Something the kit refuses or could not do; the message names the value and the next command."""

    exit_code = ExitCode.NOTEBOOK_FAILED


class DataLoadingError(STA410Exception):
    """Data exists but could not be read."""

    exit_code = ExitCode.DATA_REJECTED


class DataValidationError(STA410Exception):
    """Data was read and breaks a rule."""

    exit_code = ExitCode.DATA_REJECTED


class FeatureEngineeringError(STA410Exception):
    """Features could not be computed from the prices given."""


class ModelTrainingError(STA410Exception):
    """A model could not be fitted on the table given."""


class ModelPredictionError(STA410Exception):
    """A fitted model could not be loaded or could not predict."""


class ConfigurationError(STA410Exception, ValueError):
    """A setting, parameter or path is missing or wrong; refused before any work is done."""

    exit_code = ExitCode.USAGE


class SecretsManagementError(STA410Exception):
    """A credential is missing, malformed or a placeholder."""

    exit_code = ExitCode.USAGE


class SecretFoundError(STA410Exception):
    """A secret is where it would be written to disk; the message never holds it."""

    exit_code = ExitCode.SECRET_FOUND


class LeakageError(STA410Exception):
    """Something computed for a session depends on what came after it."""

    exit_code = ExitCode.LEAK_FOUND


class NotebookError(STA410Exception):
    """A notebook failed, and not by an exception of the kit."""


class TradingExecutionError(STA410Exception):
    """An order breaks a trading limit."""


class CacheError(STA410Exception):
    """A cached file could not be read or written."""

    exit_code = ExitCode.USAGE


class APIError(STA410Exception):
    """A remote source did not answer, and nothing fresh enough was cached."""

    exit_code = ExitCode.SOURCE_UNAVAILABLE


class SchedulerUnavailableError(STA410Exception):
    """The Dask scheduler of a sweep did not answer, or has no workers."""

    exit_code = ExitCode.SCHEDULER_UNAVAILABLE


class DatabaseError(STA410Exception):
    """The service's database does not answer, is damaged, or cannot be written."""

    exit_code = ExitCode.USAGE


class STA410Warning(UserWarning):
    """Something that does not stop the work, and that a person should look at."""


class ConfigurationWarning(STA410Warning):
    """A setting is probably not what was intended."""


class DataQualityWarning(STA410Warning):
    """Data breaks no rule and still looks odd."""


class LiveTradingWarning(STA410Warning):
    """Orders would go to an account with real money."""
