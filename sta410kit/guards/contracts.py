"""The one place that talks to Great Expectations: build a suite from JSON, evaluate it on a frame."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from sta410kit.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

EXAMPLE_ROWS = 20
_LOCK = threading.Lock()  # a Great Expectations context is not made for several threads


def evaluate(name: str, expectations: Sequence[dict[str, Any]], frame: pd.DataFrame) -> dict[str, Any]:
    """Evaluate `expectations` on `frame` and return the validation result as JSON values.

    Parameters
    ----------
    name : str
        Name of the suite, used in messages and in the data docs.
    expectations : sequence of dict
        In Great Expectations' own JSON form.
    frame : pandas.DataFrame
        Any frame with unique, textual column names; it is not changed.

    Raises
    ------
    ConfigurationError
        An expectation cannot be loaded. Great Expectations drops such ones without a word; they are counted.
    """
    with _LOCK:
        suite = load(name, expectations)
        form = {
            "result_format": "SUMMARY",
            "partial_unexpected_count": EXAMPLE_ROWS,
            "unexpected_index_column_names": [key for key in ("symbol", "date") if key in frame.columns],
        }
        batch = _batch_definition().get_batch({"dataframe": _plain_dtypes(frame)})
        result: dict[str, Any] = batch.validate(suite, result_format=form).to_json_dict()
    if len(result["results"]) != len(expectations):
        message = (
            f"suite '{name}': {len(expectations)} expectations were asked, {len(result['results'])} answered"
        )
        raise ConfigurationError(message)
    return result


def load(name: str, expectations: Sequence[dict[str, Any]]) -> Any:  # noqa: ANN401 - an ExpectationSuite
    """Return the Great Expectations suite; an expectation that cannot be loaded is a `ConfigurationError`."""
    gx = great_expectations()
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    loaded = []
    for item in expectations:
        try:
            loaded.append(ExpectationConfiguration(**item).to_domain_obj())
        except Exception as error:  # whatever the library says of it, it could not be loaded
            reason = " ".join(str(error).split()) or type(error).__name__
            message = (
                f"suite '{name}': {item['type']} with {item['kwargs']} cannot be loaded ({reason}); "
                "correct its type or arguments in the suite file"
            )
            raise ConfigurationError(message) from error
    suite = gx.ExpectationSuite(name=name, expectations=loaded)
    if len(suite.expectations) != len(expectations):
        message = f"suite '{name}': Great Expectations dropped an expectation while loading"
        raise ConfigurationError(message)
    return suite


def great_expectations() -> Any:  # noqa: ANN401 - the module itself
    """Import Great Expectations with its analytics off, unless the user has turned them on.

    It logs its inner bookkeeping while it loads, and tqdm warns that it cannot draw a bar the kit does not
    show: neither is news to whoever validates.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        import great_expectations as gx
    # This one sets a level of its own while it is imported.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    return gx


@cache
def _batch_definition() -> Any:  # noqa: ANN401 - a BatchDefinition
    """One context a process, in memory; nothing is written, nothing is shown, no progress bar."""
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("sta410").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _plain_dtypes(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the same values in numpy dtypes, text as objects, on a plain index.

    Great Expectations' type checks know numpy's dtypes only. Text as objects is judged value by value, and so
    the rows are named; nullable, Arrow and categorical columns hold the same values in another layout.
    """
    import pandas as pd
    from pandas.api.types import is_extension_array_dtype

    plain = frame.reset_index(drop=True)
    for name, dtype in frame.dtypes.items():
        if is_extension_array_dtype(dtype) and not isinstance(dtype, pd.DatetimeTZDtype):
            values = plain[name].to_numpy()
            plain[name] = pd.Series(values, dtype=values.dtype)
    return plain
