"""The model file: whole, readable, and never a way in for strangers."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import skops.io

from sta410kit.exceptions import ConfigurationError, ModelPredictionError
from sta410kit.research import model_store
from sta410kit.research.forecasting import fit_final, forecast
from sta410kit.research.model_store import load_model, read_metadata, save_model
from sta410kit.research.models import MODELS
from sta410kit.research.walk_forward import walk_forward

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def fitted(walks, walk_features, walk_predictions):
    return fit_final(walk_features, walks, walk_predictions, model="ridge")


@pytest.fixture
def saved(fitted, tmp_path):
    save_model(fitted, tmp_path / "model.skops")
    return tmp_path / "model.skops"


def rewrite(path, estimator=None, **metadata):
    """Replace the estimator or fields of the metadata in a model file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    fields = json.loads(members["metadata.json"]) | metadata
    members["metadata.json"] = json.dumps(fields).encode()
    members["estimator.skops"] = members["estimator.skops"] if estimator is None else estimator
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("model", "per_symbol"), [*((model, False) for model in MODELS), ("ridge", True), ("boosting", True)]
)
def test_a_model_survives_the_file(walks, walk_features, tmp_path, model, per_symbol):
    """What is loaded forecasts exactly what was saved, for every model."""
    predictions = walk_forward(walk_features, walks, model=model)
    original = fit_final(walk_features, walks, predictions, model=model, per_symbol=per_symbol)
    save_model(original, tmp_path / "model.skops")
    loaded = load_model(tmp_path / "model.skops")
    assert forecast(loaded, walks).equals(forecast(original, walks))
    for name in (
        "name",
        "features",
        "horizon",
        "symbols",
        "trained_through",
        "seed",
        "level",
        "scores_quantile",
        "adaptation",
    ):
        assert getattr(loaded, name) == getattr(original, name)
    assert [file.name for file in tmp_path.iterdir()] == ["model.skops"]


def test_the_metadata_tells_what_it_is(saved, walks):
    """Anyone can read what a file holds without loading the estimator."""
    metadata = read_metadata(saved)
    assert metadata["name"] == "ridge"
    assert metadata["symbols"] == ["S0", "S1"]
    assert metadata["trained_through"] == f"{walks['date'].max():%Y-%m-%d}"
    assert set(metadata["versions"]) == {"sta410kit", "scikit-learn", "numpy", "skops"}


def test_no_file_is_a_configuration_error(tmp_path):
    """A missing file names the path and the command that makes one."""
    with pytest.raises(ConfigurationError, match=r"There is no model file .*; make one with `sta410 run`"):
        load_model(tmp_path / "model.skops")


@pytest.mark.parametrize("cut", [0, 10, 500, -1, -30])
def test_a_damaged_file_is_refused(saved, cut):
    """A file cut anywhere is no model."""
    saved.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(ModelPredictionError, match="is not a whole model file"):
        load_model(saved)


def test_flipped_bytes_are_noticed(saved):
    """Damage in the middle does not load as something else."""
    content = bytearray(saved.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(60, len(content) - 200, 40):
        content[place] ^= 0xFF
    saved.write_bytes(bytes(content))
    with pytest.raises(ModelPredictionError):
        load_model(saved)


def test_a_pickle_is_not_opened(saved, tmp_path):
    """A pickle, alone or inside, is refused and its code does not run."""
    trace = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return (trace.write_text, ("ran",))

    bomb = pickle.dumps(Bomb())
    rewrite(saved, estimator=bomb)
    with pytest.raises(ModelPredictionError, match="cannot be rebuilt"):
        load_model(saved)
    saved.write_bytes(bomb)
    with pytest.raises(ModelPredictionError, match="is not a whole model file"):
        load_model(saved)
    assert not trace.exists()


class Stranger:
    """A type no one trusts."""


def test_an_untrusted_type_is_named(saved):
    """A file with a type outside the list is refused by the type's name."""
    rewrite(saved, estimator=skops.io.dumps(Stranger()))
    with pytest.raises(ModelPredictionError, match="Stranger, which is not trusted"):
        load_model(saved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"versions": {"scikit-learn": "0.24.2"}}, "was written with scikit-learn 0.24.2, this is"),
        ({"versions": {}}, "was written with scikit-learn None"),
        ({"name": "oracle"}, "called 'oracle'"),
        ({"name": "boosting"}, "holds a Pipeline under the name 'boosting'"),
        ({"features": ["return_1"]}, "holds an estimator of 14 features and names 1"),
        ({"format": 2}, "has format 2, this kit reads format 1"),
        ({"horizon": "1"}, "no usable horizon"),
        ({"horizon": True}, "no usable horizon"),
        ({"horizon": 0}, "makes no sense"),
        ({"symbols": [1]}, "makes no sense"),
        ({"scores_quantile": float("nan")}, "makes no sense"),
        ({"adaptation": [1.0]}, "makes no sense"),
        ({"adaptation": [1.0, "wide"]}, "makes no sense"),
        ({"adaptation": [1.0, -1.0]}, "makes no sense"),
        ({"trained_through": "soon"}, "makes no sense"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(saved, change, words):
    """Another scikit-learn, another format, another model: each is named, and what to do."""
    rewrite(saved, **change)
    with pytest.raises(ModelPredictionError) as caught:
        load_model(saved)
    assert words in str(caught.value)
    assert "Train the model again with `sta410 run`" in str(caught.value)


def test_another_patch_release_is_fine(saved):
    """Only major and minor version of scikit-learn must agree."""
    mine = read_metadata(saved)["versions"]["scikit-learn"].split(".")
    rewrite(saved, versions={"scikit-learn": ".".join([*mine[:2], "99"])})
    assert load_model(saved).name == "ridge"


@pytest.mark.parametrize("content", [b"[]", b"\xff", b"{}", b"null"])
def test_metadata_of_another_form_is_refused(saved, content):
    """Whatever stands in the place of the metadata, it ends in the kit's own error."""
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("metadata.json", content)
    with pytest.raises(ModelPredictionError):
        read_metadata(saved)


def test_a_file_that_would_fill_the_memory_is_refused(saved, monkeypatch):
    """The unpacked size is looked at before anything is unpacked."""
    monkeypatch.setattr(model_store, "_LARGEST", 100)
    with pytest.raises(ModelPredictionError, match="unpacks to more than"):
        load_model(saved)


def test_a_failed_save_leaves_the_old_file(saved, fitted, monkeypatch):
    """When writing fails half-way the former model is still whole, and nothing else lies about."""
    before = saved.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="No space"):
        save_model(fitted, saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["model.skops"]
