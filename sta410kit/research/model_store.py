"""A fitted model as one file that is safe to load.

The file is a zip of two members: ``metadata.json``, which anyone can read, and ``estimator.skops``, which
skops rebuilds from a list of known types instead of running what the file says, as pickle would.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from datetime import date
from typing import TYPE_CHECKING, Any

from sta410kit.atomic import replacing
from sta410kit.exceptions import ConfigurationError, ModelPredictionError
from sta410kit.research.forecasting import FittedModel
from sta410kit.research.models import MODELS, make_model

if TYPE_CHECKING:
    from pathlib import Path

    from sklearn.base import RegressorMixin

_METADATA, _ESTIMATOR = "metadata.json", "estimator.skops"
_FORMAT = 1
_TYPES: dict[str, type] = {
    "format": int,
    "name": str,
    "features": list,
    "horizon": int,
    "symbols": list,
    "trained_through": str,
    "seed": int,
    "level": float,
    "scores_quantile": float,
    "adaptation": list,
    "versions": dict,
}
# Parts of gradient boosting that some version of skops does not trust by itself: plain containers of numbers.
_TRUSTED = [
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
]
# No zip, no such member, encrypted, packed in an unknown way, cut short, or garbled.
_DAMAGE = (
    zipfile.BadZipFile,
    KeyError,
    RuntimeError,
    NotImplementedError,
    OSError,
    EOFError,
    ValueError,
    zlib.error,
)
_LARGEST = 500 * 2**20  # bytes unpacked; a small file may unpack to fill the memory


def save_model(fitted: FittedModel, path: Path) -> None:
    """Write a fitted model to one file, which appears whole or not at all.

    Parameters
    ----------
    fitted : FittedModel
        From `forecasting.fit_final`.
    path : Path
        Where to; ``model.skops`` is the usual name. An older file there is replaced.
    """
    import skops.io

    metadata = {
        "format": _FORMAT,
        "name": fitted.name,
        "features": list(fitted.features),
        "horizon": fitted.horizon,
        "symbols": list(fitted.symbols),
        "trained_through": f"{fitted.trained_through:%Y-%m-%d}",
        "seed": fitted.seed,
        "level": fitted.level,
        "scores_quantile": fitted.scores_quantile,
        "adaptation": list(fitted.adaptation),
        "versions": _versions(),
    }
    estimator = skops.io.dumps(fitted.estimator)
    with replacing(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_METADATA, json.dumps(metadata, indent=2))
        archive.writestr(_ESTIMATOR, estimator)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a model file says about itself, without loading the estimator.

    Returns
    -------
    dict
        ``format, name, features, horizon, symbols, trained_through, seed, level, scores_quantile, adaptation,
        versions``.

    Raises
    ------
    ConfigurationError
        If there is no such file.
    ModelPredictionError
        If the file is not a model of this kit, cut short or damaged.
    """
    return _metadata(path, _member(path, _METADATA))


def load_model(path: Path) -> FittedModel:
    """Return the model of a file written by `save_model`; nothing in the file is executed.

    Raises
    ------
    ConfigurationError
        If there is no such file.
    ModelPredictionError
        If the file is no model of this kit, damaged, holds a type that is not trusted, or was written with
        another scikit-learn (another major or minor version), whose estimators this one may misread.
    """
    import pandas as pd

    metadata = read_metadata(path)
    _require_versions(path, metadata["versions"])
    estimator = _estimator(path, _member(path, _ESTIMATOR))
    _require_fit(path, estimator, metadata)
    return FittedModel(
        estimator=estimator,
        name=metadata["name"],
        features=tuple(metadata["features"]),
        horizon=metadata["horizon"],
        symbols=tuple(metadata["symbols"]),
        trained_through=pd.Timestamp(metadata["trained_through"]),
        seed=metadata["seed"],
        level=metadata["level"],
        scores_quantile=metadata["scores_quantile"],
        adaptation=tuple(metadata["adaptation"]),
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from sta410kit import __version__

    return {"sta410kit": __version__} | {name: version(name) for name in ("scikit-learn", "numpy", "skops")}


def _refused(path: Path, why: str) -> ModelPredictionError:
    return ModelPredictionError(
        f"{path} {why}. Train the model again with `sta410 run`, and load no file of strangers."
    )


def _member(path: Path, name: str) -> bytes:
    if not path.is_file():
        message = f"There is no model file {path}; make one with `sta410 run`."
        raise ConfigurationError(message)
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(name).file_size > _LARGEST:
                raise _refused(path, f"unpacks to more than {_LARGEST // 2**20} MiB")
            return archive.read(name)
    except _DAMAGE as error:
        raise _refused(path, f"is not a whole model file ({error})") from error


def _estimator(path: Path, packed: bytes) -> RegressorMixin:
    import skops.io

    # A damaged or hostile file can fail anywhere in skops, so whatever it raises means the same here.
    try:
        strange = sorted(set(skops.io.get_untrusted_types(data=packed)) - set(_TRUSTED))
        estimator = None if strange else skops.io.loads(packed, trusted=_TRUSTED)
    except Exception as error:
        raise _refused(path, f"cannot be rebuilt ({type(error).__name__}: {error})") from error
    if strange:
        raise _refused(path, f"holds {', '.join(strange)}, which is not trusted")
    return estimator


def _metadata(path: Path, text: bytes) -> dict[str, Any]:
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:  # also text that is not UTF-8, or brackets without end
        raise _refused(path, f"has metadata that cannot be read ({error})") from error
    if not isinstance(metadata, dict):
        raise _refused(path, "has metadata of another form")
    wrong = [name for name, kind in _TYPES.items() if type(metadata.get(name)) is not kind]
    if wrong:
        raise _refused(path, f"has no usable {', '.join(wrong)} in its metadata")
    if metadata["format"] != _FORMAT:
        raise _refused(path, f"has format {metadata['format']}, this kit reads format {_FORMAT}")
    texts = [*metadata["features"], *metadata["symbols"]]
    widths = [metadata["scores_quantile"], *metadata["adaptation"]]
    sensible = (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(width, float) and math.isfinite(width) and width >= 0 for width in widths)
        and len(metadata["adaptation"]) == len(metadata["symbols"])
    )
    if not sensible or metadata["horizon"] < 1 or not _is_day(metadata["trained_through"]):
        raise _refused(path, "has metadata that makes no sense")
    return metadata


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _require_versions(path: Path, saved: dict[str, Any]) -> None:
    """Refuse another scikit-learn; `versions` of the other packages are there for the reader."""
    here = _versions()["scikit-learn"]
    there = str(saved.get("scikit-learn"))
    if there.split(".")[:2] != here.split(".")[:2]:
        raise _refused(path, f"was written with scikit-learn {there}, this is {here}")


def _require_fit(path: Path, estimator: RegressorMixin, metadata: dict[str, Any]) -> None:
    """Refuse an estimator that is not the one its metadata tells of."""
    if metadata["name"] not in MODELS:
        raise _refused(path, f"holds a model called {metadata['name']!r}, which this kit does not have")
    if type(estimator) is not type(make_model(metadata["name"])):
        raise _refused(path, f"holds a {type(estimator).__name__} under the name {metadata['name']!r}")
    inputs = getattr(estimator, "n_features_in_", len(metadata["features"]))
    if inputs != len(metadata["features"]):
        raise _refused(path, f"holds an estimator of {inputs} features and names {len(metadata['features'])}")
