"""What JupyterLab saves, without secrets: an extension of Jupyter's server, which writes the notebooks.

It is switched on by ``etc/jupyter/jupyter_server_config.d/sta410kit.json``, which comes with the package. The
kernel scrubs what it was handed; this scrubs the configured secrets wherever else they stand, the source of
cells included. What is on the screen stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sta410kit.runner.scrubbing import forget_scrubbed, scrubbed_from, scrubbed_notebook
from sta410kit.secrets import learn_configured_secrets


def scrub_before_save(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:  # noqa: ANN401
    """Take registered secrets out of a notebook that is about to be saved; warn and name the cells.

    Parameters
    ----------
    model : dict
        What Jupyter's server was sent; only notebooks are looked at, for a text file may be the ``.env`` that
        holds the secrets.
    path : str
        Where it will be saved, below the server's root.
    contents_manager : ContentsManager
        Its ``root_dir`` tells the project, its ``log`` is told what was scrubbed.
    """
    import nbformat

    content = model.get("content")
    if model.get("type") != "notebook" or not isinstance(content, dict) or content.get("nbformat") != 4:  # noqa: PLR2004
        return
    learn_configured_secrets((Path(contents_manager.root_dir) / path.strip("/")).parent)
    notebook = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
    forget_scrubbed(notebook)
    clean = scrubbed_notebook(notebook)
    model["content"] = clean
    for text in scrubbed_from(clean):
        contents_manager.log.warning("sta410kit: %s, %s", path, text)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "sta410kit.runner.lab"}]


def _load_jupyter_server_extension(server: Any) -> None:  # noqa: ANN401 - a ServerApp
    server.contents_manager.register_pre_save_hook(scrub_before_save)
