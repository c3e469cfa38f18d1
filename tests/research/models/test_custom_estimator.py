"""Custom estimators from a module in the project."""

import hashlib
import sys
import textwrap

import pytest
import skops.io

from sta410kit.exceptions import ConfigurationError, ModelPredictionError, ModelTrainingError
from sta410kit.research.features import build_features
from sta410kit.research.forecasting import fit_final, forecast
from sta410kit.research.model_store import load_model, read_metadata, save_model
from sta410kit.research.models import make_model
from sta410kit.research.models.custom_estimator import belongs_to_project
from sta410kit.research.walk_forward import walk_forward

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("project")]

TREND = """
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Trend(RegressorMixin, BaseEstimator):
        def __init__(self, strength=0.1, random_state=None):
            self.strength = strength
            self.random_state = random_state

        def fit(self, X, y):
            self.n_features_in_ = X.shape[1]
            self.scale_ = np.std(y)
            return self

        def predict(self, X):
            return self.strength * X[:, 0]

    class Fragile(Trend):
        def fit(self, X, y):
            raise ValueError("cannot converge")

    class Nan(Trend):
        def predict(self, X):
            return np.full(len(X), np.nan)

    class Closure(Trend):
        def fit(self, X, y):
            self.rule_ = lambda value: value
            return super().fit(X, y)

    class Needy(Trend):
        def __init__(self, strength):
            self.strength = strength

    class Judge(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return X

    class Plain:
        pass
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give a project with the module my_models, which is removed from sys.modules afterwards."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    (tmp_path / "my_models.py").write_text(textwrap.dedent(TREND))
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("my_models", "broken", "half"):
        sys.modules.pop(name, None)


@pytest.fixture(params=[False, True], ids=["pooled", "per symbol"])
def fitted(walks, walk_features, request):
    predictions = walk_forward(walk_features, walks, model="my_models:Trend")
    return fit_final(walk_features, walks, predictions, model="my_models:Trend", per_symbol=request.param)


def test_a_custom_estimator_works_end_to_end(walks):
    """Walk-forward, final fit and forecast work as for a built-in model, with its own features and seed."""
    assert make_model("my_models:Trend", 7).random_state == 7
    features = build_features(walks, ["return_1", "return_63"])
    predictions = walk_forward(features, walks, model="my_models:Trend")
    assert predictions["model"].unique().tolist() == ["my_models:Trend"]
    first = predictions.merge(features[["symbol", "date", "return_1"]], on=["symbol", "date"])
    assert (first["predicted"] == 0.1 * first["return_1"]).all()
    fitted = fit_final(features, walks, predictions, model="my_models:Trend")
    assert fitted.features == ("return_1", "return_63")
    assert len(forecast(fitted, walks)) == 2


def test_the_model_file_is_bound_to_the_project(project, walks, fitted, tmp_path, monkeypatch):
    """It stores the digest of the user's module, and loads in another project only if its types are named."""
    path = tmp_path / "model.skops"
    save_model(fitted, path)
    assert forecast(load_model(path), walks).equals(forecast(fitted, walks))
    digest = read_metadata(path).versions["my_models"]
    assert digest == hashlib.sha256((project / "my_models.py").read_bytes()).hexdigest()
    other = tmp_path / "other"
    (other / "notebooks").mkdir(parents=True)
    (other / "notebooks" / "pipeline.toml").touch()
    monkeypatch.chdir(other)
    assert not belongs_to_project("my_models:Trend")
    with pytest.raises(ModelPredictionError, match=r"holds my_models\.Trend, which is not trusted"):
        load_model(path)
    assert load_model(path, trust=["my_models.Trend"]).name == "my_models:Trend"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my_modles:Trend", r"no module 'my_modles', neither installed nor in .*; put my_modles.py there"),
        ("my_models:Tren", "my_models has no class 'Tren'. Did you mean 'Trend'?"),
        ("my_models:np", "has no class 'np'"),
        ("my_models:Plain", "has no fit, predict, get_params, set_params; derive it"),
        ("my_models:Judge", "is no regressor"),
        ("my_models:Needy", "cannot be constructed without arguments"),
        ("my_models.py:Trend", "Importing my_models.py failed|no module 'my_models.py'"),
        ("my models:Trend", "Unknown model"),
        (":Trend", "Unknown model"),
        ("my_models:", "Unknown model"),
    ],
)
def test_an_invalid_name_or_class_is_refused(name, words):
    """A missing module, class or method, and a class of another kind, each have their own message."""
    with pytest.raises(ConfigurationError, match=words):
        make_model(name)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1 / 0", "Importing broken failed: ZeroDivisionError"),
        (
            "import nowhere_to_be_found",
            "Importing broken failed: ModuleNotFoundError: No module named 'nowhere",
        ),
        ("def", "Importing broken failed: SyntaxError"),
    ],
)
def test_a_failing_import_is_reported(project, source, words):
    """Errors while importing the user's module become configuration errors that name it."""
    (project / "broken.py").write_text(source)
    with pytest.raises(ConfigurationError, match=words):
        make_model("broken:Model")


@pytest.mark.parametrize(("name", "words"), [("Fragile", "cannot converge"), ("Nan", "not finite")])
def test_a_failing_estimator_is_named(walks, walk_features, name, words):
    """Errors of the estimator and non-finite predictions become training errors that name it."""
    with pytest.raises(ModelTrainingError, match=f"{name} .*{words}"):
        walk_forward(walk_features, walks, model=f"my_models:{name}")


def test_an_estimator_that_cannot_be_saved_is_refused(walks, walk_features, tmp_path):
    """An estimator with a function inside is refused, and no file is left behind."""
    name = "my_models:Closure"
    fitted = fit_final(walk_features, walks, walk_forward(walk_features, walks, model=name), model=name)
    with pytest.raises(ModelTrainingError, match="my_models:Closure cannot be saved"):
        save_model(fitted, tmp_path / "model.skops")
    assert not (tmp_path / "model.skops").exists()


def test_only_project_modules_are_trusted():
    """Neither the standard library nor installed packages belong to the project."""
    assert belongs_to_project("my_models:Trend")
    for name in ("os:system", "sklearn:Ridge", "no_such_module:Thing", "builtins:eval"):
        assert not belongs_to_project(name)
    assert skops.io.get_untrusted_types(data=skops.io.dumps(make_model("my_models:Trend"))) == [
        "my_models.Trend"
    ]
