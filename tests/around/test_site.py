"""The documentation builds without a warning, and shows the committed notebooks."""

import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def script(root):
    """Give the function that imports a script."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_the_drawing_of_the_layers_is_up_to_date(script):
    """After a package has begun to import another: python scripts/draw_layers.py."""
    pytest.importorskip("grimp", reason="part of the extra dev, which `make check` installs")
    layers = script("draw_layers")
    assert layers.PICTURE.read_text("utf-8") == layers.drawing()


@pytest.mark.slow
def test_the_catalogue_of_expectations_is_up_to_date(script):
    """After a change of an expectation or a suite: python scripts/document_expectations.py."""
    catalogue = script("document_expectations")
    page, pictures = catalogue.page()
    assert catalogue.PAGE.read_text("utf-8") == page
    assert {path.name: path.read_text("utf-8") for path in catalogue.PICTURES.iterdir()} == pictures


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(root, tmp_path):
    """Every page, the notebooks with their figures, and the docstrings of the public names."""
    pytest.importorskip("sphinx", reason="part of the extra docs, which `make check` installs")
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "docs", tmp_path / "html"],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert "walk_forward" in (tmp_path / "html/api.html").read_text("utf-8")
    assert "_images/" in (tmp_path / "html/notebooks/05_evaluate.html").read_text("utf-8")


def test_what_a_benchmark_prints_is_recorded_on_its_page(root, tmp_path):
    """With command, day and machine; the page names what is not recorded; the exit code is the script's."""
    for name in ("docs", "benchmarks"):
        (tmp_path / name).mkdir()
    for name in ("docs/benchmarks.md", "docs/calibration.md", "benchmarks/record.py"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    (tmp_path / "benchmarks/bench_x.py").write_text("print('x takes 1 s')\nraise SystemExit(1)\n")
    (tmp_path / "benchmarks/bench_y.py").touch()
    for options in ([], ["--repeats", "3"]):
        script = [sys.executable, tmp_path / "benchmarks/record.py", "bench_x", *options]
        assert subprocess.run(script, check=False).returncode == 1
    page = (tmp_path / "docs/benchmarks.md").read_text("utf-8")
    assert page.count("### bench x\n\n`python benchmarks/bench_x.py --repeats 3`, 20") == 1
    shown = (
        "; exit code 1: a target was missed\n\n```text\nx takes 1 s\n```\n\nNot recorded yet: `bench_y`.\n"
    )
    assert f"{shown}<!-- end -->" in page


def test_the_recorded_results_are_on_their_pages(root):
    """Written by `make benchmark` and `make calibrate`, never by hand."""
    spec = importlib.util.spec_from_file_location("record", root / "benchmarks" / "record.py")
    record = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(record)
    assert [path.name for path in record.PAGES.values() if record.page(path) != path.read_text("utf-8")] == []
