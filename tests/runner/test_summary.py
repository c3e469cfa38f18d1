"""What the terminal shows of a run at its end and for `sta410 show`."""

import pytest

from sta410kit.runner.chain import Run
from sta410kit.runner.manifest import Manifest, StepRecord
from sta410kit.runner.summary import print_details, print_summary

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("outcome", "kind", "hint"),
    [
        ("INTERRUPTED", "chain", "to continue from there: sta410 run --resume"),
        ("TIMED_OUT", "chain", "to continue from there: sta410 run --resume"),
        ("OUT_OF_MEMORY", "chain", "to continue from there: sta410 run --resume"),
        ("SOURCE_UNAVAILABLE", "chain", "to continue from there: sta410 run --resume"),
        ("NOTEBOOK_FAILED", "chain", "correct the notebook, then continue from there: sta410 run --resume"),
        ("NOTEBOOK_FAILED", "notebook", ""),
        ("DATA_REJECTED", "chain", ""),
        ("LEAK_FOUND", "chain", ""),
        ("SECRET_FOUND", "chain", ""),
        ("USAGE", "chain", ""),
        ("PASSED", "chain", ""),
    ],
)
def test_resuming_is_suggested_only_where_it_can_help(tmp_path, capsys, outcome, kind, hint):
    """A chain whose data were rejected would be rejected again."""
    manifest = Manifest("a", kind, outcome=outcome, steps=[StepRecord("one", outcome, message="why")])
    print_summary(Run(tmp_path, manifest))
    shown = capsys.readouterr().err
    assert shown.endswith(f"{hint}\n") if hint else "--resume" not in shown


def test_show_prints_data_results_and_reused_steps(tmp_path, capsys):
    """Everything that the run store keeps, for a reader."""
    data = {"symbols": ["A", "B"], "first": "2012-01-03", "last": "2012-01-04", "rows": 1200}
    steps = [
        StepRecord("one", "PASSED", 1.25, reused="earlier"),
        StepRecord("two", "PASSED", 2.5, recorded={"r2": 0.25}, warnings=["look"]),
    ]
    results = {"data": data, "verdict": {"verdict": "no skill shown", "sentence": "As expected."}}
    Manifest(
        "a", outcome="PASSED", exit_code=0, given={"model": "ridge"}, steps=steps, results=results, seed=42
    ).write(tmp_path)
    print_details(tmp_path)
    shown = capsys.readouterr().out
    for text in (
        "run a: PASSED, exit code 0\n",
        "parameters: model=ridge\n",
        "data: 2 symbols, 1,200 rows, 2012-01-03 to 2012-01-04\n",
        "PASSED unchanged since earlier",
        "recorded two: r2 = 0.25\n",
        "warning: two: look\n",
        "verdict: no skill shown. As expected.\n",
    ):
        assert text in shown


def test_a_notebook_is_compared_with_its_last_run_that_passed(tmp_path, capsys):
    """Value, earlier value and change; a failed run and another notebook's do not count."""
    earlier = [
        ("20260101-120000-a", "PASSED", "mine", 0.25),
        ("20260102-120000-a", "NOTEBOOK_FAILED", "mine", 9.0),
        ("20260103-120000-a", "PASSED", "other", 9.0),
    ]
    for name, outcome, title, value in earlier:
        (tmp_path / name).mkdir()
        steps = [StepRecord("s", outcome, recorded={"r2": value})]
        Manifest(name, "notebook", title, outcome=outcome, given={"n": "5"}, steps=steps).write(
            tmp_path / name
        )
    now = [StepRecord("s", "PASSED", recorded={"r2": 1 / 3, "kind": "new"})]
    print_summary(
        Run(tmp_path / "20260104-120000-a", Manifest("b", "notebook", "mine", outcome="PASSED", steps=now))
    )
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "r2 0.333333 0.25 +0.08333" in words
    assert "kind new changed" in words
    assert "parameters of run 20260101-120000-a: n=5" in words


def test_metrics_stand_beside_those_of_the_last_run_that_passed(tmp_path, capsys):
    """It is named; a failed run in between does not count, and equal numbers are not repeated."""
    scores = {"r2_against_naive": -0.00081, "coverage": 0.9006}
    for name, outcome, r2 in (("20260101-120000-a", "PASSED", 0.0), ("20260102-120000-a", "TIMED_OUT", 9.0)):
        results = {"scores": {**scores, "r2_against_naive": r2}}
        (tmp_path / name).mkdir()
        Manifest(name, "chain", outcome=outcome, results=results).write(tmp_path / name)
    folder = tmp_path / "20260103-120000-a"
    print_summary(Run(folder, Manifest(folder.name, "chain", outcome="PASSED", results={"scores": scores})))
    assert capsys.readouterr().out.splitlines()[-2] == (
        "metrics: R² against naive -0.08 % (before +0.00 %), 90 % interval covers 90.1 %; "
        "before: run 20260101-120000-a, the last that passed"
    )
