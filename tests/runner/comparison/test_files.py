"""Two versions of an artifact are compared by content, floats within a tolerance."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from sta410kit.runner.comparison.files import EXACT, Tolerance, compare_files, compare_values

pytestmark = pytest.mark.unit

FRAME = pd.DataFrame(
    {
        "symbol": ["IBM", "IBM", "FB"],
        "date": pd.to_datetime(["2012-05-18", "2012-05-21", "2012-05-22"]),
        "close": [1.0, np.nan, 3.0],
    }
)


@pytest.fixture
def compare(tmp_path):
    """Return a function that writes two files with `write(path, content)` and compares them."""

    def both(write, first, second, suffix, tolerance=EXACT):
        paths = [tmp_path / name / f"x{suffix}" for name in ("first", "second")]
        for path, content in zip(paths, (first, second), strict=True):
            path.parent.mkdir(exist_ok=True)
            write(path, content)
        return [str(one) for one in compare_files(*paths, tolerance)]

    return both


def parquet(path, frame):
    """Write a table, compressed differently each time so that the bytes differ."""
    frame.to_parquet(path, compression="zstd" if path.parent.name == "first" else None)


def archive(path, members):
    """Write a zip archive whose members have a different timestamp in each file."""
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name, (2020 + len(path.parent.name), 1, 1, 0, 0, 0)), data)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        (
            {"close": [1.0, np.nan, 4.0]},
            ["x.parquet: column close, row 2 (FB 2012-05-22): first 3.0, second 4.0"],
        ),
        (
            {"close": [1.0, 2.0, 3.0]},
            ["x.parquet: column close, row 1 (IBM 2012-05-21): first nan, second 2.0"],
        ),
        (
            {"volume": [1, 2, 3]},
            ["x.parquet: columns: first symbol, date, close, second symbol, date, close, volume"],
        ),
        (
            {"symbol": ["IBM", "IBM", "IBM"]},
            ["x.parquet: column symbol, row 2 (FB 2012-05-22): first FB, second IBM"],
        ),
    ],
)
def test_tables_are_compared_cell_by_cell(compare, change, found):
    """Missing equals missing, and the compression of the file makes no difference."""
    assert compare(parquet, FRAME, FRAME.assign(**change), ".parquet") == found


@pytest.mark.parametrize(
    ("column", "tolerance", "same"),
    [
        ([1.0, 100.1], Tolerance(rtol=0.01), True),
        ([1.0, 100.1], Tolerance(atol=0.01), False),
        ([1.0, 100.0 + 1e-13], EXACT, False),
        ([1.0, np.inf], Tolerance(rtol=1.0, atol=1.0), False),
        ([1.0, np.nan], Tolerance(rtol=1.0, atol=1.0), False),
    ],
)
def test_floats_may_differ_within_the_tolerance(compare, column, tolerance, same):
    """In Parquet, CSV and JSON alike; the default is exact."""
    first, second = pd.DataFrame({"x": [1.0, 100.0]}), pd.DataFrame({"x": column})
    csv = lambda path, frame: frame.to_csv(path, index=False)  # noqa: E731
    values = lambda path, frame: path.write_text(json.dumps(list(frame["x"])))  # noqa: E731
    for write, suffix in ((parquet, ".parquet"), (csv, ".csv"), (values, ".json")):
        assert (compare(write, first, second, suffix, tolerance) == []) is same


def test_integers_are_compared_exactly(compare):
    """They are counts, to which no tolerance applies."""
    wide = Tolerance(rtol=0.5)
    frames = pd.DataFrame({"x": [1000]}), pd.DataFrame({"x": [1001]})
    assert compare(parquet, *frames, ".parquet", wide) == [
        "x.parquet: column x, row 0: first 1000, second 1001"
    ]
    assert [str(one) for one in compare_values({"n": 1000}, {"n": 1001}, wide)] == [
        "n: first 1000, second 1001"
    ]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ({"a": 1, "b": [1, float("nan")]}, {"b": [1, float("nan")], "a": 1.0}, []),
        ({"a": {"b": 1}}, {"a": {"b": "1"}}, ['a.b: first 1, second "1"']),
        ({"a": 1}, {"b": 2}, ["a: first 1, second nothing", "b: first nothing, second 2"]),
        ([1, 2], [1, 3], ["[1]: first 2, second 3"]),
        ([1], [1, 3], [": first [1], second [1, 3]"]),
        (True, 1, [": first true, second 1"]),
    ],
)
def test_json_values_are_compared_one_by_one(first, second, found):
    """The order of keys makes no difference, the type of a value does."""
    assert [str(one) for one in compare_values(first, second, EXACT)] == found


def test_archives_are_compared_member_by_member(compare, tmp_path):
    """Timestamps make no difference, in nested archives neither."""
    nested = [tmp_path / "first" / "a.zip", tmp_path / "second" / "b.zip"]
    for path in nested:
        path.parent.mkdir()
        archive(path, {"x": b"1"})
    first, second = ({"m": path.read_bytes(), "t": b"t"} for path in nested)
    assert compare(archive, first, second, ".zip") == []
    assert compare(archive, first, {**second, "t": b"uu"}, ".zip") == [
        "x.zip: member t: first 1 bytes, second 2 bytes"
    ]
    assert compare(archive, first, {"t": b"t"}, ".zip") == ["x.zip: member m/x: first 1 bytes, second absent"]


def test_a_model_saved_twice_is_equal_and_another_model_is_not(tmp_path):
    """Skops names arrays after their address in memory."""
    from sklearn.linear_model import Ridge
    from skops.io import dump

    paths = [tmp_path / f"{name}.skops" for name in ("first", "same", "other")]
    table = np.arange(6.0).reshape(3, 2)
    for path, factor in zip(paths, (1.0, 1.0, 2.0), strict=True):
        dump(Ridge().fit(table, factor * np.array([1.0, 2.0, 4.0])), path)
    assert paths[0].read_bytes() != paths[1].read_bytes()
    assert compare_files(paths[0], paths[1]) == []
    assert compare_files(paths[0], paths[2]) != []


def test_other_files_must_have_the_same_bytes(compare):
    """The first differing byte is named."""
    found = compare(lambda path, content: path.write_bytes(content), b"abcd", b"abXde", ".bin")
    assert found == ["x.bin: from byte 2 on: first 4 bytes, second 5 bytes"]


def test_people_read_six_digits_where_those_tell_two_values_apart():
    """The fields keep what was compared, and a value that JSON calls null is none."""
    first, second = [0.9008762322015335, None, 0.1], [0.9006024096385542, 0.5, 0.10000000000000002]
    found = compare_values(first, second, EXACT)
    assert [one.shown for one in found] == [
        ("0.900876", "0.900602"),
        ("none", "0.5"),
        ("0.1", "0.10000000000000002"),
    ]
    assert found[0].first == "0.9008762322015335"
    assert str(found[0]) == "[0]: first 0.900876, second 0.900602"
