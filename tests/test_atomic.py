"""Files appear whole or not at all."""

import os

import pytest

from sta410kit.atomic import replacing, write_text

pytestmark = pytest.mark.unit


def test_text_is_written_and_replaced(tmp_path):
    """The folder is made, the text is UTF-8, and writing again replaces it."""
    target = tmp_path / "new" / "page.html"
    write_text(target, "größer")
    write_text(target, "€")
    assert target.read_bytes() == "€".encode()
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


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


def test_the_file_is_as_readable_as_any_other(tmp_path):
    """Its permissions follow the umask, not those of a temporary file."""
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "report.html", "x")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o644
