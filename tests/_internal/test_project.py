"""The project folder is found."""

import pytest

from sta410kit._internal.project import find_project, project_folder, require_project
from sta410kit.exceptions import ConfigurationError

pytestmark = pytest.mark.unit


@pytest.fixture
def project(tmp_path):
    """Make a folder that holds a project."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    return tmp_path


def test_the_nearest_folder_upwards_is_the_project(project):
    """From any folder or file inside, also one that does not exist."""
    inside = project / "runs" / "one"
    inside.mkdir(parents=True)
    assert find_project(inside) == project
    assert find_project(project / "notebooks" / "pipeline.toml") == project
    assert find_project(project / "not" / "there") == project


def test_the_inner_of_two_projects_is_the_nearest(project):
    """A project inside another is its own."""
    inner = project / "runs" / "copy" / "notebooks"
    inner.mkdir(parents=True)
    (inner / "pipeline.toml").touch()
    assert find_project(inner) == inner.parent


def test_the_current_folder_is_where_the_search_begins(project, monkeypatch):
    """Without an argument it starts at the current folder."""
    monkeypatch.chdir(project / "notebooks")
    assert find_project() == project
    assert project_folder() == project


def test_outside_any_project(tmp_path, monkeypatch):
    """There is none to find, and files belong to the folder started from."""
    assert find_project(tmp_path) is None
    assert project_folder(tmp_path) == tmp_path
    monkeypatch.chdir(tmp_path)
    assert project_folder() == tmp_path


def test_a_folder_with_the_name_of_the_marker_is_none(tmp_path):
    """The marker is a file."""
    (tmp_path / "notebooks" / "pipeline.toml").mkdir(parents=True)
    assert find_project(tmp_path) is None


def test_a_project_is_required(tmp_path, monkeypatch):
    """The refusal names the folder and what to do instead."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"lies in no project .*; do that"):
        require_project("; do that")
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").touch()
    assert require_project("") == tmp_path.resolve()
