"""Coverage at several levels: agreement with the walk, and what is refused."""

import numpy as np
import pytest

from sta410kit.exceptions import DataValidationError
from sta410kit.research.reliability import reliability

pytestmark = pytest.mark.unit


def test_every_level_is_kept(sample, sample_predictions):
    """Half, eight and nine of ten: each is kept within two points on the embedded prices."""
    table = reliability(sample_predictions, sample, levels=[0.9, 0.5, 0.8])
    assert table["level"].tolist() == [0.5, 0.8, 0.9]
    assert (table["coverage"] - table["level"]).abs().max() < 0.02
    assert table["error"].to_numpy() == pytest.approx(
        (np.array([0.25, 0.16, 0.09]) / table["outcomes"].to_numpy()) ** 0.5
    )


def test_the_intervals_are_made_anew(walks, walk_predictions):
    """Bounds in the frame are not believed: broken ones change nothing."""
    broken = walk_predictions.assign(lower=-9.0, upper=-8.0)
    first, second = (reliability(frame, walks, levels=[0.8]) for frame in (walk_predictions, broken))
    assert first.equals(second)


def test_too_few_predictions_for_a_level_are_refused(walks, walk_predictions):
    """A level of 99.9 % takes 999 sessions."""
    with pytest.raises(DataValidationError, match="which take 999"):
        reliability(walk_predictions, walks, levels=[0.999])
