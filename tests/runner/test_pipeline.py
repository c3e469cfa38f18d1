"""The chain's declaration: read whole, or refused with the place and the reason."""

import pytest

from sta410kit._internal.project import find_project
from sta410kit.exceptions import ConfigurationError
from sta410kit.runner.pipeline import check_chain_parameters, read_pipeline

pytestmark = pytest.mark.unit
ONE = "[[step]]\nnotebook = 'one.ipynb'\nproduces = { "
TWO = "[[step]]\nnotebook = 'two.ipynb'\nproduces = { "


def test_steps_come_in_order_with_what_they_need(project):
    """Names, needs, products and declared parameters are there."""
    one, two = read_pipeline(project)
    assert (one.name, one.needs, one.produces) == ("one", (), {"number": "number.txt"})
    assert (two.name, two.needs) == ("two", ("number",))
    assert [parameter.name for parameter in two.parameters] == ["number", "factor", "run_dir"]


def test_the_projects_chain_is_sound():
    """The six notebooks of this project fit together."""
    steps = read_pipeline(find_project())
    assert [step.name for step in steps] == [
        "01_ingest",
        "02_validate",
        "03_features",
        "04_train",
        "05_evaluate",
        "06_forecast",
    ]
    assert {"source", "path", "symbols", "start", "end"} <= {p.name for p in steps[0].parameters}
    assert {"model", "horizon"} <= {p.name for p in steps[3].parameters}
    assert all(parameter.annotation for step in steps for parameter in step.parameters)


def test_a_parameter_goes_to_every_step_that_declares_it(project):
    """Each step gets its own, converted."""
    values = check_chain_parameters({"start": "5", "factor": "1.5"}, read_pipeline(project))
    assert values == {"one": {"start": 5}, "two": {"factor": 1.5}}


@pytest.mark.parametrize("name", ["starts", "number", "run_dir", "nonsense"])
def test_a_parameter_that_no_step_declares_or_the_chain_sets_is_refused(project, name):
    """What the chain hands over itself cannot be typed either."""
    with pytest.raises(ConfigurationError, match=f"the chain does not declare a parameter '{name}'"):
        check_chain_parameters({name: "1"}, read_pipeline(project))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "declares no"),
        ("step = 1", "declares no"),
        ("[[step]", "cannot be read"),
        ("[[step]]\nname = 'x'", "step 1: notebook: Field required"),
        ("[[step]]\nnotebook = 'none.ipynb'", "no notebook"),
        ("[[step]]\nnotebook = '../../x.ipynb'", "step 1 names ../../x.ipynb, which lies outside"),
        ("[[step]]\nnotebook = 'one.ipynb'\nneed = []", "step 1: need: Extra inputs are not permitted"),
        ("[[step]]\nnotebook = 'two.ipynb'\nneeds = ['number']", "no step before it produces"),
        ("[[step]]\nnotebook = 'one.ipynb'\nneeds = ['what']", "declares no such parameter"),
        ("[[step]]\nnotebook = 'one.ipynb'\nneeds = 'start'", "step 1: needs: Input should be a valid list"),
        (
            "[[step]]\nnotebook = 'one.ipynb'\nproduces = ['x.txt']",
            "step 1: produces: Input should be a valid dictionary",
        ),
        (
            "[[step]]\nnotebook = 'one.ipynb'\nreusable_when = { start = '1' }",
            "reusable_when.start: Input should be a valid list",
        ),
        ("[[step]]\nnotebook = 'one.ipynb'\nreusable_when = { sauce = [2] }", "sauce, which is no parameter"),
        (f"{ONE}x = '../x.txt' }}", "x = '../x.txt', which is not the name of a file"),
        (f"{ONE}x = '' }}", "x = '', which is not the name of a file"),
        (f"{ONE}x = 3 }}", "produces.x: Input should be a valid string"),
        (f"{ONE}x = 'manifest.json' }}", "one produces manifest.json, and so does the run"),
        (f"{ONE}x = 'one.ipynb' }}", "one produces one.ipynb, and so does one"),
        (f"{ONE}x = 'x' }}\n{TWO}y = 'x' }}", "two produces x, and so does one"),
        (f"{ONE}x = 'x' }}\n{TWO}x = 'y' }}", "two produces x, and so does one"),
        (f"{ONE}x = 'x' }}\n{ONE}y = 'y' }}", "two steps are called one"),
    ],
)
def test_a_wrong_declaration_is_refused(project, text, complaint):
    """Each error names the file or the notebook."""
    (project / "notebooks" / "pipeline.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=complaint):
        read_pipeline(project)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"cells": 1}', "\x00", '{"nbformat": 4, "cells": [{}]}']
)
def test_what_is_not_a_notebook_is_refused(project, content):
    """Empty, truncated and foreign files are named."""
    (project / "notebooks" / "one.ipynb").write_text(content)
    with pytest.raises(ConfigurationError, match=r"one\.ipynb is not a Jupyter notebook"):
        read_pipeline(project)
