"""A fitted model as one file that is safe to load.

The file is a zip of two members: ``metadata.json``, and ``estimator.skops``, which skops rebuilds from a list
of trusted types instead of executing what the file says, as pickle would.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from sta410kit._internal.atomic_files import replacing
from sta410kit.exceptions import ConfigurationError, ModelPredictionError, ModelTrainingError
from sta410kit.research.forecasting import FittedModel
from sta410kit.research.models import MODELS, make_model, members_of
from sta410kit.research.models.combination import CombinedRegressor
from sta410kit.research.models.custom_estimator import belongs_to_project, is_custom
from sta410kit.research.models.per_symbol import PerSymbolRegressor
from sta410kit.research.target_names import DEFAULT, TargetName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sklearn.base import RegressorMixin

_METADATA, _ESTIMATOR = "metadata.json", "estimator.skops"
# The kit's own estimators, and parts of gradient boosting that some versions of skops do not trust: plain
# containers of numbers.
_TRUSTED = [
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sta410kit.research.models.combination.CombinedRegressor",
    "sta410kit.research.models.gradient_descent.GradientDescentRegressor",
    "sta410kit.research.models.per_symbol.PerSymbolRegressor",
    "sta410kit.research.models.series.ArimaBoostingRegressor",
    "sta410kit.research.models.series.RegimeSwitchingRegressor",
]
# No zip, no such member, encrypted, unknown compression, truncated or garbled.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error,
    EOFError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError,
)  # fmt: skip
_LARGEST = 500 * 2**20  # bytes unpacked
_LARGEST_RATIO, _SMALL = 100, 2**20  # unpacked over packed bytes, where more than a MiB is unpacked

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Width = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Widths = Annotated[list[_Width], Field(min_length=2, max_length=2)]  # of the lower and the upper tail


class ModelMetadata(BaseModel):
    """What a model file says about itself; the fields are those of `FittedModel`."""

    model_config = ConfigDict(strict=True)

    format: Literal[2] = 2
    name: str
    features: list[str]
    horizon: PositiveInt
    symbols: list[str]
    trained_through: date
    seed: int
    level: float
    volatility_slopes: Annotated[list[_Finite], Field(min_length=2, max_length=2)]
    scores_quantile: _Widths
    adaptation: list[_Widths]
    target: TargetName = DEFAULT
    versions: dict[str, str]

    @model_validator(mode="after")
    def _a_pair_per_symbol(self) -> Self:
        if len(self.adaptation) != len(self.symbols):
            message = "adaptation needs a pair of factors per symbol"
            raise ValueError(message)
        return self


def save_model(fitted: FittedModel, path: Path) -> None:
    """Write a fitted model to one file, atomically.

    Parameters
    ----------
    fitted : FittedModel
        From `forecasting.fit_final`.
    path : Path
        ``model.skops`` by convention; an existing file is replaced.

    Raises
    ------
    ModelTrainingError
        If a custom estimator holds something that skops cannot write and read back, such as a function.
    """
    import skops.io

    described = {
        each.name: getattr(fitted, each.name)
        for each in fields(fitted)
        if each.name not in {"estimator", "trained_through"}
    }
    described |= {
        "features": list(fitted.features),
        "symbols": list(fitted.symbols),
        "volatility_slopes": list(fitted.volatility_slopes),
        "scores_quantile": list(fitted.scores_quantile),
        "adaptation": [list(factors) for factors in fitted.adaptation],
    }
    metadata = ModelMetadata(
        **described,
        trained_through=fitted.trained_through.date(),
        versions=_versions() | _code_version(fitted),
    )
    try:
        estimator = skops.io.dumps(fitted.estimator)
        if _custom_members(fitted.name):  # skops writes some objects that it cannot read, such as lambdas
            skops.io.loads(estimator, trusted=skops.io.get_untrusted_types(data=estimator))
    except (TypeError, ValueError, AttributeError, ImportError, RecursionError) as error:
        message = (
            f"The estimator of {fitted.name} cannot be saved ({type(error).__name__}: {error}); "
            "let it hold numbers, arrays, text and scikit-learn estimators."
        )
        raise ModelTrainingError(message) from error
    with replacing(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_METADATA, json.dumps(metadata.model_dump(mode="json"), indent=2))
        archive.writestr(_ESTIMATOR, estimator)


def read_metadata(path: Path) -> ModelMetadata:
    """Return what a model file says about itself, without loading the estimator."""
    text = _member(path, _METADATA)
    try:
        return ModelMetadata.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "content"
        raise _refused(path, f"has unusable metadata ({place}: {first['msg']})") from error


def load_model(path: Path, trust: Iterable[str] = ()) -> FittedModel:
    """Return the model of a file written by `save_model`, without executing anything in the file.

    Only trusted types are rebuilt: those of scikit-learn's models and the kit's. Types from the module of a
    custom estimator are trusted if that module lies in the project's folder, whose code runs anyway.

    Parameters
    ----------
    path : Path
        The file.
    trust : iterable of str
        Full names of further trusted types, ``package.module.Class``.

    Raises
    ------
    ConfigurationError
        If the file does not exist.
    ModelPredictionError
        If it is not a model file of this kit, damaged, unreasonably large when unpacked, holds an untrusted
        type, or was written with another major or minor version of scikit-learn.
    """
    import pandas as pd

    metadata = read_metadata(path)
    here, there = _versions()["scikit-learn"], str(metadata.versions.get("scikit-learn"))
    if there.split(".")[:2] != here.split(".")[:2]:
        raise _refused(path, f"was written with scikit-learn {there}, this is {here}")
    estimator = _estimator(path, _member(path, _ESTIMATOR), metadata.name, list(trust))
    _require_fit(path, estimator, metadata)
    return FittedModel(
        estimator=estimator,
        name=metadata.name,
        features=tuple(metadata.features),
        horizon=metadata.horizon,
        symbols=tuple(metadata.symbols),
        trained_through=pd.Timestamp(metadata.trained_through),
        seed=metadata.seed,
        level=metadata.level,
        volatility_slopes=(metadata.volatility_slopes[0], metadata.volatility_slopes[1]),
        scores_quantile=(metadata.scores_quantile[0], metadata.scores_quantile[1]),
        adaptation=tuple((low, high) for low, high in metadata.adaptation),
        target=metadata.target,
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from sta410kit import __version__

    return {"sta410kit": __version__} | {name: version(name) for name in ("scikit-learn", "numpy", "skops")}


def _code_version(fitted: FittedModel) -> dict[str, str]:
    """Return a digest of the module of each custom estimator, by its name: other code is another model."""
    import hashlib
    import inspect

    found = {}
    for name, estimator in _members(fitted.name, fitted.estimator):
        if not is_custom(name):
            continue
        try:
            source = inspect.getsource(inspect.getmodule(type(estimator)) or type(estimator))
        except (OSError, TypeError):  # compiled, or defined in a cell
            continue
        found[name.partition(":")[0]] = hashlib.sha256(source.encode()).hexdigest()
    return found


def _custom_members(name: str) -> list[str]:
    return [each for each in members_of(name)[0] if is_custom(each)]


def _members(name: str, estimator: RegressorMixin) -> list[tuple[str, RegressorMixin]]:
    """Return the models behind a name with their fitted estimators, without what wraps them."""
    names = members_of(name)[0]
    fitted = [estimator]
    if len(names) > 1:
        fitted = estimator.members_ if isinstance(estimator, CombinedRegressor) else []
    return [
        (one, each.estimator if isinstance(each, PerSymbolRegressor) else each)
        for one, each in zip(names, fitted, strict=False)
    ]


def _refused(path: Path, why: str) -> ModelPredictionError:
    message = (
        f"{path} {why}. Train the model again with `sta410 run`; do not load files from unknown sources."
    )
    return ModelPredictionError(message)


def _member(path: Path, name: str) -> bytes:
    if not path.is_file():
        message = f"There is no model file {path}; make one with `sta410 run`."
        raise ConfigurationError(message)
    try:
        with zipfile.ZipFile(path) as archive:
            _require_reasonable_size(path, archive)
            return archive.read(name)
    except _DAMAGE as error:
        raise _refused(path, f"is not a whole model file ({error})") from error


def _require_reasonable_size(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse an archive by the sizes it declares, before any of it is unpacked; zipfile reads no more."""
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > _LARGEST or unpacked > max(_SMALL, _LARGEST_RATIO * packed):
        raise _refused(path, f"declares {unpacked:,} bytes in {packed:,} packed ones, too many for a model")


