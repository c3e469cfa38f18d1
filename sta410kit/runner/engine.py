"""The papermill engine ``sta410``: cells run in a process forked from a warm one, with nothing between.

``papermill --engine sta410 notebook.ipynb out.ipynb``; `sta410 run` uses it by default. Outputs, metadata and
errors are those of papermill's own engine. A notebook for another kernel, or a machine without a fork server,
is given to that one.
"""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import from_dict
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NBClientEngine
from papermill.iorw import write_ipynb
from papermill.log import logger

from sta410kit.runner.kernelspecs import NATIVE, PYTHON, is_this_python
from sta410kit.runner.notebook import EXPECTED, add_missing_error, inject_parameters
from sta410kit.runner.notebook_redaction import forget_redactions, redacted_notebook, redactions
from sta410kit.runner.parameters import plain
from sta410kit.runner.secret_parameters import refuse_secret_parameters
from sta410kit.runner.warm.client import go_on
from sta410kit.runner.warm.nested import NOT_HERE, OpeningNest
from sta410kit.runner.warm.session import CellSession, CellTooSlowError, ProcessDiedError, obituary
from sta410kit.secrets import learn_configured_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS_BETWEEN_SAVES = 1.0
_OF_KERNELS = {"config", "kernel_manager_class", "km", "resources"}


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
        """Return the language of a notebook; Python where it says nothing and its kernel is Python's."""
        spec = nb.metadata.get("kernelspec", {})
        told = language or nb.metadata.get("language_info", {}).get("name") or spec.get("language")
        if not told and is_this_python(spec.get("name") or NATIVE):
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
        """Execute a notebook and save it as it goes; nothing is written before secrets are scrubbed from it.

        Parameters
        ----------
        nb, kernel_name, output_path
            As for papermill.
        values : mapping, optional
            Values of parameters in their declared types, which papermill's own cell cannot hold.
        **how
            See `execute_managed_notebook`.

        Raises
        ------
        SecretFoundError
            A parameter is a secret.
        """
        learn_configured_secrets()
        forget_redactions(nb)
        if values:
            inject_parameters(nb, values, from_dict)
            nb.metadata.papermill["parameters"] = {name: plain(value) for name, value in values.items()}
        refuse_secret_parameters(nb.metadata.get("papermill", {}).get("parameters", {}))
        # Papermill saves first and asks the engine then; so where to save is told a step later.
        return super().execute_notebook(nb, kernel_name, None, destination=output_path, **how)

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,  # noqa: ANN401 - papermill is untyped
        kernel_name: str,
        *,
        destination: str | None = None,
        **keywords: Any,  # noqa: ANN401
    ) -> None:
        """Execute every code cell and save the notebook as papermill's own engine does, but for secrets.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
            The notebook and its bookkeeping.
        kernel_name : str
            The kernel the notebook wants; any but this environment's Python goes to papermill's own engine.
        destination : str, optional
            Where to save after every cell.
        **keywords
            ``execution_timeout``: seconds a cell may take. ``watch``: called with the process's number
            several times a second, with 0 while there is none; what it raises ends the notebook. An ordinary
            kernel is not watched.
            ``nest``: forks the process, instead of the fork server. Others are papermill's.
        """
        nb_man.output_path = destination
        nb_man.save = partial(_save_clean, nb_man)
        nb_man.save(at_once=True)
        try:
            cls._execute_cells(nb_man, kernel_name, **keywords)
        finally:
            clean = nb_man.save(at_once=True)
            nb_man.nb.update(clean)  # papermill itself writes it once more
            for text in redactions(clean):
                logger.warning("%s", text)

    @classmethod
    def _execute_cells(
        cls,
        nb_man: Any,  # noqa: ANN401 - papermill is untyped
        kernel_name: str,
        *,
        execution_timeout: float | None = None,
        watch: Callable[[int], None] | None = None,
        nest: OpeningNest | None = None,
        **keywords: Any,  # noqa: ANN401
    ) -> None:
        # Where nbclient looks for the kernel's folder too; unlike papermill's `cwd` it holds for one thread.
        folder = keywords.get("resources", {}).get("metadata", {}).get("path")
        session = _session(kernel_name, folder, watch, nest)
        if session is None:
            NBClientEngine.execute_managed_notebook(
                nb_man, kernel_name, execution_timeout=execution_timeout, **keywords
            )
            return
        timeout = execution_timeout or keywords.get("timeout")
        taken = {
            name: value
            for name, value in keywords.items()
            if name in PapermillNotebookClient.class_trait_names() and name not in _OF_KERNELS
        }
        client = PapermillNotebookClient(nb_man, **{**taken, "log": logger})
        client.reset_execution_trackers()
        with session:
            for index, cell in enumerate(nb_man.nb.cells):
                try:
                    nb_man.cell_start(cell, index)
                    _execute(session, client, cell, index, timeout)
                except CellExecutionError as error:
                    nb_man.cell_exception(cell, cell_index=index, exception=error)
                    break
                except Exception as error:
                    nb_man.cell_exception(cell, cell_index=index, exception=error)
                    raise
                finally:
                    nb_man.cell_complete(cell, cell_index=index)
            nb_man.nb.metadata["language_info"] = session.language_info
            client.set_widgets_metadata()


