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

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import ConfigurationError, ModelPredictionError, ModelTrainingError
from sta410kit.research.forecasting import FittedModel
from sta410kit.research.models import MODELS, make_model
from sta410kit.research.models.custom_estimator import belongs_to_project, is_own
from sta410kit.research.models.per_symbol import PerSymbolRegressor

if TYPE_CHECKING:
    from collections.abc import Iterable
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
# The kit's own estimators, and parts of gradient boosting that some version of skops does not trust by
# itself: plain containers of numbers.
_TRUSTED = [
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sta410kit.research.models.arima.ArimaBoostingRegressor",
    "sta410kit.research.models.gradient_descent.GradientDescentRegressor",
    "sta410kit.research.models.markov.RegimeSwitchingRegressor",
    "sta410kit.research.models.per_symbol.PerSymbolRegressor",
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

    Raises
    ------
    ModelTrainingError
        If the estimator, one of your own, holds something that skops does not write, such as a function.
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
        "versions": _versions() | _own_code(fitted),
    }
    try:
        estimator = skops.io.dumps(fitted.estimator)
        if is_own(fitted.name):  # skops writes some things that it cannot read, such as nameless functions
            skops.io.loads(estimator, trusted=skops.io.get_untrusted_types(data=estimator))
    except (TypeError, ValueError, AttributeError, ImportError, RecursionError) as error:
        message = (
            f"The estimator of {fitted.name} cannot be saved ({type(error).__name__}: {error}); "
            "let it hold numbers, arrays, text and scikit-learn estimators."
        )
        raise ModelTrainingError(message) from error
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


def load_model(path: Path, trust: Iterable[str] = ()) -> FittedModel:
    """Return the model of a file written by `save_model`; nothing in the file is executed.

    Types are rebuilt only if they are known to be safe: those of scikit-learn's models and the kit's. Of an
    estimator of your own, the types of its module are trusted when that module lies in the project's folder,
    for then the code that runs is the project's; others have to be named.

    Parameters
    ----------
    path : Path
        The file.
    trust : iterable of str
        Full names of further types that may be rebuilt, ``package.module.Class``.

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
    estimator = _estimator(path, _member(path, _ESTIMATOR), metadata["name"], list(trust))
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


def _own_code(fitted: FittedModel) -> dict[str, str]:
    """Return a digest of the module of an estimator of the user's own: another code is another model."""
    import hashlib
    import inspect

    if not is_own(fitted.name):
        return {}
    inner = fitted.estimator
    kind = type(inner.estimator if isinstance(inner, PerSymbolRegressor) else inner)
    try:
        source = inspect.getsource(inspect.getmodule(kind) or kind)
    except (OSError, TypeError):  # compiled, or typed into a cell
        return {}
    return {fitted.name.partition(":")[0]: hashlib.sha256(source.encode()).hexdigest()}


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


def _estimator(path: Path, packed: bytes, name: str, trust: list[str]) -> RegressorMixin:
    import skops.io

    module = name.partition(":")[0] if is_own(name) and belongs_to_project(name) else None
    # A damaged or hostile file can fail anywhere in skops, so whatever it raises means the same here.
    try:
        unknown = set(skops.io.get_untrusted_types(data=packed)) - {*_TRUSTED, *trust}
        own = {kind for kind in unknown if kind.rpartition(".")[0] == module}
        strange = sorted(unknown - own)
        trusted = [*_TRUSTED, *trust, *own]
        estimator = None if strange else skops.io.loads(packed, trusted=trusted)
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
    if metadata["name"] not in MODELS and not is_own(metadata["name"]):
        raise _refused(path, f"holds a model called {metadata['name']!r}, which this kit does not have")
    inner = estimator.estimator if isinstance(estimator, PerSymbolRegressor) else estimator
    if type(inner) is not type(make_model(metadata["name"])):
        raise _refused(path, f"holds a {type(inner).__name__} under the name {metadata['name']!r}")
    inputs = getattr(estimator, "n_features_in_", len(metadata["features"]))
    if inputs != len(metadata["features"]):
        raise _refused(path, f"holds an estimator of {inputs} features and names {len(metadata['features'])}")
