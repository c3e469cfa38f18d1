"""The door to Great Expectations: imported late, with its analytics off and its bookkeeping quiet."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any


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
