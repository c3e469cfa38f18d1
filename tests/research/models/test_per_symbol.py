"""One fit per symbol."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from sta410kit.exceptions import ModelTrainingError
from sta410kit.research.models.per_symbol import PerSymbolRegressor

pytestmark = pytest.mark.unit


@pytest.fixture
def opposites():
    """Two symbols that react to the one feature in opposite ways, and one with few rows."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_tuples(
        [(s, d) for s, n in (("A", 300), ("B", 300), ("C", 10)) for d in range(n)], names=["symbol", "date"]
    )
    x = pd.DataFrame({"return_1": rng.standard_normal(610)}, index=index)
    slope = index.get_level_values(0).map({"A": 1.0, "B": -1.0, "C": 0.0}).to_numpy(float)
    return x, slope * x["return_1"].to_numpy()


def test_each_symbol_learns_its_own(opposites):
    """Slopes of 1 and -1, where a pooled fit finds neither."""
    x, y = opposites
    fitted = PerSymbolRegressor(LinearRegression(), least=100).fit(x, y)
    assert sorted(fitted.estimators_) == ["A", "B"]
    assert fitted.estimators_["A"].coef_[0] == pytest.approx(1)
    assert fitted.estimators_["B"].coef_[0] == pytest.approx(-1)
    assert abs(fitted.pooled_.coef_[0]) < 0.2
    assert fitted.predict(x)[:600] == pytest.approx(y[:600])


def test_few_rows_are_predicted_by_the_pooled_fit(opposites):
    """Symbols that are new or have few rows are predicted by the pooled fit."""
    x, y = opposites
    fitted = PerSymbolRegressor(LinearRegression(), least=100).fit(x, y)
    young = x.loc[["C"]]
    assert (fitted.predict(young) == fitted.pooled_.predict(young.to_numpy())).all()
    stranger = young.rename(index={"C": "D"})
    assert (fitted.predict(stranger) == fitted.predict(young)).all()


def test_rows_without_a_symbol_are_refused(opposites):
    """A frame without the index level `symbol` is refused."""
    x, y = opposites
    with pytest.raises(ModelTrainingError, match="level 'symbol'"):
        PerSymbolRegressor(LinearRegression()).fit(x.reset_index(drop=True), y)