def _save_clean(nb_man: Any, *, at_once: bool = False, **_: Any) -> Any:  # noqa: ANN401 - a method of papermill's
    """Save what papermill's own `save` would, without secrets, and return it.

    Papermill saves twice a cell, and each time all figures so far are looked through and written; unless it
    is wanted `at_once`, a second between two saves is enough to see how far a notebook has come.
    """
    if not at_once and (nb_man.now() - nb_man.last_save_time).total_seconds() < _SECONDS_BETWEEN_SAVES:
        return None
    clean = redacted_notebook(nb_man.nb)
    if nb_man.output_path:
        write_ipynb(clean, nb_man.output_path)
    nb_man.last_save_time = nb_man.now()
    return clean


def _session(
    kernel_name: str, folder: str | None, watch: Callable[[int], None] | None, nest: OpeningNest | None
) -> CellSession | None:
    if not is_this_python(kernel_name):
        return None
    if nest is not None:
        nest.wait(partial(watch, 0) if watch is not None else go_on)
    own = nest.path if nest is not None else None
    for server in dict.fromkeys((own, None)):
        try:
            return CellSession(folder, watch, server)
        except NOT_HERE as error:
            reason = error
    logger.warning("no warm process, an ordinary kernel is started: %s", reason)
    return None


def _execute(session: CellSession, client: Any, cell: Any, index: int, timeout: float | None) -> None:  # noqa: ANN401
    """Execute one cell and leave its outputs in it, as nbclient does."""
    tags = cell.metadata.get("tags", [])
    if cell.cell_type != "code" or not cell.source.strip() or client.skip_cells_with_tag in tags:
        return
    if client.record_timing:
        cell.metadata["execution"] = {}
    cell.outputs = []
    client.clear_before_next_output = False

    def on_message(message: dict[str, Any]) -> None:
        last = cell.outputs[-1] if cell.outputs and not client.clear_before_next_output else None
        content = message["content"]
        if message["msg_type"] == "stream" and last and last.get("name") == content["name"]:
            last["text"] += content["text"]  # one text, however often it was flushed
            return
        client.process_message({**message, "header": _header(message), "parent_header": {}}, cell, index)

    on_message({"msg_type": "status", "content": {"execution_state": "busy"}})
    try:
        reply = session.execute(cell.source, cell.get("id"), on_message, timeout)
    except CellTooSlowError:
        message = "Cell execution timed out"
        raise CellTimeoutError.error_from_timeout_and_cell(message, int(timeout or 0), cell) from None
    except ProcessDiedError as death:
        raise DeadKernelError(obituary(death.args[0], session.last_words())) from None
    except (BrokenPipeError, ConnectionResetError):  # after its last answer, as by `exit()` in a cell
        raise DeadKernelError(obituary(0, session.last_words())) from None
    add_missing_error(cell, reply, from_dict)
    if client.record_timing:
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        cell.metadata["execution"] |= {"iopub.status.idle": stamp, "shell.execute_reply": stamp}
    _tell(client.on_cell_executed, cell=cell, cell_index=index, execute_reply={"content": reply})
    allowed = client.allow_errors or EXPECTED in tags or reply.get("ename") in client.allow_error_names
    if reply["status"] == "error" and (client.force_raise_errors or not allowed):
        raise CellExecutionError.from_cell_and_msg(cell, reply)


def _tell(hook: Callable[..., Any] | None, **keywords: Any) -> None:  # noqa: ANN401 - whatever nbclient hands over
    """Call one of nbclient's hooks, which may be a function or a coroutine function."""
    answer = hook(**keywords) if hook is not None else None
    if inspect.isawaitable(answer):

        async def wait() -> None:
            await answer

        asyncio.run(wait())


def _header(message: dict[str, Any]) -> dict[str, Any]:
    return {"date": datetime.now(UTC), "msg_type": message["msg_type"]}
