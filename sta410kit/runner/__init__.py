"""Executes notebooks: kernels, the engine, the chain, and what runs leave.

>>> from sta410kit.runner import run_notebook
>>> run = run_notebook("notebooks/04_train.ipynb", {"model": "naive"})
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sta410kit.runner.chain import Run

__all__ = ["run_notebook"]


def run_notebook(
    notebook: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    check: bool = True,
    timeout: float | None = None,
    memory: int | None = None,
) -> "Run":
    """Execute one notebook headless, as ``sta410 run NOTEBOOK`` does, and return its run.

    Parameters
    ----------
    notebook : str or Path
        The notebook. It is not changed; the executed copy lies in the run's folder, also when it failed, and
        is then marked at the failing cell.
    parameters : mapping, optional
        Values for its parameters cell, by name. They are checked before anything runs.
    check : bool
        Raise when it does not pass. When false, the run is returned however it ended; see ``run.outcome``.
    timeout : float, optional
        Seconds it may take.
    memory : int, optional
        Bytes its process may have.

    Returns
    -------
    Run
        With ``folder``, ``outcome``, ``steps`` and ``manifest``.

    Raises
    ------
    STA410Exception
        A cell raised one of the kit's exceptions: the same class, with the same message.
    NotebookError
        It failed in any other way: another exception, a missing figure or file, a limit, a dead kernel.
    ConfigurationError
        There is no such notebook, or a parameter is wrong; nothing has run.
    """
    from sta410kit.runner.chain import run_plan
    from sta410kit.runner.plan import Options, plan_notebook
    from sta410kit.runner.progress import Progress

    options = Options(timeout=timeout, memory=memory)
    run = run_plan(plan_notebook(Path(notebook), parameters or {}, options), Progress(silent=True))
    if check:
        run.require_passed()
    return run
