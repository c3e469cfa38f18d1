"""The index of the runs is a cache: damage costs time only."""

import os
import sqlite3
from pathlib import Path

import pytest

from sta410kit._internal.redaction import register
from sta410kit.runner.registry import NAME, Registry, content_digest

pytestmark = pytest.mark.unit


def test_results_and_durations_are_found_again(tmp_path):
    """Newest runs first."""
    with Registry(tmp_path) as registry:
        registry.passed("i", "one", "20260101-000000-aaaa", {"code": "1"})
        registry.passed("i", "one", "20260102-000000-aaaa", {"code": "2"})
        registry.note_seconds("one", 2.5)
    with Registry(tmp_path) as registry:
        assert registry.runs_with("i") == ["20260102-000000-aaaa", "20260101-000000-aaaa"]
        assert registry.last_parts("one") == {"code": "2"}
        assert registry.last_parts("two") == {}
        assert registry.seconds() == {"one": 2.5}


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
            registry.passed("i", "one", run, {})
        for path in (kept, gone):
            registry.remembered(path, content_digest)
        gone.unlink()
        registry.forget_all_but(["b"])
        assert registry.runs_with("i") == ["b"]
    with sqlite3.connect(tmp_path / NAME) as database:
        paths = [row[0] for row in database.execute("select path from known_files")]
    database.close()
    assert paths == [f"content_digest:{kept}"]


@pytest.mark.parametrize("harm", ["a file is where the folder should be", "it breaks while it is used"])
def test_without_a_disk_it_works_in_memory(tmp_path, harm):
    """For as long as it is open."""
    if harm.startswith("a file"):
        (tmp_path / "runs").write_text("")
    with Registry(tmp_path / "runs") as registry:
        if harm.startswith("it breaks"):
            registry.note_seconds("one", 1.0)
            registry._connection.execute("drop table steps")
            registry._connection.commit()
        registry.passed("i", "one", "r", {"code": "1"})
        assert registry.runs_with("i") == ["r"]


def test_an_operational_error_does_not_replace_the_index(tmp_path):
    """Another process may have it locked; only a damaged file is replaced."""
    with Registry(tmp_path) as registry:
        registry.note_seconds("one", 1.0)
        registry._connection.execute("drop table steps")
        registry._connection.commit()
        registry.passed("i", "one", "r", {})
    with Registry(tmp_path) as registry:
        assert registry.seconds() == {"one": 1.0}


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


def test_no_secret_is_stored(tmp_path):
    """A parameter may have held one."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    register(secret)
    with Registry(tmp_path) as registry:
        registry.passed("i", "one", "r", {"parameter x": f'"{secret}"'})
        assert registry.last_parts("one") == {"parameter x": '"***"'}


def test_a_damaged_file_is_replaced_while_it_is_used(tmp_path):
    """What is noted afterwards is stored on disk again."""
    with Registry(tmp_path) as registry:
        registry.note_seconds("one", 1.0)
    (tmp_path / NAME).write_bytes(b"nonsense" * 4096)
    with Registry(tmp_path) as registry:
        registry.note_seconds("two", 2.0)
    with Registry(tmp_path) as registry:
        assert registry.seconds() == {"two": 2.0}


def test_an_index_of_another_schema_is_replaced(tmp_path):
    """Its tables may have other columns."""
    with sqlite3.connect(tmp_path / NAME) as database:
        database.execute("create table runs (run text)")
        database.execute("create table durations (step text)")
    database.close()
    with Registry(tmp_path) as registry:
        registry.note_seconds("one", 1.0)
    with Registry(tmp_path) as registry:
        assert registry.seconds() == {"one": 1.0}
    with sqlite3.connect(tmp_path / NAME) as database:
        names = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
    database.close()
    assert names == {"steps", "known_files", "durations"}
