"""Sweeps of the whole chain: shared steps run once, every combination counts as a trial."""

import json

import pandas as pd
import pytest

from sta410kit.exceptions import ConfigurationError
from sta410kit.exit_codes import ExitCode
from sta410kit.runner.chain import run_plan
from sta410kit.runner.manifest import read_manifest
from sta410kit.runner.plan import Options, plan_chain
from sta410kit.runner.progress import Progress
from sta410kit.runner.sweeps.plan import SweepOptions, plan_chain_sweep
from sta410kit.runner.sweeps.sweep import resume_sweep, run_sweep, unfinished_sweep

pytestmark = pytest.mark.integration

COUNTED = "import os\nos.system('echo {} >> ../executed')\n"  # a subprocess, so that it is no file it reads


def ignore(_record):
    """Let a unit end unheard."""


@pytest.fixture
def chain(project, write_notebook):
    """Make a project of two steps that note each execution; the first asks a live source."""
    write_notebook(
        project / "notebooks" / "one.ipynb",
        ("start: int = 2\nsource: str = 'live'\nrun_dir: str | None = None", "parameters"),
        COUNTED.format("one")
        + "from pathlib import Path\nassert start != 9 and source, 'nine'\n"
        + "(Path(run_dir) / 'number.txt').write_text(str(start))",
    )
    write_notebook(
        project / "notebooks" / "two.ipynb",
        (
            "number: str | None = None\nfactor: float = 2.0\nlabel: str = 'x'\nrun_dir: str | None = None",
            "parameters",
        ),
        COUNTED.format("two")
        + "from pathlib import Path\nfrom sta410kit.steps import record\nassert factor != 3, label\n"
        + "found = float(Path(number).read_text()) * factor\nrecord('product', found)\n"
        + "(Path(run_dir) / 'double.txt').write_text(str(found))",
    )
    path = project / "notebooks" / "pipeline.toml"
    path.write_text(
        path.read_text().replace(
            "produces = { number", 'reusable_when = { source = ["x"] }\nproduces = { number'
        )
    )
    return project


def executed(project):
    """Return the steps that were executed so far, sorted."""
    return sorted((project / "executed").read_text().split())


def test_steps_that_combinations_share_are_executed_once(chain):
    """A live source too; each combination is a run in its own folder, and later runs reuse its results."""
    plan = plan_chain_sweep(chain, {"start": ["1", "2"], "factor": ["2", "4"]}, {"label": "y"})
    done = run_sweep(plan, SweepOptions(workers=2), ignore)
    assert done.outcome is ExitCode.PASSED
    assert executed(chain) == ["one"] * 2 + ["two"] * 4
    table = pd.read_parquet(done.folder / "results.parquet")
    assert table[["unit", "start", "factor", "product"]].to_numpy().tolist() == [
        ["0001", 1, 2.0, 2.0],
        ["0002", 1, 4.0, 4.0],
        ["0003", 2, 2.0, 4.0],
        ["0004", 2, 4.0, 8.0],
    ]
    assert pd.read_csv(done.folder / "results.csv")["product"].tolist() == [2.0, 4.0, 4.0, 8.0]
    unit = read_manifest(done.folder / "units" / "0002")
    assert (unit.kind, unit.outcome, unit.given) == (
        "chain",
        "PASSED",
        {"label": "y", "start": "1", "factor": "4"},
    )
    assert [step.reused for step in unit.steps] == [f"{done.folder.name}/units/0001", ""]
    assert (done.folder / "units" / "0002" / "double.txt").read_text() == "4.0"
    page = (done.folder / "report.html").read_text()
    assert "<caption>product</caption><thead><tr><th>start \\ factor</th>" in page
    again = run_plan(
        plan_chain(chain, {"start": "2", "factor": "4", "label": "y", "source": "x"}, Options()),
        Progress(silent=True),
    )
    assert [bool(step.reused) for step in again.steps] == [False, True]


