"""The image, read line by line: there is no container engine where the tests run."""

import json
import shlex
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def instructions(text):
    """Give each instruction of a Dockerfile as its word and the rest, continued lines joined."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


LINES = instructions((ROOT / "Dockerfile").read_text("utf-8"))


def final_stage():
    start = max(number for number, (word, _) in enumerate(LINES) if word == "FROM")
    return LINES[start + 1 :]


def only(word):
    """Give the one use of `word` in the final stage."""
    (rest,) = [rest for found, rest in final_stage() if found == word]
    return rest


def test_the_stages():
    """One pinned base, a builder and a final stage on top of it."""
    stages = [rest.split() for word, rest in LINES if word == "FROM"]
    assert [stage[-1] for stage in stages] == ["base", "builder", "final"]
    assert [stage[0] for stage in stages[1:]] == ["base", "base"]
    image, _, tag = stages[0][0].partition(":")
    assert image == "python"
    assert tag.count(".") == 2
    assert "latest" not in tag


def test_it_does_not_run_as_root():
    """The user is set after everything that needs root, and before the command."""
    words = [word for word, _ in final_stage()]
    assert only("USER") == "sta410"
    assert words.index("USER") > max(n for n, word in enumerate(words) if word in {"RUN", "COPY"})


def test_it_runs_the_chain_and_asks_the_doctor():
    """The entry is the kit's own command; health is what `sta410 doctor` says."""
    assert json.loads(only("ENTRYPOINT")) == ["sta410"]
    assert json.loads(only("CMD")) == ["run"]
    options, _, command = only("HEALTHCHECK").partition(" CMD ")
    assert json.loads(command) == ["sta410", "doctor"]
    assert "--timeout=" in options
    # The doctor starts a kernel and reads the data: often enough to notice, seldom enough to cost nothing.
    assert {"--interval=5m", "--start-period=30s"} <= set(options.split())


def test_what_it_writes_outlives_it():
    """Runs and logs are volumes, made and owned by the user before they become ones."""
    assert json.loads(only("VOLUME")) == ["/app/runs", "/app/logs"]
    (made,) = [rest for word, rest in final_stage() if word == "RUN"]
    assert "mkdir runs logs" in made
    assert made.endswith("chown -R sta410:sta410 /app")


def test_what_it_copies_exists_and_is_let_in():
    """Every copied path is in the repository, and .dockerignore, which shuts out all else, names it."""
    ignore = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    copied = [shlex.split(rest) for word, rest in LINES if word == "COPY"]
    sources = [name for *names, _ in copied if not names[0].startswith("--from") for name in names]
    assert len(sources) > 5
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignore


def test_no_secret_is_let_in():
    """Everything is shut out first, and the shapes of secrets again after the doors were opened."""
    ignore = [
        line
        for line in (ROOT / ".dockerignore").read_text("utf-8").split("\n")
        if line and not line.startswith("#")
    ]
    assert ignore[0] == "*"
    last_open = max(ignore.index(f"!{name}") for name in ("sta410kit", "notebooks", "expectations"))
    assert {"**/.env", "**/.env.*", "**/*.pem", "**/*.key", "**/runs", "**/logs"} <= set(ignore[last_open:])
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert not [name for name in ("API_KEY", "SECRET_KEY", "PASSWORD", "TOKEN") if name in text]


def test_it_installs_only_what_matches_a_hash():
    """Each install of something from outside asks for hashes; the kit's own wheel brings nothing along."""
    commands = [part for word, rest in LINES if word == "RUN" for part in rest.split("&&")]
    installs = [part for part in commands if "pip install" in part or "uv build" in part]
    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-deps" in part for part in installs)


def test_the_image_is_named_as_the_project():
    """Its title and licence are the project's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f'image.title="{project["name"]}"' in only("LABEL")
    assert f'image.licenses="{project["license"]}"' in only("LABEL")
