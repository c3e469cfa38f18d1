"""Parameters from the command line to the notebook: typed, refused, and never evaluated early."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.integration

CASES = Path(__file__).parents[1] / "cases"
TYPED = """
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, Optional
from pydantic import Field
class Side(Enum):
    BUY = "buy"
    SELL = "sell"
day: date = date(2020, 1, 2)
days: list[date] = []
until: Optional[date] = date(2020, 1, 2)
folder: Path = Path("out")
side: Side = Side.BUY
size: Annotated[Literal[1, 5], Field()] = 1
"""


def write(path, parameters, *sources):
    """Write a notebook with a parameters cell."""
    cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]}), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)


def printed(path):
    """Return what the cells of an executed notebook printed."""
    outputs = [one for cell in nbformat.read(path, as_version=4).cells for one in cell.get("outputs", [])]
    return "".join(one.get("text", "") for one in outputs)


@pytest.mark.parametrize(
    ("name", "setting", "text"),
    [
        ("p48-env-default", "n=4", "n 8"),
        ("p20-set", "s=c,d", "s ['c', 'd']"),
        ("p28b-list-numbers-comma", "horizons=2,3", "h 5"),
        ("p13-none-default-number", "limit=10", "li int"),
        ("p05-magic-in-params", "n=7", "n 7"),
        ("p01-tuple-unpack", "a=5", "ab 5 2"),
    ],
)
def test_unannotated_parameters_get_the_type_of_their_evaluated_default(tmp_path, typed, name, setting, text):
    """Magics and several targets in the parameters cell do no harm."""
    shutil.copy(CASES / f"{name}.ipynb", tmp_path)
    done = typed("run", f"{name}.ipynb", "-p", setting, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert printed(Path(json.loads(done.stdout)["folder"]) / f"{name}.ipynb").strip() == text


def test_every_annotated_type_arrives_as_that_type(tmp_path, typed):
    """In a run and in a sweep; manifests hold plain values, and papermill prints nothing of its own."""
    write(
        tmp_path / "x.ipynb", TYPED, "print(day.year, [d.year for d in days], until, folder.name, side, size)"
    )
    words = ["-p", "day=2021-03-04", "-p", "days=2022-01-01,2023-01-01", "-p", "until=none"]
    words += ["-p", "folder=new", "-p", "side=sell", "--json"]
    done = typed("run", "x.ipynb", *words, "-p", "size=5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert printed(Path(found["folder"]) / "x.ipynb") == "2021 [2022, 2023] None new Side.SELL 5\n"
    assert "parse" not in done.stderr
    swept = typed("sweep", "x.ipynb", *words, "-g", "size=1,5", cwd=tmp_path)
    assert swept.returncode == 0, swept.stderr
    units = json.loads(swept.stdout)
    assert units["parameters"]["0002"] == {
        "day": "2021-03-04", "days": ["2022-01-01", "2023-01-01"], "until": None,
        "folder": str(tmp_path / "new"), "side": "sell", "size": 5,
    }  # fmt: skip
    assert printed(Path(units["folder"]) / "units" / "0002" / "x.ipynb").endswith("Side.SELL 5\n")


def test_looking_at_a_notebook_executes_nothing(tmp_path, typed, monkeypatch):
    """Types that take evaluation are shown as their source text."""
    (tmp_path / "sta410kit.py").write_text("open('imported', 'w')")
    (tmp_path / "evil.py").write_text("open('imported', 'w')")
    monkeypatch.setenv("ALPACA_SECRET_KEY", "hunter2-hunter2-hunter2")
    cell = (
        "import evil, pathlib\nopen('ran', 'w')\nx: Literal[pathlib.os.environ['ALPACA_SECRET_KEY']] = evil.y"
    )
    write(tmp_path / "x.ipynb", cell, "x")
    (tmp_path / "notebooks").mkdir()
    shutil.copy(tmp_path / "x.ipynb", tmp_path / "notebooks" / "one.ipynb")
    (tmp_path / "notebooks" / "pipeline.toml").write_text("[[step]]\nnotebook = 'one.ipynb'\n")
    (row,) = json.loads(typed("params", "x.ipynb", "--json", cwd=tmp_path).stdout)
    assert row["type"] == "Literal[pathlib.os.environ['ALPACA_SECRET_KEY']]"
    assert (row["default"], row["choices"]) == ("evil.y", [])
    for words in (["config"], ["runs"], ["scan"], ["docs"], ["run", "--dry-run"], ["run", "-p", "nope=1"]):
        assert "hunter2" not in "".join(typed(*words, cwd=tmp_path).stdout)
    assert not {"imported", "ran"} & {path.name for path in tmp_path.rglob("*")}