def test_what_failed_is_shown_and_runs_again_alone(chain):
    """A shared step that fails is not tried by each combination; what passed stays."""
    plan = plan_chain_sweep(chain, {"start": ["1", "9"], "factor": ["2", "3"]}, {})
    done = run_sweep(plan, SweepOptions(workers=1), ignore)
    assert done.outcome is ExitCode.NOTEBOOK_FAILED
    assert {step.name: step.outcome for step in done.manifest.steps} == {
        "0001": "PASSED", "0002": "NOTEBOOK_FAILED", "0003": "NOTEBOOK_FAILED", "0004": "NOTEBOOK_FAILED",
    }  # fmt: skip
    assert "two: " in done.manifest.steps[1].message
    assert "(as in unit 0003, which shares this step)" in done.manifest.steps[3].message
    assert executed(chain) == ["one", "one", "two", "two"]
    mended = (chain / "notebooks" / "two.ipynb").read_text().replace("assert factor != 3, label", "label")
    (chain / "notebooks" / "two.ipynb").write_text(mended)
    again = resume_sweep(unfinished_sweep(chain, None, {}, {}), SweepOptions(), ignore)
    assert again.folder == done.folder
    assert [step.outcome for step in again.manifest.steps] == ["PASSED"] * 2 + ["NOTEBOOK_FAILED"] * 2
    assert (
        executed(chain) == ["one"] * 3 + ["two"] * 3
    )  # the first step of 0002 was there, that of 0003 failed


def test_unknown_parameters_and_values_are_refused_with_a_suggestion(chain):
    """As `sta410 run` refuses them; nothing is left behind."""
    for grid, complaint in [
        ({"factr": ["1"]}, "Did you mean 'factor'"),
        ({"factor": ["x"]}, "valid number"),
        ({"factor": ["2", "2.0"]}, "has the value '2.0' twice"),
        ({"run_dir": ["x"]}, "does not declare a parameter 'run_dir'"),
    ]:
        with pytest.raises(ConfigurationError, match=complaint):
            plan_chain_sweep(chain, grid, {})
    assert not (chain / "runs").exists()


def test_the_command_prints_one_sorted_table_and_show_prints_it_again(chain, typed, write_notebook):
    """Corrected for all combinations: the verdict of each counted only those before it."""
    evidence = {
        "model": "m", "models": ["m"], "horizon": 1, "sessions": 1000, "symbols": 5, "predictions": 5000,
        "first": "", "last": "", "r2": 0.0, "r2_low": 0.0, "r2_high": 0.0, "r2_mean": 0.01, "gain": 0.01,
        "gain_low": 0.0, "gain_high": 0.0, "p_value": 0.009, "p_information": 0.009, "p_accuracy": 0.0,
        "p_spa": 0.0, "p_reality_check": 0.0, "gain_without_best": 0.01, "p_without_best": 0.0,
        "stretch": 252, "trials": 1, "newest_trial": 0, "uncounted": "", "block_length": 1.0, "resamples": 1,
    }  # fmt: skip
    write_notebook(
        chain / "notebooks" / "two.ipynb",
        ("number: str | None = None\nfactor: float = 2.0\nrun_dir: str | None = None", "parameters"),
        f"from pathlib import Path\nimport json\nfound = {evidence!r}\nfound['r2'] = factor / 1000\n"
        "text = json.dumps({'evidence': found})\n(Path(run_dir) / 'verdict.json').write_text(text)\n"
        "assert number",
    )
    path = chain / "notebooks" / "pipeline.toml"
    path.write_text(path.read_text().replace('{ double = "double.txt" }', '{ verdict = "verdict.json" }'))
    done = typed("sweep", "-g", "factor=2,4", "--jobs", "1", "--json", cwd=chain)
    assert done.returncode == 0
    content = json.loads(done.stdout)
    assert [step["recorded"]["r2"] for step in content["steps"]] == [0.002, 0.004]
    shown = typed("show", cwd=chain)
    assert shown.stdout.index("+0.40 %") < shown.stdout.index("+0.20 %")
    assert "chain" in typed("runs", cwd=chain).stdout
