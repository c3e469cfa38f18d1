"""The workflow is well formed and names what exists."""

import re

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def workflow(root):
    """Read the workflow."""
    return yaml.safe_load((root / ".github/workflows/ci-cd.yml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("schema", "name"),
    [("github-workflows", ".github/workflows/ci-cd.yml"), ("dependabot", ".github/dependabot.yml")],
)
def test_it_keeps_its_schema(root, schema, name):
    """GitHub's own schema accepts the file."""
    arguments = ["--builtin-schema", f"vendor.{schema}", str(root / name)]
    checked = CliRunner().invoke(check_jsonschema, arguments)
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_the_stages(workflow):
    """The five stages and the notebooks are there; the last waits for all others and always reports."""
    jobs = workflow["jobs"]
    assert list(jobs) == ["test", "security", "build", "notebooks", "docs", "notify"]
    assert set(jobs["notify"]["needs"]) == set(jobs) - {"notify"}
    assert jobs["notify"]["if"] == "always()"


def test_it_can_neither_write_nor_hang_nor_follow_a_branch(workflow):
    """Its token may only read, each job has a time limit, each action is one commit."""
    jobs = workflow["jobs"].values()
    assert workflow["permissions"] == {"contents": "read"}
    assert [job for job in jobs if "permissions" in job] == []
    assert all(0 < job["timeout-minutes"] <= 60 for job in jobs)
    used = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_its_commands_name_what_exists(root, workflow, targets):
    """Each make target and each file that a step names is there."""
    said = "\n".join(step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"])
    assert set(re.findall(r"\bmake ([a-z-]+)", said)) <= set(targets)
    named = re.findall(r"\b(?:notebooks|tests)/[\w/]+\.\w+|\brequirements\.txt", said)
    assert named
    assert [name for name in named if not (root / name).is_file()] == []


def test_pre_commit_runs_the_projects_own_tools(root):
    """Its configuration fetches no hook from another host."""
    (repo,) = yaml.safe_load((root / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repo["repo"] == "local"
    assert [hook["id"] for hook in repo["hooks"] if not hook["entry"].startswith(".venv/bin/")] == []
