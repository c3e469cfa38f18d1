"""The papermill engine ``sta410``: ``papermill --engine sta410 notebook.ipynb out.ipynb``.

Cells run in a process forked from the warm server, with the outputs and errors of papermill's own engine.
A notebook for another kernel, one with widgets, or a machine without a fork server gets that engine; both
save the notebook only after secrets are redacted. `sta410 run` does not come here, see `execute`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.engines import Engine, NBClientEngine
from papermill.iorw import write_ipynb
from papermill.log import logger

from sta410kit._internal.redaction import redact
from sta410kit.runner.kernelspecs import NATIVE, PYTHON, is_this_python
from sta410kit.runner.notebook import EXPECTED, SKIP, add_missing_error, inject_parameters
from sta410kit.runner.notebook_redaction import forget_redactions, redacted_notebook, redactions
from sta410kit.runner.ordinary_kernel import needs_a_client
from sta410kit.runner.outputs import Outputs
from sta410kit.runner.parameters import plain
from sta410kit.runner.secret_parameters import refuse_secret_parameters
from sta410kit.runner.warm import session as warm
from sta410kit.secrets import learn_configured_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS_BETWEEN_SAVES = 1.0


class WarmEngine(Engine):  # type: ignore[misc] # papermill is untyped
    """Execute a managed notebook in a forked process."""

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:  # noqa: ANN401 - papermill's signature
        """Return the kernel a notebook wants; one that names neither kernel nor language is Python's."""
        if not (name or nb.metadata.get("kernelspec", {}).get("name")) and cls.nb_language(nb) == PYTHON:
            return NATIVE
        return str(super().nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:  # noqa: ANN401
        """Return the language of a notebook; Python where it names none and its kernel is Python's."""
        spec = nb.metadata.get("kernelspec", {})
        named = language or nb.metadata.get("language_info", {}).get("name") or spec.get("language")
        if not named and is_this_python(spec.get("name") or NATIVE):
            return PYTHON
        return str(super().nb_language(nb, language))

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,  # noqa: ANN401 - papermill is untyped
        kernel_name: str,
        output_path: str | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        **how: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Execute a notebook and save it as it goes; secrets are redacted before anything is written."""
        learn_configured_secrets()
        forget_redactions(nb)
        if values:
            inject_parameters(nb, values, nbformat.from_dict)
            nb.metadata.papermill["parameters"] = {name: plain(value) for name, value in values.items()}
        refuse_secret_parameters(nb.metadata.get("papermill", {}).get("parameters", {}))
        # Papermill saves before it asks the engine; so it learns only then where to.
        return super().execute_notebook(nb, kernel_name, None, destination=output_path, **how)

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,  # noqa: ANN401 - papermill is untyped
        kernel_name: str,
        *,
        destination: str | None = None,
        forked: bool = True,
        **keywords: Any,  # noqa: ANN401
    ) -> None:
        """Execute every code cell and save the notebook as papermill's own engine does, but for secrets."""
        nb_man.output_path = destination
        nb_man.save = partial(_save_clean, nb_man)
        nb_man.save(at_once=True)
        try:
            session = _session(nb_man, kernel_name, keywords) if forked else None
            if session is None:
                NBClientEngine.execute_managed_notebook(nb_man, kernel_name, **keywords)
            else:
                with session:
                    _execute_cells(nb_man, session, keywords)
        finally:
            clean = nb_man.save(at_once=True)
            nb_man.nb.update(clean)  # papermill itself writes it once more
            for text in redactions(clean):
                logger.warning("%s", text)


def _save_clean(nb_man: Any, *, at_once: bool = False, **_: Any) -> Any:  # noqa: ANN401 - a method of papermill's
    """Save what papermill's own `save` would, without secrets, and return it.

    Papermill saves twice a cell; unless it has to be `at_once`, one save a second is enough.
    """
    if not at_once and (nb_man.now() - nb_man.last_save_time).total_seconds() < _SECONDS_BETWEEN_SAVES:
        return None
    clean = redacted_notebook(nb_man.nb)
    if nb_man.output_path:
        write_ipynb(clean, nb_man.output_path)
    nb_man.last_save_time = nb_man.now()
    return clean


def _session(nb_man: Any, kernel_name: str, keywords: dict[str, Any]) -> warm.CellSession | None:  # noqa: ANN401
    sources = [cell.source for cell in nb_man.nb.cells if cell.cell_type == "code"]
    if not is_this_python(kernel_name) or needs_a_client(sources):
        return None
    folder = keywords.get("resources", {}).get("metadata", {}).get("path")
    try:
        return warm.CellSession(folder)
    except warm.CANNOT_FORK as error:
        logger.warning("no forked process, an ordinary kernel is started: %s", error)
        return None


def _execute_cells(nb_man: Any, session: warm.CellSession, keywords: dict[str, Any]) -> None:  # noqa: ANN401
    outputs, timeout = Outputs(nbformat.from_dict), keywords.get("execution_timeout")

    def take(message: dict[str, Any]) -> None:
        outputs.take(message)
        if keywords.get("log_output") and message["msg_type"] == "stream":
            logger.info("%s", redact(message["content"]["text"]).rstrip())

    for index, cell in enumerate(nb_man.nb.cells):
        try:
            nb_man.cell_start(cell, index)
            tags = cell.metadata.get("tags", [])
            if cell.cell_type == "code" and cell.source.strip() and SKIP not in tags:
                outputs.begin(cell)
                reply = _execute(session, cell, take, timeout)
                outputs.end()
                add_missing_error(cell, reply, nbformat.from_dict)
                if reply["status"] == "error" and EXPECTED not in tags:
                    raise CellExecutionError.from_cell_and_msg(cell, reply)  # noqa: TRY301 - papermill's bookkeeping
        except CellExecutionError as error:
            nb_man.cell_exception(cell, cell_index=index, exception=error)
            break
        except Exception as error:
            nb_man.cell_exception(cell, cell_index=index, exception=error)
            raise
        finally:
            nb_man.cell_complete(cell, cell_index=index)
    nb_man.nb.metadata["language_info"] = session.language_info


def _execute(
    session: warm.CellSession,
    cell: Any,  # noqa: ANN401 - an nbformat node
    take: Callable[[dict[str, Any]], None],
    timeout: float | None,
) -> dict[str, Any]:
    """Execute one cell and return the reply; raise nbclient's errors where there is none."""
    try:
        return session.execute(cell.source, cell.get("id"), take, timeout)
    except warm.CellTimeoutError:
        message = "Cell execution timed out"
        raise CellTimeoutError.error_from_timeout_and_cell(message, int(timeout or 0), cell) from None
    except (warm.ProcessDiedError, BrokenPipeError, ConnectionResetError) as death:
        code = death.args[0] if isinstance(death, warm.ProcessDiedError) else 0
        raise DeadKernelError(warm.died_message(code, session.stderr_tail())) from None
