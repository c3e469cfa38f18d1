"""A result is reused only if the user's files that its step read are as they were, and none shadows them."""

import json
import os
import time

import pandas as pd
import pytest

from sta410kit.guards.suites import read_suite
from sta410kit.runner.plan import Options, plan_chain
from sta410kit.runner.reuse import explain
from tests.runner.conftest import run_chain

pytestmark = pytest.mark.integration

CELL = (
    "import sys\nsys.path.append('..')\nimport importlib\nimport pandas as pd\n"
    "models = importlib.import_module('my_models')\n"
    "try:\n    import fast_models\nexcept ImportError:\n    pass\n"
    "table = pd.read_csv('data.csv')\nquick = pd.read_parquet('data.parquet')\n"
    "days = [pd.read_parquet(path) for path in Path('days').glob('*.parquet')]\n"
    "quick = pd.concat([quick, *days, pd.read_parquet('parts')])\n"
    "Path('own.txt').write_text('x')\nassert Path('own.txt').read_text()\n"
    "(Path(run_dir) / 'number.txt').write_text(f'{models.value} {len(table)} {len(quick)}')"
)


@pytest.fixture
def reading(project, one_step):
    """Make a project whose first step reads modules in the project's root and data beside the notebook."""
    folder = project / "notebooks"
    one_step(CELL)
    (project / "my_models.py").write_text("from helper import value\n")
    (project / "helper.py").write_text("value = 1\n")
    (folder / "data.csv").write_text("a\n1\n")
    for name in ("data", "days/1", "parts/1"):
        (folder / name).parent.mkdir(exist_ok=True)
        pd.DataFrame({"a": [1]}).to_parquet(folder / f"{name}.parquet")
    earlier = time.time() - 60  # what is written while a step runs counts as changed
    for path in (*project.glob("*.py"), *folder.rglob("*")):
        os.utime(path, (earlier, earlier))
    return project


def run(project):
    """Run the chain; return what the step wrote, or nothing if its result was reused."""
    done = run_chain(project)
    assert done.outcome.name == "PASSED", done.steps
    return "" if done.steps[0].reused else (done.folder / "number.txt").read_text()


def write(text):
    """Return a change that writes a text."""
    return lambda path: path.write_text(text)


