"""What a step's result depends on."""

import pytest

from sta410kit.runner.identity import differences, step_parts
from sta410kit.runner.parameters import TypedValue
from sta410kit.runner.pipeline import read_pipeline
from sta410kit.runner.registry import Registry

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("given", [lambda path: (path,), lambda path: (path.parent / "gone.csv", path)])
def test_a_file_counts_by_its_content(project, write_notebook, given):
    """Alone or in a list, another content under the same name is another result."""
    cell = ("run_dir: str | None = None\nsource: list = []", "parameters")
    write_notebook(project / "notebooks" / "one.ipynb", cell)
    step, path = read_pipeline(project)[0], project / "in.csv"

    def parts(content):
        path.write_text(content)
        with Registry(project / "runs") as registry:
            return step_parts(step, {"source": TypedValue("in.csv", "", paths=given(path))}, {}, registry)

    assert differences(parts("a"), parts("bc")) == ["file source"]


def test_packages_and_settings_count_but_not_how_it_is_told(project, monkeypatch):
    """A package of another version or another seed is another result; a chattier log is not."""
    step, packages = read_pipeline(project)[0], project / "packages"
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(packages))

    def parts(package="x-1.0", **settings):
        (packages / f"{package}.dist-info").mkdir(parents=True, exist_ok=True)
        with monkeypatch.context() as environment, Registry(project / "runs") as registry:
            for name, value in settings.items():
                environment.setenv(name, value)
            return step_parts(step, {}, {}, registry)

    first = parts()
    assert differences(first, parts(LOG_LEVEL="DEBUG")) == []
    assert differences(first, parts(RANDOM_SEED="7")) == ["settings"]
    assert differences(first, parts(package="x-2.0")) == ["packages"]
