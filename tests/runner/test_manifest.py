"""What every manifest says when a run begins."""

import platform

import pytest

from sta410kit import __version__
from sta410kit.config import Config, ModelConfig, get_config, set_config
from sta410kit.runner.manifest import Manifest, begin, read_manifest
from sta410kit.runner.registry import Registry

pytestmark = pytest.mark.unit


@pytest.fixture
def _a_seed():
    """Set a seed, and restore the configuration afterwards."""
    before = get_config()
    set_config(Config(model=ModelConfig(random_seed=7)))
    yield
    set_config(before)


@pytest.mark.usefixtures("_a_seed")
def test_a_run_begins_with_time_seed_settings_machine_and_versions(tmp_path):
    """They are in the manifest before anything runs, for every kind of run."""
    folder = tmp_path / "runs" / "20260101-000000-000aa"
    folder.mkdir(parents=True)
    with Registry(tmp_path / "runs") as registry:
        begin(Manifest(run=folder.name, kind="sweep", title="x.ipynb"), folder, registry)
    found = read_manifest(folder)
    assert (found.kind, found.title, found.outcome, found.seed) == ("sweep", "x.ipynb", "RUNNING", 7)
    assert found.settings["model"]["random_seed"] == 7
    assert found.started.endswith("+00:00")
    assert found.host["python"] == platform.python_version()
    assert found.versions["sta410kit"] == __version__
    assert found.git == {}
    assert found.schema == 1
