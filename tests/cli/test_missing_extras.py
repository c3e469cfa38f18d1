"""Without an extra, its commands end with 2 before they do anything, and say what to install."""

import os
import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration
_OF_EXTRAS = (
    "alembic", "apprise", "apscheduler", "argon2", "fastapi", "jupyterlab", "limits", "prometheus_client",
    "psycopg", "python_multipart", "sqlalchemy", "uvicorn",
)  # fmt: skip
_START = "import sys; sys.modules.update(dict.fromkeys({!r})); from sta410kit.cli.entry import main; main()"
_SERVE = "the service needs the package {}: pip install 'sta410kit[serve]'"
_ALERTS = "ALERT_URLS needs apprise: pip install 'sta410kit[night]'"
_METRICS = "metrics need prometheus-client: pip install 'sta410kit[night]'"
_CHANNEL, _FILE = {"ALERT_URLS": "json://127.0.0.1:1"}, {"METRICS_TEXTFILE": "sta410.prom"}
_SHARED = {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}


@pytest.fixture
def project(tmp_path):
    """Make a project whose chain would leave a file, with a schedule."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "pipeline.toml").write_text('[[step]]\nnotebook = "one.ipynb"\n')
    (tmp_path / "schedules.toml").write_text("[nightly]\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        ("serve --port 0", {}, _SERVE.format("python_multipart")),
        ("ui --port 0 --no-browser", {}, _SERVE.format("python_multipart")),
        ("user add ann", {}, _SERVE.format("sqlalchemy")),
        ("user list", {}, _SERVE.format("sqlalchemy")),
        ("due", _SHARED, _SERVE.format("sqlalchemy")),
        ("run --schedule nightly", _SHARED, _SERVE.format("sqlalchemy")),
        ("alert", _CHANNEL, _ALERTS),
        ("alert --test", _CHANNEL, _ALERTS),
        ("run --alert", _CHANNEL, _ALERTS),
        ("run --schedule nightly", _CHANNEL, _ALERTS),
        ("run --schedule nightly", _FILE, _METRICS),
        ("metrics", {}, _METRICS),
        ("metrics --write", _FILE, _METRICS),
        ("lab", {}, "JupyterLab is not installed; install it: pip install 'sta410kit[lab]'"),
        # These two need no extra.
        ("night", {}, "no runs in {}/runs yet; `sta410 run` makes one"),
        ("docs", {}, "no data docs in {}/runs yet; `sta410 run` or `sta410 validate` writes them"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(project, words, settings, says):
    """In one sentence, within three seconds of the processor's time, and nothing is written."""
    before = sorted(project.rglob("*"))
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", _START.format(_OF_EXTRAS), *words.split()],
        cwd=project, env={**os.environ, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = f"sta410: ConfigurationError: {says.format(project)}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime < 3
    assert [path for path in sorted(project.rglob("*")) if path not in before] == []
