"""Files appear whole or not at all."""

import os

import pytest

from sta410kit._internal.atomic_files import replacing, write_text
from sta410kit._internal.redaction import register

pytestmark = pytest.mark.unit


def test_text_is_written_and_replaced(tmp_path):
    """The folder is made, the text is UTF-8, and writing again replaces it."""
    target = tmp_path / "new" / "page.html"
    write_text(target, "größer")
    write_text(target, "€")
    assert target.read_bytes() == "€".encode()
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


def test_a_secret_is_not_written(tmp_path):
    """Whoever writes a text need not remember to redact it."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    register(secret)
    write_text(tmp_path / "page.html", f"<p>{secret}</p>")
    assert (tmp_path / "page.html").read_text() == "<p>***</p>"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    """When the block raises, the target stays as it was."""
    target = tmp_path / "table.csv"
    target.write_text("old")

    def fail_half_way():
        with replacing(target) as aside:
            aside.write_text("half")
            message = "disk full"
            raise OSError(message)

    with pytest.raises(OSError, match="disk full"):
        fail_half_way()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_target_is_untouched_until_the_block_ends(tmp_path):
    """A reader in the middle sees the old file; the temporary one has the same folder and suffix."""
    target = tmp_path / "prices.parquet"
    target.write_text("old")
    with replacing(target) as aside:
        aside.write_text("new")
        assert target.read_text() == "old"
        assert (aside.parent, aside.suffix) == (tmp_path, ".parquet")
    assert target.read_text() == "new"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_file_is_as_readable_as_any_other(tmp_path, umask, mode):
    """Its permissions follow the umask, not those of a temporary file."""
    before = os.umask(umask)
    try:
        write_text(tmp_path / "report.html", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == mode


def test_the_umask_is_left_alone(tmp_path, monkeypatch):
    """Not even for a moment: another thread may make a file just then."""
    monkeypatch.setattr(os, "umask", lambda _mask: pytest.fail("the umask was changed"))
    write_text(tmp_path / "report.html", "x")


def test_the_content_is_on_the_disk_before_it_takes_the_place(tmp_path, monkeypatch):
    """The temporary file is flushed to the disk while the target still has its old content."""
    target = tmp_path / "table.csv"
    target.write_text("old")
    flushed = []

    def flush(descriptor):
        flushed.append((os.fstat(descriptor).st_size, target.read_text()))

    monkeypatch.setattr(os, "fsync", flush)
    write_text(target, "newer")
    assert flushed == [(5, "old")]
    assert target.read_text() == "newer"


def test_an_existing_temporary_file_is_not_overwritten(tmp_path, monkeypatch):
    """Should the temporary name be taken, the file that has it stays as it is."""
    monkeypatch.setattr("secrets.token_hex", lambda _size: "taken")
    (tmp_path / ".page-taken.html").write_text("mine")
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "page.html", "x")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(".page-taken.html", "mine")]
