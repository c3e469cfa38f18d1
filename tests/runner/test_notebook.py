"""What a notebook declares, and whether it reads it."""

import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.notebook import parameters_of, read_notebook
from sta410kit.runner.pipeline import Step, check_chain_parameters
from sta410kit.runner.plan import Options, plan_notebook

pytestmark = pytest.mark.unit


def read_flags(path):
    """Return for each parameter whether another cell reads it."""
    return {parameter.name: parameter.read for parameter in parameters_of(read_notebook(path))}


def test_only_other_cells_count(tmp_path, write_notebook):
    """Neither the parameters cell itself, nor papermill's, nor text; magics and shell lines do."""
    path = write_notebook(
        tmp_path / "x.ipynb",
        ("a = 1\nb = a + 1\nc = 2\nd = 3\ne = 4\nf = 5", "parameters"),
        ("f = f + 1", "injected-parameters"),
        "#! about a",
        "print(b)",
        "%time g(c)",
        "!echo {d} $e",
    )
    assert read_flags(path) == {"a": False, "b": True, "c": True, "d": True, "e": True, "f": False}


def test_a_given_parameter_that_nothing_reads_is_refused(tmp_path, write_notebook):
    """Before anything runs; not given, it does no harm."""
    path = write_notebook(tmp_path / "x.ipynb", ("a: int = 1\nb: int = 2", "parameters"), "a")
    assert plan_notebook(path, {"a": "3"}, Options()).values == {"x": {"a": 3}}
    with pytest.raises(ConfigurationError, match="declares a parameter 'b' that none of its cells reads"):
        plan_notebook(path, {"b": "3"}, Options())


def test_two_parameters_cells_are_refused(tmp_path, write_notebook):
    """Papermill fills the first, and the second would overwrite what was given."""
    path = write_notebook(tmp_path / "x.ipynb", ("a = 1", "parameters"), ("a = 2", "parameters"), "a")
    with pytest.raises(ConfigurationError, match=r"x\.ipynb: 2 cells are tagged 'parameters'"):
        parameters_of(read_notebook(path))


def test_in_a_chain_one_reader_is_enough(tmp_path, write_notebook):
    """Another notebook may declare it for the sake of a common head."""
    head = ("a: int = 1\nb: int = 2", "parameters")
    paths = [
        write_notebook(tmp_path / name, head, source) for name, source in (("x.ipynb", "a"), ("y.ipynb", "1"))
    ]
    steps = [Step(path, (), {}, tuple(parameters_of(read_notebook(path)))) for path in paths]
    assert check_chain_parameters({"a": "3"}, steps) == {"x": {"a": 3}, "y": {"a": 3}}
    with pytest.raises(ConfigurationError, match="none of its cells reads"):
        check_chain_parameters({"b": "3"}, steps)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("notebooks/one.ipnyb", "Did you mean 'one.ipynb'? Notebooks there are: one.ipynb, two.ipynb"),
        ("one.ipynb", "Did you mean 'notebooks/one.ipynb'? Notebooks there are: notebooks/one.ipynb, "),
        ("05_evaluate", " Notebooks there are: notebooks/one.ipynb, notebooks/two.ipynb"),
    ],
)
def test_a_notebook_that_is_not_there_is_told_with_those_that_are(project, monkeypatch, typed, words):
    """In a folder without any, with those of the project, as they would be typed."""
    monkeypatch.chdir(project)
    with pytest.raises(ConfigurationError) as caught:
        read_notebook(project / typed)
    assert str(caught.value).startswith(f"no notebook {project / typed}.")
    assert words in str(caught.value)
