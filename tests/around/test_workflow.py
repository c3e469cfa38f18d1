"""The workflow and its neighbours are well formed and name what exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github/workflows/ci-cd.yml"
JOBS = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]


def commands():
    """Give every shell line of every job."""
    return "\n".join(step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step)


def check(schema, path):
    """Hold a file against a schema that check-jsonschema carries; within this process, to start it once."""
    return CliRunner().invoke(check_jsonschema, ["--builtin-schema", f"vendor.{schema}", str(path)])


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-workflows", ".github/workflows/ci-cd.yml"),
        ("dependabot", ".github/dependabot.yml"),
    ],
)
def test_it_keeps_its_schema(schema, name):
    """GitHub's own schema accepts the file."""
    checked = check(schema, ROOT / name)
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_the_schema_refuses_a_broken_workflow(tmp_path):
    """The check above can fail: a job without a machine to run on is refused."""
    broken = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    del broken["jobs"]["test"]["runs-on"]
    (tmp_path / "broken.yml").write_text(yaml.safe_dump(broken), encoding="utf-8")
    checked = check("github-workflows", tmp_path / "broken.yml")
    assert checked.exit_code == 1
    assert "$.jobs.test" in checked.output


def test_the_stages():
    """The five stages and the notebooks are there; the last waits for all the others and always speaks."""
    assert list(JOBS) == ["test", "security", "build", "notebooks", "docs", "notify"]
    assert set(JOBS["notify"]["needs"]) == set(JOBS) - {"notify"}
    assert JOBS["notify"]["if"] == "always()"


def test_it_may_only_read():
    """The workflow's token can change nothing."""
    assert yaml.safe_load(WORKFLOW.read_text("utf-8"))["permissions"] == {"contents": "read"}
    assert [name for name, job in JOBS.items() if "permissions" in job] == []


def test_every_job_ends():
    """No job can hang for the six hours that GitHub allows."""
    assert [name for name, job in JOBS.items() if not 0 < job["timeout-minutes"] <= 60] == []


def test_every_action_is_pinned():
    """Each action names a version; none follows a branch."""
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action)] == []


def test_the_commands_name_what_exists():
    """Each make target and each file that a step names is there."""
    text = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z-]+)", commands())) <= set(phony.split())
    named = re.findall(r"\b(?:notebooks|tests)/[\w/]+\.\w+|\brequirements\.txt", commands())
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_notebooks_stage_keeps_the_data_docs():
    """It runs the chain, bare papermill and nbval, and hands the runs on even when one of them failed."""
    steps = JOBS["notebooks"]["steps"]
    said = "\n".join(step.get("run", "") for step in steps)
    assert [word for word in ("make run", "papermill notebooks/", "make nbval") if word not in said] == []
    (upload,) = [step for step in steps if step.get("uses", "").startswith("actions/upload-artifact@")]
    assert upload["if"] == "always()"
    assert upload["with"]["name"] == "data-docs"
    assert upload["with"]["path"] == "runs/"


def test_pre_commit_accepts_its_configuration():
    """pre-commit can read the file; its hooks are the project's own tools and leave notebooks alone."""
    name = ROOT / ".pre-commit-config.yaml"
    checked = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", name], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    repos = yaml.safe_load(name.read_text("utf-8"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    for hook in repos[0]["hooks"]:
        assert hook["language"] == "system"
        assert hook["entry"].startswith(".venv/bin/python -m ")
