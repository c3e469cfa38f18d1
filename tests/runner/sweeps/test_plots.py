"""Small plots: every dot inside the picture, values side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.runner.sweeps.plots import HEIGHT, WIDTH, heat_maps, small_plots

pytestmark = pytest.mark.unit


def test_values_lie_side_by_side_with_their_means():
    """Numbers in their order; the places, the means and the labels."""
    table = {"unit": ["1", "2", "3", "4"], "x": [20, 10, 10, 0], "y": [4.0, 1.0, 3.0, -1.0]}
    (plot,) = small_plots(table, ["x"], ["y"])
    places = [x for x, _, _ in plot.dots]
    assert places[1] == places[2] == pytest.approx((places[0] + places[3]) / 2, abs=0.1)
    heights = [y for _, y, _ in plot.dots]
    assert heights[3] > heights[1] > heights[2] > heights[0]
    assert plot.line.count(" ") == 2
    assert [label for _, label in plot.ticks_x] == ["0", "10", "20"]
    assert plot.dots[2][2] == "unit 3: x 10, y 3"
    assert plot.zero is not None


def test_words_keep_the_order_of_the_units():
    """Lists among them; long labels are cut."""
    table = {"unit": ["1", "2", "3"], "x": ["b", "a", ["AAPL", "MSFT", "IBM"]], "y": [1, 2, 3]}
    (plot,) = small_plots(table, ["x"], ["y"])
    assert [label for _, label in plot.ticks_x] == ["b", "a", '["AAPL", "MSF…']
    assert plot.zero is None


def test_what_is_no_number_is_left_out():
    """Text, truth and units that have none; one dot is no plot."""
    table = {"unit": ["1", "2"], "x": [1, 2], "a": ["p", "q"], "b": [True, False], "c": [1.0, None]}
    assert small_plots(table, ["x"], ["a", "b", "c"]) == []


@given(
    st.lists(
        st.tuples(
            st.integers(-(10**9), 10**9) | st.integers(10**17, 10**17 + 9) | st.text(max_size=5) | st.none(),
            st.floats(-1e200, 1e200) | st.integers(-(10**12), 10**12),
        ),
        min_size=2,
        max_size=12,
    )
)
def test_every_dot_is_in_the_picture(pairs):
    """For any values."""
    table = {
        "unit": [str(place) for place in range(len(pairs))],
        "x": [x for x, _ in pairs],
        "y": [y for _, y in pairs],
    }
    (plot,) = small_plots(table, ["x"], ["y"])
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y, _ in plot.dots)
    assert all(0 <= place <= WIDTH for place, _ in plot.ticks_x)


def test_two_numbers_make_a_heat_map_and_categories_bars():
    """The mean of each cell; blue and red from zero where both signs occur, else from the lowest."""
    table = {
        "unit": ["1", "2", "3", "4", "5"],
        "a": [1, 1, 2, 2, 2],
        "b": [0.5, 0.1, 0.5, 0.1, 0.1],
        "c": ["x", "y", "x", "y", "y"],
        "score": [-2.0, 4.0, 1.0, 2.0, 3.0],
        "other": [1.0, None, 3.0, 5.0, 5.0],
    }
    score, other = heat_maps(table, ["a", "b", "c"], ["score", "other"])
    assert (score.x, score.y, score.columns) == ("b", "a", ["0.1", "0.5"])
    assert score.rows == [
        ("1", [(4.0, 1.0, False), (-2.0, 0.5, True)]),
        ("2", [(2.5, 0.625, False), (1.0, 0.25, False)]),
    ]
    assert other.rows == [
        ("1", [(None, 0.0, False), (1.0, 0.0, False)]),
        ("2", [(5.0, 1.0, False), (3.0, 0.5, False)]),
    ]
    (plot,) = small_plots(table, ["c"], ["score"])
    assert plot.line == ""
    assert plot.zero == pytest.approx(plot.bars[0][1], abs=0.1)  # x: the mean is -0.5, a bar below zero
    assert plot.bars[1][1] + plot.bars[1][3] == pytest.approx(plot.zero, abs=0.2)  # y: 3, above it
