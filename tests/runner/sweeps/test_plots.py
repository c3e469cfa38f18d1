"""Small plots: every dot inside the picture, numbers to scale, words side by side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit.runner.sweeps.plots import HEIGHT, WIDTH, small_plots

pytestmark = pytest.mark.unit


def test_a_number_over_a_number_is_to_scale():
    """The places, the means and the labels."""
    table = {"unit": ["1", "2", "3", "4"], "x": [0, 10, 10, 20], "y": [0.0, 1.0, 3.0, 4.0]}
    (plot,) = small_plots(table, ["x"], ["y"])
    places = [x for x, _, _ in plot.dots]
    assert places[1] == places[2] == pytest.approx((places[0] + places[3]) / 2)
    heights = [y for _, y, _ in plot.dots]
    assert heights[0] > heights[1] > heights[2] > heights[3]
    assert plot.line.count(" ") == 2
    assert [label for _, label in plot.ticks_x] == ["0", "10", "20"]
    assert plot.dots[2][2] == "unit 3: x 10, y 3"
    assert plot.zero is not None


def test_words_stand_side_by_side():
    """In the order of the units, whatever their type; long ones are cut."""
    table = {"unit": ["1", "2", "3"], "x": ["b", "a", ["AAPL", "MSFT", "IBM"]], "y": [1, 2, 3]}
    (plot,) = small_plots(table, ["x"], ["y"])
    assert [label for _, label in plot.ticks_x] == ["b", "a", '["AAPL", "MSF…']
    assert plot.zero is None


def test_whole_numbers_too_near_for_a_float_stand_side_by_side():
    """Such as seeds taken from a clock in nanoseconds."""
    table = {"unit": ["1", "2"], "x": [10**17, 10**17 + 1], "y": [1, 2]}
    (plot,) = small_plots(table, ["x"], ["y"])
    assert [label for _, label in plot.ticks_x] == ["1000000000000…", "1000000000000…"]
    assert plot.dots[0][0] < plot.dots[1][0]


def test_what_is_no_number_is_left_out():
    """Text, truth and units that have none; one dot is no plot."""
    table = {"unit": ["1", "2"], "x": [1, 2], "a": ["p", "q"], "b": [True, False], "c": [1.0, None]}
    assert small_plots(table, ["x"], ["a", "b", "c"]) == []


def test_there_are_not_too_many():
    """A page with hundreds helps nobody."""
    table = {"unit": ["1", "2"], "x": [1, 2]} | {f"y{n}": [1, 2] for n in range(50)}
    assert len(small_plots(table, ["x"], [f"y{n}" for n in range(50)])) == 24


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
    """Whatever the values."""
    table = {
        "unit": [str(place) for place in range(len(pairs))],
        "x": [x for x, _ in pairs],
        "y": [y for _, y in pairs],
    }
    (plot,) = small_plots(table, ["x"], ["y"])
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y, _ in plot.dots)
    assert all(0 <= place <= WIDTH for place, _ in plot.ticks_x)
