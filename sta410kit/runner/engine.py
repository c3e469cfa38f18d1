"""The papermill engine ``sta410``: ``papermill --engine sta410 notebook.ipynb out.ipynb``.

Papermill's own engine with two changes: a Python notebook gets the kernel ``sta410``, forked from the
warm server, and secrets are redacted before the notebook is saved. `sta410 run` does not come here, see
`execute`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from papermill.engines import NBClientEngine
from papermill.iorw import write_ipynb
from papermill.log import logger

from sta410kit.runner.kernels import LocalKernelManager
from sta410kit.runner.kernelspecs import WARM, is_this_python
from sta410kit.runner.notebook_redaction import forget_redactions, redacted_notebook, redactions
from sta410kit.runner.secret_parameters import refuse_secret_parameters
from sta410kit.secrets import learn_configured_secrets


class WarmEngine(NBClientEngine):  # type: ignore[misc] # papermill is untyped
    """Execute a managed notebook in a warm kernel."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str | None = None, **how: Any) -> Any:  # noqa: ANN401 - papermill is untyped
        """Execute a notebook and save it as it goes; a parameter that is a secret is refused."""
        learn_configured_secrets()
        forget_redactions(nb)
        refuse_secret_parameters(nb.metadata.get("papermill", {}).get("parameters", {}))
        # Papermill saves before it asks the engine; so it learns only then where to.
        return super().execute_notebook(nb, kernel_name, None, destination=output_path, **how)

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,  # noqa: ANN401
        kernel_name: str,
        *,
        destination: str | None = None,
        **keywords: Any,  # noqa: ANN401
    ) -> None:
        """Execute every code cell as papermill's own engine does."""
        nb_man.output_path = destination
        nb_man.save = partial(_save_clean, nb_man)
        nb_man.save()
        kernel = WARM if is_this_python(kernel_name) else kernel_name
        try:
            super().execute_managed_notebook(
                nb_man, kernel, kernel_manager_class=LocalKernelManager, **keywords
            )
        finally:
            clean = nb_man.save()
            nb_man.nb.update(clean)  # papermill itself writes it once more
            for text in redactions(clean):
                logger.warning("%s", text)


def _save_clean(nb_man: Any, **_: Any) -> Any:  # noqa: ANN401 - a method of papermill's
    """Save what papermill's own `save` would, without secrets, and return it."""
    clean = redacted_notebook(nb_man.nb)
    if nb_man.output_path:
        write_ipynb(clean, nb_man.output_path)
    return clean
