"""The examples in deploy/ that other programs load: Prometheus, systemd, cron, Airflow."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sta410kit.cli.entry import cli

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).parents[2] / "deploy"


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def commands():
    """Yield each command line of the kit that an example runs."""
    for name in (
        "crontab",
        "systemd/sta410-night.service",
        "systemd/sta410-serve.service",
        "airflow/sta410_dag.py",
    ):
        for match in re.finditer(r"\.venv/bin/sta410 ([^\"\n>&]*)", (DEPLOY / name).read_text("utf-8")):
            yield name, match[1].split()


def test_prometheus_takes_configuration_and_rules(need):
    """`promtool` checks both and runs the unit tests of the rules."""
    need("promtool")
    folder = DEPLOY / "prometheus"
    for words in (
        ("check", "config", "--syntax-only", folder / "prometheus.yml"),
        ("check", "rules", folder / "alerts.yml"),
        ("test", "rules", folder / "alerts_test.yml"),
    ):
        checked = run("promtool", *map(str, words))
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_systemd_takes_the_units(tmp_path):
    """With the project where it is said to be."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, from systemd")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text("utf-8").replace("/srv/project/.venv/bin/sta410", "/bin/true")
        (tmp_path / path.name).write_text(text)
    checked = run("systemd-analyze", "verify", *map(str, tmp_path.iterdir()))
    assert "sta410-" not in checked.stderr, checked.stderr


@pytest.mark.parametrize(("name", "words"), list(commands()))
def test_the_commands_of_the_examples_parse(name, words):
    """As click reads them; nothing is run."""
    del name
    command, words = cli.commands[words[0]], words[1:]
    if words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    command.make_context("sta410", words)


def test_the_crontab_has_five_fields_and_a_command():
    """In each line that is no remark."""
    lines = [
        line for line in (DEPLOY / "crontab").read_text("utf-8").splitlines() if line[:1] not in {"#", ""}
    ]
    assert len(lines) == 4
    assert all(re.match(r"(?:[\d*/,-]+\s+){5}cd /srv/project && \S", line) for line in lines)


def test_the_dag_compiles_and_skips_when_nothing_is_due():
    """It imports Airflow alone, nothing of the project."""
    tree = ast.parse((DEPLOY / "airflow" / "sta410_dag.py").read_text("utf-8"))
    compile(tree, "sta410_dag.py", "exec")
    modules = {node.module.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"airflow", "datetime"}
    skips = [node.value.value for node in ast.walk(tree) if getattr(node, "arg", "") == "skip_on_exit_code"]
    assert skips == [12]
