"""The model file: complete, readable, and safe to load."""

import io
import json
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import skops.io

from sta410kit.exceptions import ConfigurationError, ModelPredictionError
from sta410kit.research.forecasting import fit_final, forecast
from sta410kit.research.model_store import load_model, read_metadata, save_model
from sta410kit.research.models import MODELS

pytestmark = pytest.mark.unit


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
    ("model", "per_symbol"),
    [
        *((model, False) for model in MODELS if model != "regime"),
        pytest.param("regime", False, marks=pytest.mark.slow),
        ("ridge", True),
        ("boosting", True),
    ],
)
def test_a_model_survives_the_file(walks, walk_features, walk_predictions, tmp_path, model, per_symbol):  # noqa: PLR0913, PLR0917
    """A loaded model forecasts exactly like the saved one."""
    predictions = walk_predictions.assign(model=model)  # only the widths of intervals depend on them
    original = fit_final(walk_features, walks, predictions, model=model, per_symbol=per_symbol)
    save_model(original, tmp_path / "model.skops")
    loaded = load_model(tmp_path / "model.skops")
    assert forecast(loaded, walks).equals(forecast(original, walks))
    assert replace(loaded, estimator=None) == replace(original, estimator=None)
    assert [file.name for file in tmp_path.iterdir()] == ["model.skops"]


def test_the_metadata_identifies_the_model(saved, walks):
    """A file can be identified without loading the estimator."""
    metadata = read_metadata(saved)
    assert (metadata.name, metadata.symbols) == ("ridge", ["S0", "S1"])
    assert metadata.trained_through == walks["date"].max().date()
    assert set(metadata.versions) == {"sta410kit", "scikit-learn", "numpy", "skops"}


def test_no_file_is_a_configuration_error(tmp_path):
    """A missing file names the path and the command that makes one."""
    with pytest.raises(ConfigurationError, match=r"There is no model file .*; make one with `sta410 run`"):
        load_model(tmp_path / "model.skops")


@pytest.mark.parametrize("cut", [0, 10, 500, -1, -30])
def test_a_truncated_file_is_refused(saved, cut):
    """No part of a truncated file is loaded."""
    saved.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(ModelPredictionError, match="is not a whole model file"):
        load_model(saved)


def test_flipped_bytes_are_detected(saved):
    """Damage in the middle of the file is refused."""
    content = bytearray(saved.read_bytes())
    for place in np.random.default_rng(0).integers(60, len(content) - 200, 40):
        content[place] ^= 0xFF
    saved.write_bytes(bytes(content))
    with pytest.raises(ModelPredictionError):
        load_model(saved)


def test_a_pickle_is_not_loaded(saved, tmp_path):
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


class Untrusted:
    """A type outside the list of trusted ones."""


def test_an_untrusted_type_is_named(saved):
    """A file with another type is refused by the type's name."""
    rewrite(saved, estimator=skops.io.dumps(Untrusted()))
    with pytest.raises(ModelPredictionError, match="Untrusted, which is not trusted"):
        load_model(saved)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"versions": {"scikit-learn": "0.24.2"}}, "was written with scikit-learn 0.24.2, this is"),
        ({"versions": {}}, "was written with scikit-learn None"),
        ({"name": "oracle"}, "called 'oracle'"),
        ({"name": "boosting"}, "holds a Pipeline under the name 'boosting'"),
        ({"features": ["return_1"]}, "holds an estimator of 14 features and names 1"),
        ({"format": 1}, "(format: Input should be 2)"),
        ({"horizon": "1"}, "(horizon: Input should be a valid integer)"),
        ({"horizon": True}, "(horizon: "),
        ({"horizon": 0}, "(horizon: "),
        ({"symbols": [1]}, "(symbols.0: "),
        ({"scores_quantile": [1.0, float("nan")]}, "(scores_quantile.1: "),
        ({"adaptation": [[1.0, 1.0]]}, "adaptation needs a pair of factors per symbol"),
        ({"adaptation": [[1.0, 1.0], "wide"]}, "(adaptation.1: "),
        ({"adaptation": [[1.0, 1.0], [1.0, -1.0]]}, "(adaptation.1.1: "),
        ({"trained_through": "soon"}, "(trained_through: "),
    ],
)
def test_metadata_that_does_not_fit_is_refused(saved, change, words):
    """The message names the mismatch and says to train again."""
    rewrite(saved, **change)
    with pytest.raises(ModelPredictionError) as caught:
        load_model(saved)
    assert words in str(caught.value)
    assert "Train the model again with `sta410 run`" in str(caught.value)


def test_another_patch_release_is_accepted(saved):
    """Only major and minor version of scikit-learn must agree."""
    mine = read_metadata(saved).versions["scikit-learn"].split(".")
    rewrite(saved, versions={"scikit-learn": ".".join([*mine[:2], "99"])})
    assert load_model(saved).name == "ridge"


@pytest.mark.parametrize("content", [b"[]", b"\xff", b"{}", b"null"])
def test_malformed_metadata_is_refused(saved, content):
    """Lists, text that is not UTF-8 and missing fields end in the kit's error."""
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("metadata.json", content)
    with pytest.raises(ModelPredictionError):
        read_metadata(saved)


def bomb(size):
    """Return a zip archive of `size` zeros, about a thousandth as large."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(size))
    return packed.getvalue()


@pytest.mark.parametrize("member", ["metadata.json", "estimator.skops", "inner archive"])
def test_a_decompression_bomb_is_refused(saved, member):
    """Declared sizes are checked before unpacking, also those of the archive inside the archive."""
    if member == "inner archive":
        rewrite(saved, estimator=bomb(3_000_000))
    else:
        with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, bytes(3_000_000))
        assert saved.stat().st_size < 10_000
    with pytest.raises(ModelPredictionError, match="declares 3,000,000 bytes in"):
        load_model(saved)


def test_a_false_declared_size_is_refused(saved):
    """A member that holds more than it declares is read no further."""
    declared, true = ((size).to_bytes(4, "little") for size in (900, 3_000_000))
    rewrite(saved, estimator=bomb(3_000_000).replace(true, declared))
    with pytest.raises(ModelPredictionError, match="cannot be rebuilt"):
        load_model(saved)


def test_a_failed_save_leaves_the_old_file(saved, fitted, monkeypatch):
    """When writing fails half-way, the old model is intact and no temporary file remains."""
    before = saved.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="No space"):
        save_model(fitted, saved)
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == ["model.skops"]
