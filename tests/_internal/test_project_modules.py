"""What a project declares in its ``pipeline.toml``: modules to import and price sources."""

import pytest

from sta410kit._internal.project_modules import declared_sources, import_declared_modules
from sta410kit.exceptions import ConfigurationError

pytestmark = pytest.mark.unit


@pytest.fixture
def declare(tmp_path, monkeypatch):
    """Write the text into the pipeline file of a project, and change into it."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    return (tmp_path / "notebooks" / "pipeline.toml").write_text


def test_sources_are_names_and_places(declare):
    """The table is read as it is; without one there are none."""
    declare('[sources]\ndesk = "my_sources:Desk"\n')
    assert declared_sources() == {"desk": "my_sources:Desk"}
    declare("")
    assert declared_sources() == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("modules = [", "pipeline.toml cannot be read"),
        ('modules = "my_features"', r"modules is 'my_features'; write \["),
        ("modules = [1]", r"modules is \[1\]; write \["),
        ('modules = ["not_there_at_all"]', "There is no module 'not_there_at_all'"),
    ],
)
def test_a_wrong_declaration_of_modules_is_named(declare, text, complaint):
    """With the form that is meant."""
    declare(text)
    with pytest.raises(ConfigurationError, match=complaint):
        import_declared_modules()


def test_a_wrong_table_of_sources_is_named(declare):
    """With an example."""
    declare('sources = ["my_sources:Desk"]')
    with pytest.raises(ConfigurationError, match=r"sources is .*write a table such as polygon"):
        declared_sources()