def _estimator(path: Path, packed: bytes, name: str, trust: list[str]) -> RegressorMixin:
    import skops.io

    modules = {each.partition(":")[0] for each in _custom_members(name) if belongs_to_project(each)}
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:  # the format of skops
            _require_reasonable_size(path, archive)
        unknown = set(skops.io.get_untrusted_types(data=packed)) - {*_TRUSTED, *trust}
        own = {kind for kind in unknown if kind.rpartition(".")[0] in modules}
        untrusted = sorted(unknown - own)
        trusted = [*_TRUSTED, *trust, *own]
        estimator = None if untrusted else skops.io.loads(packed, trusted=trusted)
    except ModelPredictionError:
        raise
    except Exception as error:  # a damaged or hostile file can fail anywhere in skops
        raise _refused(path, f"cannot be rebuilt ({type(error).__name__}: {error})") from error
    if untrusted:
        raise _refused(path, f"holds {', '.join(untrusted)}, which is not trusted")
    return estimator


def _require_fit(path: Path, estimator: RegressorMixin, metadata: ModelMetadata) -> None:
    """Refuse an estimator that does not match its metadata."""
    members = _members(metadata.name, estimator)
    if len(members) != len(members_of(metadata.name)[0]):
        raise _refused(path, f"holds a {type(estimator).__name__} under the name {metadata.name!r}")
    for name, inner in members:
        if name not in MODELS and not is_custom(name):
            raise _refused(path, f"holds a model called {name!r}, which this kit does not have")
        if type(inner) is not type(make_model(name)):
            raise _refused(path, f"holds a {type(inner).__name__} under the name {name!r}")
    inputs = getattr(estimator, "n_features_in_", len(metadata.features))
    if inputs != len(metadata.features):
        raise _refused(path, f"holds an estimator of {inputs} features and names {len(metadata.features)}")
