"""What JupyterLab saves: the hook, and that Jupyter's server finds it."""

import json
import logging
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

pytest.importorskip("jupyter_server")

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from sta410kit.lab import server as lab

pytestmark = pytest.mark.integration

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYz9Qz2KEYab"  # pragma: allowlist secret


@pytest.fixture
def project(tmp_path):
    """Make a project below the server's root, its secret in its own .env."""
    (tmp_path / "p" / "notebooks").mkdir(parents=True)
    (tmp_path / "p" / "notebooks" / "pipeline.toml").touch()
    (tmp_path / "p" / ".env").write_text(f"ALPACA_SECRET_KEY={SECRET}\n")
    return tmp_path


async def save(root, path, **model):
    """Save as JupyterLab does."""
    manager = AsyncLargeFileManager(root_dir=str(root))
    lab.load(SimpleNamespace(contents_manager=manager, kernel_spec_manager=None))
    await manager.save(model, path)
    return (root / path).read_text()


def run(coroutine):
    import asyncio

    return asyncio.run(coroutine)


def test_a_saved_notebook_holds_no_configured_secret(project, caplog):
    """Neither in a source nor in an output; the server's log names the cells, not the value."""
    cell = new_code_cell(
        f"k = '{SECRET}'", execution_count=5, outputs=[new_output("stream", name="stdout", text=SECRET)]
    )
    caplog.set_level(logging.WARNING)
    content = new_notebook(cells=[cell])
    text = run(save(project, "p/notebooks/x.ipynb", type="notebook", format="json", content=content))
    assert SECRET not in text
    assert json.loads(text)["cells"][0]["source"] == ["k = '***'"]
    assert "p/notebooks/x.ipynb, cell In [5]: a secret was redacted from its output" in caplog.text
    assert SECRET not in caplog.text


def test_other_files_and_clean_notebooks_are_saved_as_they_are(project):
    """The .env itself may be edited in JupyterLab."""
    text = f"ALPACA_SECRET_KEY={SECRET}\n# mine\n"
    assert run(save(project, "p/env.txt", type="file", format="text", content=text)) == text
    content = new_notebook(cells=[new_code_cell("1")])
    saved = json.loads(run(save(project, "p/x.ipynb", type="notebook", format="json", content=content)))
    assert saved["metadata"] == {}


def test_a_notebook_of_nbformat_3_and_a_malformed_one_are_saved(project, caplog):
    """The hook redacts what it can read and never stops a save."""
    sheet = {"cells": [{"cell_type": "code", "input": SECRET, "outputs": []}]}
    model = {"type": "notebook", "content": {"nbformat": 3, "worksheets": [sheet], "metadata": {}}}
    manager = type("Manager", (), {"root_dir": str(project / "p"), "log": logging.getLogger("x")})
    for content in (model["content"], {"nbformat": 4, "cells": [None, SECRET], "metadata": None}):
        model["content"] = content
        lab.before_save(model, "notebooks/x.ipynb", manager)
        assert SECRET not in json.dumps(model["content"])
    assert SECRET not in caplog.text


def test_the_warm_kernel_goes_by_the_name_that_notebooks_have():
    """With ipykernel's display name, so that saving a notebook does not change what it names."""
    manager = lab.WarmKernelSpecManager()
    manager.environment = {"STA410_LAB_URL": "/"}
    spec = manager.get_kernel_spec("python3")
    assert spec.argv[3] == "sta410kit.runner.warm.launcher"
    assert spec.argv[-1] == "--InteractiveShellApp.extra_extensions=sta410kit.lab.kernel"
    assert (spec.display_name, spec.env["STA410_LAB_URL"]) == ("Python 3 (ipykernel)", "/")


def test_a_server_whose_kernels_are_configured_keeps_them():
    """Another manager, or a gateway."""
    from traitlets.config import Config

    def chosen(**config):
        server = SimpleNamespace(config=Config(config), kernel_spec_manager_class="its own")
        lab.choose_kernels(server)
        return server.kernel_spec_manager_class

    assert chosen() is lab.WarmKernelSpecManager
    assert chosen(ServerApp={"kernel_spec_manager_class": "x.Y"}) == "its own"
    assert chosen(GatewayClient={"url": "http://x"}) == "its own"


def test_a_notebook_that_was_not_changed_is_saved_as_it_was(project):
    """JupyterLab writes the version of its Python, another key order and when cells ran."""
    language = {"name": "python", "version": "3.11.7"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": language}
    content = new_notebook(cells=[new_code_cell("1", id="a")], metadata=metadata)
    path = project / "p/notebooks/x.ipynb"
    path.write_text(nbformat.writes(content) + "\n")
    before = path.read_text()
    content["cells"][0]["metadata"]["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
    content["metadata"]["language_info"] = {"version": "3.12.1", "name": "python"}
    content["metadata"]["kernelspec"] = {**kernel, "display_name": "Python 3 (ipykernel)"}
    model = {"type": "notebook", "format": "json", "content": content}
    assert run(save(project, "p/notebooks/x.ipynb", **model)) == before
    content["metadata"]["kernelspec"] = {"name": "other", "display_name": "Other"}
    model["content"] = content
    assert '"name": "other"' in run(save(project, "p/notebooks/x.ipynb", **model))
