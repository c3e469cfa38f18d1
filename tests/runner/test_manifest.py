"""What every manifest says, whoever began the run."""

import platform

import pytest

from sta410kit import __version__
from sta410kit.config import Config, ModelConfig, get_config, set_config
from sta410kit.runner.manifest import Manifest, begin, read_manifest
from sta410kit.runner.registry import Registry

pytestmark = pytest.mark.unit


@pytest.fixture
def _a_seed():
    """Set a seed, and the configuration of before again."""
    before = get_config()
    set_config(Config(model=ModelConfig(random_seed=7)))
    yield
    set_config(before)


@pytest.mark.usefixtures("_a_seed")
def test_a_run_that_begins_says_when_where_and_with_what(tmp_path):
    """Seed, settings, machine and versions are in its folder before anything runs, whatever its kind."""
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
