"""The index of the runs is a cache: damage costs time only."""

import os
import sqlite3
from pathlib import Path

import pytest

from sta410kit.runner.registry import NAME, Registry, content_digest

pytestmark = pytest.mark.unit


def test_results_are_found_again(tmp_path):
    """Newest runs first."""
    with Registry(tmp_path) as registry:
        registry.passed("i", "20260101-000000-aaaa")
        registry.passed("i", "20260102-000000-aaaa")
    with Registry(tmp_path) as registry:
        assert registry.runs_with("i") == ["20260102-000000-aaaa", "20260101-000000-aaaa"]


def test_a_file_whose_times_were_set_back_is_read_again(tmp_path):
    """Another file of the same size and age has taken its place."""
    path, other = tmp_path / "prices.csv", tmp_path / "others.csv"
    path.write_text("1.0")
    other.write_text("2.0")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    with Registry(tmp_path) as registry:
        assert registry.remembered(path, Path.read_text) == "1.0"
        other.replace(path)
        assert registry.remembered(path, Path.read_text) == "2.0"


def test_a_file_rewritten_in_place_is_read_again(tmp_path):
    """Same file, same size, modification time set back: the change time tells."""
    path = tmp_path / "prices.csv"
    path.write_text("1.0")
    before = path.stat()
    with Registry(tmp_path) as registry:
        assert registry.remembered(path, Path.read_text) == "1.0"
        path.write_text("2.0")
        while path.stat().st_ctime_ns == before.st_ctime_ns or path.stat().st_mtime_ns != before.st_mtime_ns:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert registry.remembered(path, Path.read_text) == "2.0"


def test_runs_and_files_that_are_gone_are_forgotten(tmp_path):
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    for path in (kept, gone):
        path.write_text("x")
    with Registry(tmp_path) as registry:
        for run in ("a", "b"):
            registry.passed("i", run)
        for path in (kept, gone):
            registry.remembered(path, content_digest)
        gone.unlink()
        registry.forget_all_but(["b"])
        assert registry.runs_with("i") == ["b"]
    with sqlite3.connect(tmp_path / NAME) as database:
        paths = [row[0] for row in database.execute("select path from known_files")]
    database.close()
    assert [path.partition(":")[2] for path in paths] == [str(kept)]


@pytest.mark.parametrize("harm", ["a file is where the folder should be", "it breaks while it is used"])
def test_without_a_disk_it_works_in_memory(tmp_path, harm):
    """For as long as it is open."""
    if harm.startswith("a file"):
        (tmp_path / "runs").write_text("")
    with Registry(tmp_path / "runs") as registry:
        if harm.startswith("it breaks"):
            registry.passed("h", "r")
            registry._connection.execute("drop table results")
            registry._connection.commit()
        registry.passed("i", "r")
        assert registry.runs_with("i") == ["r"]


def test_the_digest_of_a_folder_is_of_names_and_contents(tmp_path):
    """The order in which the files were written makes no difference."""
    made = {}
    for number, names in enumerate((("a", "b"), ("b", "a"), ("a", "c"), ("a", "d/b"))):
        for name in names:
            path = tmp_path / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" if name == "a" else "y")
        made[names] = content_digest(tmp_path / str(number))
    assert made["a", "b"] == made["b", "a"]
    assert len(set(made.values())) == 3
    (tmp_path / "0" / "a").write_text("z")
    assert content_digest(tmp_path / "0") not in made.values()


def test_what_a_block_remembers_is_written_when_it_ends(tmp_path):
    """In one transaction: the index of thousands of runs costs one commit."""
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    with Registry(tmp_path) as registry, sqlite3.connect(tmp_path / NAME) as database:
        with registry.together():
            registry.forget_all_but([])  # makes the tables
            registry.remembered(tmp_path / "a", Path.read_text)
            registry.remembered(tmp_path / "b", Path.read_text)
            assert database.execute("select known from known_files").fetchall() == []
        assert database.execute("select known from known_files").fetchall() == [('"a"',), ('"b"',)]
