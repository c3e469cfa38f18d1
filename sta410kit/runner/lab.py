"""Redact what JupyterLab saves: an extension of Jupyter's server, which writes the notebooks.

It is switched on by ``etc/jupyter/jupyter_server_config.d/sta410kit.json``, which comes with the package. The
kernel redacts what it was handed; this redacts the configured secrets everywhere else in the notebook, the
source of cells included. The screen is not changed.
"""

from pathlib import Path
from typing import Any

from sta410kit.runner.notebook_redaction import forget_redactions, redacted_notebook, redactions
from sta410kit.secrets import learn_configured_secrets


def redact_before_save(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:  # noqa: ANN401
    """Redact registered secrets in a notebook that is about to be saved; warn and name the cells."""
    content = model.get("content")
    if model.get("type") != "notebook" or not isinstance(content, dict):
        return
    learn_configured_secrets((Path(contents_manager.root_dir) / path.strip("/")).parent)
    forget_redactions(content)
    model["content"] = redacted_notebook(content)
    for text in redactions(model["content"]):
        contents_manager.log.warning("sta410kit: %s, %s", path, text)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "sta410kit.runner.lab"}]


def _load_jupyter_server_extension(server: Any) -> None:  # noqa: ANN401 - a ServerApp
    server.contents_manager.register_pre_save_hook(redact_before_save)
