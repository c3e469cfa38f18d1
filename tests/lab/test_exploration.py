"""What one notebook hands over in JupyterLab, the next one reads; what is out of date is refused."""

import pytest

from sta410kit import steps
from sta410kit.exceptions import ConfigurationError
from sta410kit.guards import accept, validate
from sta410kit.lab.exploration import Exploration
from sta410kit.market import load_prices
from sta410kit.research.features import build_features

pytestmark = pytest.mark.integration

PIPELINE = """
[[step]]
notebook = "02_validate.ipynb"
produces = { prices = "prices.parquet" }

[[step]]
notebook = "03_features.ipynb"
needs = ["prices"]
produces = { features = "features.parquet" }

[[step]]
notebook = "05_evaluate.ipynb"
needs = ["prices", "features"]
produces = { verdict = "verdict.json" }
"""


@pytest.fixture(scope="module")
def sample():
    """Give two symbols of three years."""
    return load_prices(symbols=["AAPL", "IBM"], start="2005-01-01", end="2007-12-31")


@pytest.fixture
def explore(tmp_path, monkeypatch, capsys):
    """Give the function that enters a notebook of a project; it returns the folder and what was shown."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "_explored", [])

    def enter(step, **variables):
        steps.connect(Exploration(variables))
        capsys.readouterr()
        return steps.step_folder(None, step), capsys.readouterr().out

    return enter


def hand_over_prices(folder, frame):
    accept(frame, validate(frame, "prices"), folder / "prices.parquet")


def hand_over_features(folder, prices):
    frame = build_features(prices)
    accept(frame, validate(frame, "features", prices=prices), folder / "features.parquet")


def test_a_notebook_opened_first_reads_its_defaults_and_says_so(explore):
    """Nothing was handed over yet."""
    folder, shown = explore("05_evaluate")
    assert folder.parts[-3:] == ("runs", "explore", "05_evaluate")
    assert "prices: the embedded prices" in shown
    assert "features: computed from the prices" in shown
    assert steps.prices(None)["symbol"].nunique() == 5


def test_what_is_handed_over_is_read_by_the_next_notebook_and_named(explore, sample):
    """Also in a kernel that runs already: it reads the newest, and shows what that is."""
    folder, _ = explore("02_validate")
    hand_over_prices(folder, sample)
    _, shown = explore("03_features")
    assert "AAPL, IBM, 2005-01-03 to 2007-12-31; from 02_validate" in shown
    assert "%start_over" in shown
    assert len(steps.prices(None)) == len(sample)
    assert len(steps.prices(folder / "prices.parquet")) == len(sample)


def test_a_file_that_the_first_cell_names_wins(explore, sample, tmp_path):
    """It is not in the banner, for it is not from the exploration."""
    folder, _ = explore("02_validate")
    hand_over_prices(folder, sample)
    sample_of_one = sample[sample["symbol"] == "IBM"].reset_index(drop=True)
    hand_over_prices(tmp_path, sample_of_one)
    _, shown = explore("03_features", prices=str(tmp_path / "prices.parquet"))
    assert "prices" not in shown
    assert len(steps.prices(str(tmp_path / "prices.parquet"))) == len(sample_of_one)


def test_what_was_made_from_other_prices_is_refused(explore, sample):
    """The message names the notebook to run again; after that it is read."""
    first, _ = explore("02_validate")
    hand_over_prices(first, sample)
    folder, _ = explore("03_features")
    hand_over_features(folder, steps.prices(None))
    explore("05_evaluate")
    assert steps.features(None, steps.prices(None)).shape[0] == len(sample)
    shorter = sample[sample["date"] < "2007-06-01"].reset_index(drop=True)
    hand_over_prices(first, shorter)
    with pytest.raises(ConfigurationError, match=r"features of 03_features is out of date.*Run 03_features"):
        explore("05_evaluate")
    folder, _ = explore("03_features")
    hand_over_features(folder, steps.prices(None))
    explore("05_evaluate")
    assert steps.features(None, steps.prices(None)).shape[0] == len(shorter)


def test_what_a_notebook_left_before_it_stopped_halfway_is_refused(explore, sample):
    """It has read the new prices, and its file is still made from the old ones."""
    folder, _ = explore("03_features")
    hand_over_features(folder, sample)
    first, _ = explore("02_validate")
    hand_over_prices(first, sample)
    explore("03_features")
    with pytest.raises(ConfigurationError, match="has not run to its end"):
        explore("05_evaluate")


def test_the_embedded_prices_are_the_default_whether_they_were_handed_over_or_not(explore):
    """Running the gate on them afterwards makes nothing out of date."""
    folder, _ = explore("03_features")
    hand_over_features(folder, steps.prices(None))
    first, _ = explore("02_validate")
    hand_over_prices(first, load_prices())
    _, shown = explore("05_evaluate")
    assert "features: 14 columns for AAPL, FB, GOOG, IBM, MSFT" in shown


def test_start_over_goes_back_to_the_defaults(explore, sample):
    """What was handed over is gone."""
    folder, _ = explore("02_validate")
    hand_over_prices(folder, sample)
    Exploration({}).start_over()
    _, shown = explore("03_features")
    assert "the embedded prices" in shown


def test_a_run_is_not_connected(explore, sample, tmp_path):
    """A notebook that has a run folder writes there, and reads what it is given."""
    folder, _ = explore("02_validate")
    hand_over_prices(folder, sample)
    steps.connect(Exploration({}))
    assert steps.step_folder(tmp_path, "03_features") == tmp_path
    assert steps.prices(None)["symbol"].nunique() == 5
