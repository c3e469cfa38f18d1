"""Two files of a step: the same content, or where they first differ."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from sta410kit.runner.comparison.artifacts import differences_of_files

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
    """Give the function that writes two files by a function of path and content, and compares them."""

    def both(write, one, other, suffix):
        paths = [tmp_path / f"{name}{suffix}" for name in ("one", "other")]
        for path, content in zip(paths, (one, other), strict=True):
            write(path, content)
        return differences_of_files(*paths)

    return both


def parquet(path, frame):
    """Write a table; compressed otherwise each time, so that the bytes differ."""
    frame.to_parquet(path, compression="zstd" if path.stem == "one" else None)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"close": [1.0, np.nan, 4.0]}, ["column close: row 2 (FB 2012-05-22): expected 3.0, got 4.0"]),
        ({"close": [1.0, 2.0, 3.0]}, ["column close: row 1 (IBM 2012-05-21): expected nan, got 2.0"]),
        ({"volume": [1, 2, 3]}, ["columns differ: missing [], new ['volume']"]),
    ],
)
def test_tables_are_compared_cell_by_cell(compare, change, found):
    """Missing equals missing; how the file is written does not count."""
    assert compare(parquet, FRAME, FRAME.assign(**change), ".parquet") == found


def test_tables_of_other_shapes_and_types(compare):
    """Order of columns, types, number of rows, and many differences in a few words."""
    swapped = FRAME[["date", "symbol", "close"]]
    assert compare(parquet, FRAME, swapped, ".parquet") == ["columns stand in another order"]
    short = FRAME.iloc[:2].astype({"close": "float32"})
    assert compare(parquet, FRAME, short, ".parquet") == [
        "column close: expected type float64, got float32",
        "expected 3 rows, got 2",
    ]
    one, other = pd.DataFrame({"x": range(9)}), pd.DataFrame({"x": range(1, 10)})
    found = compare(parquet, one, other, ".parquet")
    assert found[0].startswith("column x: row 0: expected 0, got 1; row 1")
    assert found[0].endswith("; 9 rows in all")


def test_a_table_that_is_none_is_said_to_be(compare):
    """No traceback."""
    found = compare(lambda path, text: path.write_text(text), "one", "other", ".parquet")
    assert found[0].startswith("one of the two cannot be read:")


def test_csv_counts_by_values_then_by_bytes(compare):
    """So that nothing passes that is not the same."""
    write = lambda path, text: path.write_text(text)  # noqa: E731 - a word for the lines below
    assert compare(write, "a,b\n1,2\n", "a,b\n1,3\n", ".csv") == ["column b: row 0: expected 2, got 3"]
    same_table = compare(write, "a,b\n1,2\n", "a,b\n1,2", ".csv")
    assert same_table == ["expected 8 bytes, got 7; they differ from byte 7 on"]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({"a": 1, "b": [1, float("nan")]}, {"b": [1, float("nan")], "a": 1.0}, []),
        ({"a": 1}, {"a": 2}, ["a: expected 1, got 2"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b: expected 1, got 2"]),
        ({"a": 1}, {}, ["top: key a is on one side only"]),
        ([1, 2], [1, 3], ["[1]: expected 2, got 3"]),
        ([1], [1, 3], ["top: expected [1], got [1, 3]"]),
    ],
)
def test_json_is_compared_by_values(compare, one, other, found):
    """The order of keys does not count."""
    assert compare(lambda path, value: path.write_text(json.dumps(value)), one, other, ".json") == found


def archive(path, members):
    """Write a zip archive with a date of its own."""
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name, (2020 + len(path.stem), 1, 1, 0, 0, 0)), data)


def test_archives_are_compared_member_by_member(compare, tmp_path):
    """The time they were written does not count, in archives within archives neither."""
    inner = [tmp_path / "a.zip", tmp_path / "bbb.zip"]
    for path in inner:
        archive(path, {"x": b"1"})
    one, other = ({"m": path.read_bytes(), "t": b"t"} for path in inner)
    assert compare(archive, one, other, ".zip") == []
    assert compare(archive, one, {**other, "t": b"u"}, ".zip") == ["member t differs"]
    assert compare(archive, one, {"t": b"t"}, ".zip") == ["members differ: m/x, t and t"]


def test_a_model_saved_twice_is_the_same_and_another_is_not(tmp_path):
    """Skops names its arrays by where they lay in memory."""
    from sklearn.linear_model import Ridge
    from skops.io import dump

    paths = [tmp_path / f"{name}.skops" for name in ("one", "same", "other")]
    table = np.arange(6.0).reshape(3, 2)
    for path, factor in zip(paths, (1.0, 1.0, 2.0), strict=True):
        dump(Ridge().fit(table, factor * np.array([1.0, 2.0, 4.0])), path)
    assert paths[0].read_bytes() != paths[1].read_bytes()
    assert differences_of_files(paths[0], paths[1]) == []
    assert differences_of_files(paths[0], paths[2]) != []


def test_other_files_must_have_the_same_bytes(compare):
    """With the place of the first that differs."""
    found = compare(lambda path, text: path.write_bytes(text), b"abcd", b"abXde", ".bin")
    assert found == ["expected 4 bytes, got 5; they differ from byte 2 on"]