CHANGES = {
    "a module in the project's root": (
        "my_models.py",
        write("from helper import value\nvalue += 1\n"),
        "2 1 3",
    ),
    "a module that is imported by a module": ("helper.py", write("value = 33\n"), "33 1 3"),
    "a table": ("notebooks/data.csv", write("a\n1\n2\n"), "1 2 3"),
    "a Parquet file": (
        "notebooks/data.parquet",
        lambda path: pd.DataFrame({"a": [1, 2, 3]}).to_parquet(path),
        "1 1 5",
    ),
    "a file in a folder that is listed": (
        "notebooks/days/2.parquet",
        lambda path: pd.DataFrame({"a": [1]}).to_parquet(path),
        "1 1 4",
    ),
    "a part of a Parquet dataset": (
        "notebooks/parts/1.parquet",
        lambda path: pd.DataFrame({"a": [1, 2]}).to_parquet(path),
        "1 1 4",
    ),
    "a module earlier on the path": ("notebooks/helper.py", write("value = 4\n"), "4 1 3"),
    "a package beside a module": (
        "helper",
        lambda path: (path.mkdir(), (path / "__init__.py").write_text("value = 5\n")),
        "5 1 3",
    ),
    "a module that was looked for in vain": ("notebooks/fast_models.py", write(""), "1 1 3"),
    "a module with the name of an installed package": ("notebooks/arch.py", write(""), "1 1 3"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_a_changed_result(reading, change):
    """And nothing else is: what the step itself writes, or a file that it does not read."""
    assert run(reading) == "1 1 3"
    (reading / "notebooks" / "unread.py").write_text("")
    assert run(reading) == ""
    name, make, expected = CHANGES[change]
    make(reading / name)
    assert run(reading) == expected
    assert run(reading) == ""


def test_a_file_that_is_changed_back_brings_its_own_result_back(reading):
    """Not that of the newest run, which was made from other content."""
    assert run(reading) == "1 1 3"
    (reading / "helper.py").write_text("value = 22\n")
    assert run(reading) == "22 1 3"
    (reading / "helper.py").write_text("value = 1\n")
    done = run_chain(reading)
    assert done.steps[0].reused
    assert (done.folder / "number.txt").read_text() == "1 1 3"


def test_a_suite_of_the_project_replaces_that_of_the_kit(one_step):
    """A step that was judged by the kit's suite is judged again once the project has its own."""
    cell = (
        "from sta410kit.guards.declarations import read_reviewed\n"
        "from sta410kit.guards.suites import read_suite\nsuite = read_suite('prices')\n"
        "reviewed = read_reviewed(suite.path.parent, 'prices')\n"
        "(Path(run_dir) / 'number.txt').write_text(f'{len(suite.expectations)} {len(reviewed)}')"
    )
    project = one_step(cell)
    assert run(project) not in {"", "1 0"}
    assert run(project) == ""
    own = {"type": "expect_column_to_exist", "kwargs": {"column": "symbol"}, "meta": {"severity": "critical"}}
    (project / "expectations").mkdir(exist_ok=True)
    (project / "expectations" / "prices.json").write_text(
        json.dumps({"name": "prices", "expectations": [own]})
    )
    assert run(project) == "1 0"
    (project / "expectations" / "accepted.toml").write_text(
        '[[finding]]\nsuite = "prices"\nexpectation = "expect_column_to_exist"\nreason = "Known."\n'
        "expires = 2100-01-01\n"
    )
    assert run(project) == "1 1"


def test_a_step_runs_again_when_repairs_or_events_are_declared(one_step):
    """A file that the step looked for and did not find counts as read."""
    cell = (
        "import pandas as pd\nfrom sta410kit import guards\n"
        "bar = dict.fromkeys(['open', 'high', 'low', 'close', 'adj_close'], 1.0)\n"
        "bar |= {'symbol': ['A'], 'date': pd.to_datetime(['2024-01-02']), 'volume': 100}\n"
        "frame, _ = guards.apply_repairs(pd.DataFrame(bar)[['symbol', 'date', *list(bar)[:5], 'volume']])\n"
        "result = guards.validate(frame)\n"
        "(Path(run_dir) / 'number.txt').write_text(str(frame['volume'].iloc[0]))"
    )
    project = one_step(cell)
    suite = read_suite("prices").path
    (project / "expectations").mkdir(exist_ok=True)
    (project / "expectations" / "prices.json").write_text(suite.read_text())
    assert run(project) == "100"
    assert run(project) == ""
    (project / "expectations" / "repairs.toml").write_text(
        '[[repair]]\nsymbol = "A"\naction = "set"\ncolumns = ["volume"]\nvalue = 200\n'
        'reason = "Known."\nby = "R. Eviewer"\n'
    )
    assert run(project) == "200"
    (project / "expectations" / "events.toml").write_text('[[event]]\ndate = 2024-01-02\nkind = "halt"\n')
    assert run(project) == "200"
    assert run(project) == ""


def test_the_reason_names_the_file(reading):
    """As `sta410 run --dry-run` shows it."""
    run(reading)
    (reading / "helper.py").write_text("value = 22\n")
    plan = plan_chain(reading, {}, Options())
    assert explain(plan) == [("one", True, "changed: file helper.py")]
    (reading / "helper.py").write_text("value = 1  # as before\n")
    assert explain(plan)[0][1] is False


def test_what_a_failed_step_read_is_compared_too(reading):
    """So that `sta410 show` names the file that made it fail."""
    run(reading)
    (reading / "helper.py").write_text("value = 1\nraise RuntimeError\n")
    failed = run_chain(reading).steps[0]
    assert failed.outcome == "NOTEBOOK_FAILED"
    assert failed.reads is not None
    assert "helper.py" in failed.reads["files"]


def test_an_edit_of_the_kit_makes_results_stale(reading, tmp_path, monkeypatch):
    """Of what a notebook can import, not of the command line."""
    kit = tmp_path / "kit"
    for name in ("market", "cli"):
        (kit / name).mkdir(parents=True)
    monkeypatch.setattr("sta410kit.runner.identity.KIT", kit)
    monkeypatch.setattr(
        "sta410kit.runner.identity.kit_files", lambda: [(str(path), 0, 0) for path in kit.rglob("*.py")]
    )
    run(reading)
    (kit / "cli" / "command.py").write_text("")
    assert run(reading) == ""
    (kit / "market" / "source.py").write_text("")
    assert run(reading) == "1 1 3"
